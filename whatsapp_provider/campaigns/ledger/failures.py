"""What an error of the database means: no right, out of reach, rolled back for another's sake, or a fault of ours."""

from __future__ import annotations

from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError, SQLAlchemyError

#: PostgreSQL's codes: no privilege, no schema that may be used; MySQL's: to the database, a table, a column, in
#: general, a routine.
_NO_RIGHT = ("42501", "3F000", 1044, 1142, 1143, 1227, 1370)
#: A transaction that the server ended for another's sake or that waited too long for a lock. Not 40003 and not a
#: connection that is lost at COMMIT: such a transaction may have been committed.
_ROLLED_BACK = (
    "40001",  # PostgreSQL: serialization failure
    "40P01",  # PostgreSQL: deadlock
    "55P03",  # PostgreSQL: a lock was not to be had in time
    1205,  # MySQL: a lock was not to be had in time
    1213,  # MySQL: deadlock, and a cluster's conflict at COMMIT
    1305,  # MySQL: after a deadlock inside a savepoint, which is gone with its transaction
)
_SQLITE_BUSY = 5
#: MySQL's errors about the server or the connection, beside the driver's own (2000 and more): too many connections,
#: login, unknown database, shut down, host, network, read-only, full, killed, interrupted. Its driver says
#: "operational" of all the others too, and their text may quote values.
_MYSQL_SERVER = frozenset(
    {
        1021,
        1023,
        1026,
        1037,
        1038,
        1040,
        1041,
        1042,
        1043,
        1044,
        1045,
        1049,
        1053,
        1114,
        1129,
        1130,
        1142,
        1143,
    }
    | {
        1152,
        1158,
        1159,
        1160,
        1161,
        1180,
        1203,
        1205,
        1213,
        1226,
        1227,
        1290,
        1305,
        1317,
        1370,
        1698,
        1792,
        1836,
    }
    | {1927, 1969, 3024, 4031}
)


def lacks_right(error: SQLAlchemyError) -> bool:
    """Tell whether the database's user may not do this."""
    return _code(error) in _NO_RIGHT


def was_rolled_back(error: SQLAlchemyError) -> bool:
    """Tell whether nothing of the transaction is in the database, and doing it again may well succeed."""
    return _code(error) in _ROLLED_BACK or _sqlite_code(error) == _SQLITE_BUSY


def is_out_of_reach(error: SQLAlchemyError) -> bool:
    """Tell whether it is the server, the file or the way to it that fails."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    code = _code(error)
    if isinstance(code, int):
        return code in _MYSQL_SERVER or code >= 2000
    # Plain DatabaseError: SQLite says so of a file that is no database.
    return isinstance(error, OperationalError) or type(error) is DatabaseError


def cause(error: SQLAlchemyError) -> str:
    """Name the failure without statement and parameters, which hold numbers and texts."""
    original = getattr(error, "orig", None)
    if original is None:
        return type(error).__name__
    told = str(original).strip().splitlines()
    # Other errors may quote the offending value; these speak of the server or the file.
    if told and is_out_of_reach(error):
        return f"{type(original).__name__}: {told[0]}"
    return type(original).__name__


def _code(error: SQLAlchemyError) -> str | int | None:
    """Return PostgreSQL's five characters or MySQL's number."""
    original = getattr(error, "orig", None)
    first = original.args[0] if isinstance(original, Exception) and original.args else None
    # First, for newer drivers of MySQL tell a state too, which says less.
    if isinstance(first, int) and first >= 1000:
        return first
    state = getattr(original, "sqlstate", None)
    return state if isinstance(state, str) else None


def _sqlite_code(error: SQLAlchemyError) -> int | None:
    code = getattr(getattr(error, "orig", None), "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else None
