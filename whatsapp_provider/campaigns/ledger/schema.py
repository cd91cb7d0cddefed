"""The ledger's tables.

Times are seconds since the epoch by the database's own clock. No rendered text is kept: a row holds
the person's values as planned, and a hash of the text that was sent.

A new version only adds tables, columns that may be empty, and indexes (``migrations.py``), so that processes
of the version before go on meanwhile. What can't be added so raises :data:`OLDEST_READER`.
"""

from __future__ import annotations

from typing import Any

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
from sqlalchemy.dialects.mysql import MEDIUMTEXT

VERSION = 3
#: The oldest version whose processes may use a ledger of this one: the versions before know neither the suppression
#: list nor a cancelled campaign, and would send all the same.
OLDEST_READER = 3
#: What an index of this version does instead.
REPLACED_INDEXES = frozenset({"wa_delivery_by_state"})

metadata = MetaData()
_id = BigInteger().with_variant(Integer, "sqlite")
#: A person's values may be long, and MySQL's TEXT ends at 64 KB.
_values = Text().with_variant(MEDIUMTEXT, "mysql", "mariadb")


def _table(name: str, *columns: Any, **options: Any) -> Table:
    # MySQL's default collations take "a" and "A" for the same; its old engine has no transactions.
    options |= {
        f"{dialect}_{setting}": value
        for dialect in ("mysql", "mariadb")
        for setting, value in (("engine", "InnoDB"), ("charset", "utf8mb4"), ("collate", "utf8mb4_bin"))
    }
    return Table(name, metadata, *columns, **options)


#: ``oldest_reader``: who wrote none could be read by its own version only.
version = _table("wa_version", Column("version", Integer, primary_key=True), Column("oldest_reader", Integer))

