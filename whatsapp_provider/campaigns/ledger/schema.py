"""The ledger's tables.

Times are seconds since the epoch by the database's own clock. No rendered text is kept: a row holds
the person's values as planned, and a hash of the text that was sent.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

VERSION = 1

metadata = MetaData()
_id = BigInteger().with_variant(Integer, "sqlite")

version = Table("wa_version", metadata, Column("version", Integer, primary_key=True))

campaign = Table(
    "wa_campaign",
    metadata,
    Column("id", _id, primary_key=True, autoincrement=True),
    Column("campaign_id", String(200), nullable=False, unique=True),
    Column("fingerprint", String(64), nullable=False),
    Column("template", String(64), nullable=False),
    Column("shared", Text, nullable=False),
    Column("channel", String(200), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", String(500)),
    Column("skipped", Text),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
)

#: Who works on a campaign now. Its id is the fencing token: larger is younger.
runner = Table(
    "wa_runner",
    metadata,
    Column("id", _id, primary_key=True, autoincrement=True),
    Column("campaign", _id, ForeignKey("wa_campaign.id"), nullable=False),
    Column("label", String(250), nullable=False),
    Column("lease_until", Double, nullable=False),
    Column("ended", Integer, nullable=False),
    Index("wa_runner_by_campaign", "campaign", "ended"),
    sqlite_autoincrement=True,
)

delivery = Table(
    "wa_delivery",
    metadata,
    Column("id", _id, primary_key=True, autoincrement=True),
    Column("campaign", _id, ForeignKey("wa_campaign.id"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("recipient", String(100), nullable=False),
    Column("address", String(100), nullable=False),
    Column("variables", Text),
    Column("body_hash", String(64)),
    Column("state", String(16), nullable=False),
    Column("runner", _id),
    Column("attempt", Integer, nullable=False),
    Column("postponed", Integer, nullable=False),
    Column("permit", _id),
    Column("not_before", Double),
    Column("message_id", String(200)),
    Column("code", String(80)),
    Column("reason", String(500)),
    Column("updated_at", Double, nullable=False),
    UniqueConstraint("campaign", "recipient", name="wa_delivery_once"),
    Index("wa_delivery_by_state", "campaign", "state", "seq"),
)

#: What was sent on a channel and when, in groups: all paces are counted here.
permit = Table(
    "wa_permit",
    metadata,
    Column("id", _id, primary_key=True, autoincrement=True),
    Column("channel", String(200), nullable=False),
    Column("taken_at", Double, nullable=False),
    Column("count", Integer, nullable=False),
    Index("wa_permit_by_time", "channel", "taken_at"),
)

#: One row a channel; whoever holds it may look at the windows and take permits.
channel = Table("wa_channel", metadata, Column("channel", String(200), primary_key=True))

#: Who is creating the channel of that name now.
channel_claim = Table(
    "wa_channel_claim",
    metadata,
    Column("account", String(100), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("owner", String(800), nullable=False),
    Column("until", Double, nullable=False),
)
