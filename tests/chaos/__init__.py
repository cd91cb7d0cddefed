"""Kill the campaign engine anywhere, on a real database, with a gateway that misbehaves, and count who got what.

``python -m tests.chaos`` (``make chaos``) runs one campaign after the other in several processes and kills them
with SIGKILL, until as many kills were made as were asked for and the last campaign has ended. The judge is the
emulator's truth log: what each phone received, held against what the ledger says of each person.
"""