campaign = _table(
    "wa_campaign",
    Column("id", _id, primary_key=True, autoincrement=True),
    Column("campaign_id", String(200), nullable=False, unique=True),
    Column("fingerprint", String(64), nullable=False),
    Column("template", String(64), nullable=False),
    Column("shared", _values, nullable=False),
    Column("channel", String(200), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", String(500)),
    Column("skipped", _values),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    # The message as its author wrote it and the rules it is sent by, as JSON: what was approved is what is sent.
    Column("message", _values),
    Column("rules", _values),
    # What the plan found, as JSON.
    Column("preflight", _values),
    Column("total", Integer),
    # Who writes its recipients now, and until when that is believed.
    Column("planner", String(64)),
    Column("plan_until", Double),
    # How many lanes it has; without any, all of its deliveries go through its channel at any hour.
    Column("lanes", Integer),
    # After this moment nothing of it is sent.
    Column("expires_at", Double),
    # Who holds it back: a person's pause, which only a person ends.
    Column("held_by", String(250)),
    # Whether it waits for an approval, and who gave it.
    Column("needs_approval", Integer),
    Column("approved_by", String(250)),
    Column("approved_at", Double),
    # Since when it holds nobody's data any more, but for those in doubt.
    Column("purged_at", Double),
)

#: A part of a campaign: who is sent to from one channel, and lives in the same time zones.
lane = _table(
    "wa_lane",
    Column("id", _id, primary_key=True, autoincrement=True),
    Column("campaign", _id, ForeignKey("wa_campaign.id"), nullable=False),
    Column("channel", String(200), nullable=False),
    # A hash of the zones, whose names may be many.
    Column("name", String(64), nullable=False),
    Column("zones", _values, nullable=False),
    # Why its channel stopped, until somebody runs the campaign again.
    Column("stopped", String(500)),
    UniqueConstraint("campaign", "channel", "name", name="wa_lane_once"),
)

#: Who works on a campaign now. Its id is the fencing token: larger is younger.
runner = _table(
    "wa_runner",
    Column("id", _id, primary_key=True, autoincrement=True),
    Column("campaign", _id, ForeignKey("wa_campaign.id"), nullable=False),
    Column("label", String(250), nullable=False),
    Column("lease_until", Double, nullable=False),
    Column("ended", Integer, nullable=False),
    Index("wa_runner_by_campaign", "campaign", "ended"),
    sqlite_autoincrement=True,
)

delivery = _table(
    "wa_delivery",
    Column("id", _id, primary_key=True, autoincrement=True),
    Column("campaign", _id, ForeignKey("wa_campaign.id"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("recipient", String(100), nullable=False),
    Column("address", String(100), nullable=False),
    Column("variables", _values),
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
    # Of the last attempt: when its intent was committed, and since when it is in doubt.
    Column("intended_at", Double),
    Column("doubted_at", Double),
    # How often the gateway's history was looked at in vain, and when last.
    Column("looks", Integer),
    Column("looked_at", Double),
    # How often it was planned again out of doubt.
    Column("resends", Integer),
    Column("lane", _id),
    UniqueConstraint("campaign", "recipient", name="wa_delivery_once"),
    Index("wa_delivery_due", "campaign", "state", "lane", "seq"),
    Index("wa_delivery_by_recipient", "recipient"),
    Index("wa_delivery_by_message", "message_id"),
)

#: What was sent on a channel and when, in groups: all paces are counted here.
permit = _table(
    "wa_permit",
    Column("id", _id, primary_key=True, autoincrement=True),
    Column("channel", String(200), nullable=False),
    Column("taken_at", Double, nullable=False),
    Column("count", Integer, nullable=False),
    Index("wa_permit_by_time", "channel", "taken_at"),
)

#: One row a channel; whoever holds it may look at the windows and take permits.
channel = _table(
    "wa_channel",
    Column("channel", String(200), primary_key=True),
    Column("first_used_at", Double),
    # Before this moment nothing is sent, so that messages keep their distance.
    Column("next_at", Double),
    # The gateway said to wait until then, and what it said.
    Column("quiet_until", Double),
    Column("quiet_reason", String(500)),
)

#: Who is creating the channel of that name now.
channel_claim = _table(
    "wa_channel_claim",
    Column("account", String(100), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("owner", String(800), nullable=False),
    Column("until", Double, nullable=False),
)

#: How doubts were settled, for ever: by what, by whom, when.
settlement = _table(
    "wa_settlement",
    Column("id", _id, primary_key=True, autoincrement=True),
    Column("delivery", _id, ForeignKey("wa_delivery.id"), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("proof", String(16), nullable=False),
    Column("settled_by", String(250), nullable=False),
    Column("note", String(500)),
    Column("settled_at", Double, nullable=False),
    Index("wa_settlement_by_delivery", "delivery"),
)

#: Who is not to be written to. ``person`` is a keyed hash of one of their forms: it stays when the person is erased.
suppression = _table(
    "wa_suppression",
    Column("id", _id, primary_key=True, autoincrement=True),
    Column("list", String(64), nullable=False),
    Column("person", String(64), nullable=False),
    Column("recipient", String(150)),
    Column("reason", String(500)),
    Column("source", String(32), nullable=False),
    Column("added_by", String(250), nullable=False),
    Column("added_at", Double, nullable=False),
    Column("until", Double),
    UniqueConstraint("person", "list", name="wa_suppression_once"),
)

#: Other forms of a person: an id of WhatsApp that no number can be computed from.
alias = _table(
    "wa_alias",
    # A user id of Meta's has up to 131 characters.
    Column("alias", String(150), primary_key=True),
    Column("recipient", String(150), nullable=False),
    Column("source", String(32), nullable=False),
    Column("learned_at", Double, nullable=False),
    Index("wa_alias_by_recipient", "recipient"),
)

#: What a gateway said of a number, for as long as it is believed.
number = _table(
    "wa_number",
    Column("gateway", String(100), primary_key=True),
    Column("recipient", String(100), primary_key=True),
    Column("address", String(100)),
    Column("on_whatsapp", Integer, nullable=False),
    Column("checked_at", Double, nullable=False),
    Column("until", Double, nullable=False),
)

#: What people did to campaigns, for ever.
control = _table(
    "wa_control",
    Column("id", _id, primary_key=True, autoincrement=True),
    Column("campaign", _id, ForeignKey("wa_campaign.id"), nullable=False),
    Column("action", String(32), nullable=False),
    Column("done_by", String(250), nullable=False),
    Column("note", String(500)),
    Column("done_at", Double, nullable=False),
    Index("wa_control_by_campaign", "campaign"),
)

#: Values of the ledger's own, e.g. the key of its hashes.
setting = _table(
    "wa_setting", Column("name", String(64), primary_key=True), Column("value", String(500), nullable=False)
)
