"""The connection form for Airflow 3.1, which asks the hook's class for it.

Airflow 3.2 and later read the same form from the provider's metadata and import no hook for it. Both are made of
the gateway's :class:`~whatsapp_provider.gateways.connection.ConnectionForm`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from whatsapp_provider.gateways.registry import by_connection_type


class ConnectionFormMethods:
    """The two methods that Airflow 3.1 asks a hook's class for.

    What they import (wtforms) isn't installed with Airflow: its API server puts its own classes in that place.
    """

    conn_type: ClassVar[str]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # Airflow asks only a class that has them itself; one that inherits them it passes over.
        for name in ("get_connection_form_widgets", "get_ui_field_behaviour"):
            setattr(cls, name, vars(ConnectionFormMethods)[name])

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Return the form's further fields, a wtforms field for each name.

        :raises ConfigurationError: if the class is for no gateway's connection type.
        """
        fields = by_connection_type(cls.conn_type).form.fields
        return {name: _widget(field) for name, field in fields.items()}

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Return labels, placeholders and what is hidden, with the underscores of Airflow's older key names.

        :raises ConfigurationError: if the class is for no gateway's connection type.
        """
        behaviour = by_connection_type(cls.conn_type).form.behaviour()
        return {key.replace("-", "_"): value for key, value in behaviour.items()}


def _widget(field: Mapping[str, Any]) -> Any:
    # Nobody installs it for this, nor its types.
    from wtforms import BooleanField, IntegerField, PasswordField, StringField  # type: ignore[import-untyped]
    from wtforms.validators import Optional, any_of  # type: ignore[import-untyped]

    schema = field["schema"]
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if schema.get("format") == "password":
        kind = PasswordField
    elif "boolean" in kinds:
        kind = BooleanField
    elif "integer" in kinds:
        kind = IntegerField
    else:
        # There is no field for a number with a fraction; it is read from text as well.
        kind = StringField
    validators = [Optional()]
    if "enum" in schema:
        validators.append(any_of(schema["enum"]))
    return kind(
        field["label"],
        validators=validators,
        description=field.get("description", ""),
        default=schema.get("default"),
    )
