"""A gateway that there is not: small, with a wire format of its own, to show that a fifth one needs no more.

It is what ``ADDING_A_GATEWAY.md`` describes: connection form, capabilities, answers, sends, channel, gateway, hook, a
line of the registry, a dialect of the emulator, and a harness in ``tests/contract/toy.py``. The package knows nothing
of it.

Its server has lines, each with one phone. ``GET /lines`` and ``GET /lines/{id}`` show them, ``POST /lines/{id}/say``
sends. The header ``x-toy-key`` carries the key of the account, or that of one line.
"""
