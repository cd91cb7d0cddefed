"""Audiences that a DAG names and a task reads: the rows of a query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from whatsapp_provider.errors import ConfigurationError

Parameters = Mapping[str, Any] | Sequence[Any]

_FIELDS = ("conn_id", "sql", "parameters")


class SqlAudience(dict[str, Any]):
    """The rows of a query, on a connection of any database that Airflow has a SQL hook for.

    It is a mapping, so that ``{"conn_id": "crm", "sql": "SELECT …"}`` means the same where a DAG is made of data, and
    Airflow renders all of it and finds the tasks whose outputs are in it.

    :param conn_id: the Airflow connection of the database.
    :param sql: one ``SELECT``; its columns' names are those of the rows. Nothing that it does is committed.
    :param parameters: values for its placeholders, in the form of the database's driver: a list for ``%s`` or ``?``, a
        mapping for ``%(name)s`` or ``:name``. A value that a person may choose belongs here and not into the text.
    """

    def __init__(self, conn_id: str, sql: str, parameters: Parameters | None = None) -> None:
        super().__init__(conn_id=conn_id, sql=sql)
        if parameters is not None:
            self["parameters"] = parameters

    @property
    def conn_id(self) -> str:
        """The Airflow connection of the database."""
        return str(self["conn_id"])

    @property
    def sql(self) -> str:
        """The query, without the semicolon at its end."""
        return str(self["sql"]).strip().removesuffix(";").strip()

    @property
    def parameters(self) -> Parameters | None:
        """The values for its placeholders."""
        found: Parameters | None = self.get("parameters")
        return found

    @classmethod
    def of(cls, given: Any) -> SqlAudience | None:
        """Return the query that an audience is, if it is one.

        :raises ConfigurationError: if something of it is missing, unknown or of another type.
        """
        if not isinstance(given, Mapping) or "sql" not in given:
            return None
        if unknown := [str(name) for name in given if name not in _FIELDS]:
            raise ConfigurationError(
                f"audience: a query has {', '.join(_FIELDS)}, and no {', '.join(sorted(unknown))}."
            )
        for name in ("conn_id", "sql"):
            value = given.get(name)
            if not isinstance(value, str) or not value.strip():
                raise ConfigurationError(f"audience: the query's {name} is missing; it must be a text.")
        parameters = given.get("parameters")
        if isinstance(parameters, str | bytes) or not isinstance(parameters, Mapping | Sequence | None):
            raise ConfigurationError(
                f"audience: the query's parameters are a {type(parameters).__name__}; give a list or a mapping."
            )
        return cls(given["conn_id"].strip(), given["sql"], parameters)
