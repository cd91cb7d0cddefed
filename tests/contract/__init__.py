"""One suite that every gateway passes, run once for each line of the registry.

No test here names a gateway. What differs between them is a harness: a module of this folder named
like the registry line, with ``HARNESSES``, objects as described in ``harness.py``: one for each kind of server
that the gateway speaks to, by its name.
"""
