"""Views for people who ask the ledger's database by SQL: no whole number, no values, moments as such, in UTC.

Who may read a view need not be able to read the tables below it. docs/reports.md describes each column. A later
version may add columns, at the end only: a view is replaced where it is, so that rights on it and views upon it stay.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    String,
    case,
    cast,
    func,
    literal,
    literal_column,
    select,
)

from whatsapp_provider.campaigns.ledger.schema import campaign, delivery, lane
from whatsapp_provider.campaigns.ledger.states import OPEN, SENT, DeliveryState

REPORT, COUNTS = "wa_report", "wa_campaign_counts"
#: Ids of the official API begin so, and hold the number in base64, where nothing can mask it.
UNMASKABLE = "wamid."
SHOWN = 4  #: characters of a recipient, as ``redaction.mask_number`` shows them


def make(connection: Connection) -> None:
    """Make the views, or bring them to this version."""
    dialect = connection.dialect
    for name, query in ((REPORT, _report(dialect.name)), (COUNTS, _counts(dialect.name))):
        told = query.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
        if dialect.name == "sqlite":
            connection.exec_driver_sql(f"DROP VIEW IF EXISTS {name}")
            connection.exec_driver_sql(f"CREATE VIEW {name} AS {told}")
        else:
            connection.exec_driver_sql(f"CREATE OR REPLACE VIEW {name} AS {told}")


def _report(dialect: str) -> Select[Any]:
    sent = delivery.c.state.in_(sorted(SENT))
    return (
        select(
            delivery.c.id.label("delivery"),
            campaign.c.campaign_id,
            func.coalesce(lane.c.channel, campaign.c.channel).label("channel"),
            _masked(dialect, delivery.c.recipient).label("recipient"),
            delivery.c.state,
            delivery.c.code,
            delivery.c.reason,
            _without_number(delivery.c.message_id).label("message_id"),
            delivery.c.attempt,
            _moment(dialect, campaign.c.created_at).label("planned_at"),
            _moment(dialect, case((sent, delivery.c.intended_at))).label("sent_at"),
            _moment(dialect, delivery.c.updated_at).label("updated_at"),
        )
        .join(campaign, campaign.c.id == delivery.c.campaign)
        .outerjoin(lane, lane.c.id == delivery.c.lane)
    )


def _counts(dialect: str) -> Select[Any]:
    groups = {
        "still_open": OPEN,
        "sent": SENT,
        "delivered": {DeliveryState.DELIVERED, DeliveryState.READ},
        "seen": {DeliveryState.READ},
        **{
            str(state): {state}
            for state in (
                DeliveryState.FAILED,
                DeliveryState.REJECTED,
                DeliveryState.IN_DOUBT,
                DeliveryState.SUPPRESSED,
                DeliveryState.EXPIRED,
                DeliveryState.CANCELLED,
            )
        },
    }
    return (
        select(
            campaign.c.campaign_id,
            campaign.c.channel,
            campaign.c.state,
            _moment(dialect, campaign.c.created_at).label("planned_at"),
            _moment(dialect, campaign.c.updated_at).label("updated_at"),
            func.count(delivery.c.id).label("total"),
            *(
                func.count(case((delivery.c.state.in_(sorted(states)), 1))).label(name)
                for name, states in groups.items()
            ),
        )
        .outerjoin(delivery, delivery.c.campaign == campaign.c.id)
        .group_by(
            campaign.c.id,
            campaign.c.campaign_id,
            campaign.c.channel,
            campaign.c.state,
            campaign.c.created_at,
            campaign.c.updated_at,
        )
    )


def _masked(dialect: str, recipient: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return ``…0001``, with what follows an ``@``."""
    find = func.strpos if dialect == "postgresql" else func.instr
    at = find(recipient, literal("@", String))
    name = case((at > 0, func.substr(recipient, 1, at - 1)), else_=recipient)
    last = func.substr(name, -SHOWN) if dialect == "sqlite" else func.right(name, SHOWN)
    server = case((at > 0, func.substr(recipient, at)), else_=literal("", String))
    dots = literal("…", String)
    return func.concat(dots, last, server) if dialect == "mysql" else dots.concat(last).concat(server)


def _without_number(message_id: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a message's id without the number of whom it was sent to, which some gateways' ids hold."""
    dots = literal("…", String)
    without = func.replace(func.replace(message_id, delivery.c.address, dots), delivery.c.recipient, dots)
    return case((func.substr(message_id, 1, len(UNMASKABLE)) == UNMASKABLE, None), else_=without)


def _moment(dialect: str, seconds: ColumnElement[Any]) -> ColumnElement[Any]:
    if dialect == "sqlite":
        return func.datetime(seconds, "unixepoch")
    if dialect == "postgresql":
        return func.to_timestamp(seconds)
    # FROM_UNIXTIME would go by the session's time zone.
    return func.timestampadd(
        literal_column("MICROSECOND"),
        cast(seconds * 1_000_000, BigInteger),
        literal_column("TIMESTAMP'1970-01-01 00:00:00'"),
    )
