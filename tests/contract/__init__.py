"""One suite that every gateway passes, run once for each line of the registry.

No test here names a gateway. What differs between them is a harness: a module of this folder named
like the registry line, with an object ``HARNESS`` as described in ``harness.py``.
"""
