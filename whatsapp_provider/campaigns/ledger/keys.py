"""The key of a ledger's hashes: who is suppressed stays known when nothing else of them is kept.

A hash without a key could be undone by hashing every number there is.
"""

from __future__ import annotations

import hmac
import secrets
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, insert, select

from whatsapp_provider.campaigns.ledger.schema import setting
from whatsapp_provider.errors import LedgerError

NAME = "person_key"
_read = select(setting.c.value).where(setting.c.name == NAME)
_lock = _read.with_for_update()
_keys: WeakKeyDictionary[Engine, bytes] = WeakKeyDictionary()


def make(connection: Connection) -> None:
    """Make the key where there is none; only whoever makes the tables does this, and nobody beside it."""
    if connection.execute(_read).first() is None:
        connection.execute(insert(setting).values(name=NAME, value=secrets.token_hex(32)))


def key_of(connection: Connection) -> bytes:
    """Return the key.

    :raises LedgerError: if it is gone. Another in its place would forget everybody who is suppressed.
    """
    if connection.engine not in _keys:
        found = connection.execute(_read).scalar_one_or_none()
        if found is None:
            raise LedgerError(
                f"The ledger has lost the key of its suppression list (wa_setting {NAME!r}), and nobody can say who is "
                "on it. Nothing is sent without it: restore that row from a backup."
            )
        _keys[connection.engine] = bytes.fromhex(found)
    return _keys[connection.engine]


def lock(connection: Connection) -> bytes:
    """Return the key, and make others wait who would change the suppression list or link forms; readers don't."""
    connection.execute(_lock)
    return key_of(connection)


def hashed(key: bytes, form: str) -> str:
    """Return what stands for one form of a person, e.g. their number's canonical digits."""
    return hmac.digest(key, form.encode(), "sha256").hex()
