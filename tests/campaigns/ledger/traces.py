"""A person of whom the ledger holds all that it can hold, and every way in which bytes may still tell of them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import String, Text, insert, select, update

from tests.campaigns.support import CHANNEL, Desk, number
from whatsapp_provider.campaigns.identity import address_forms
from whatsapp_provider.campaigns.ledger.control import By
from whatsapp_provider.campaigns.ledger.identities import LearnedFrom
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, Result
from whatsapp_provider.campaigns.ledger.schema import campaign, delivery, metadata, suppression
from whatsapp_provider.campaigns.ledger.schema import number as checks
from whatsapp_provider.campaigns.ledger.settling import Verdict
from whatsapp_provider.campaigns.ledger.states import DeliveryState
from whatsapp_provider.campaigns.ledger.suppression import Source
from whatsapp_provider.campaigns.pacing import Pace

ADA = "5511900000001"
NAME = "Adalbertine Quux"
LID = "100000000000001@lid"
USER_ID = "BR.13491208655302741918"
#: Somebody else, of whom everything stays.
BOB, BOBS_NAME = number(2), "Bobadilla"


def wamid(to: str) -> str:
    """A message id of the official API, which has the number in it."""
    return "wamid." + base64.b64encode(b"\x1c\x18\x0d" + to.encode() + b"\x15\x02\x00\x11\x18\x12AB").decode()


def traces() -> Iterator[str]:
    """Everything that would tell of Ada, in whatever it stands."""
    yield from (NAME, LID.partition("@")[0], USER_ID)
    for form in address_forms(ADA):
        yield form
        for before in range(3):
            # What is the same of its base64 wherever it begins in the bytes around it.
            encoded = base64.b64encode(b"\0" * before + form.encode()).decode().rstrip("=")
            yield encoded[(before * 8 + 5) // 6 : -1]
    yield "90000-0001"


class Files:
    """Ada and Bob in campaigns of every kind."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.ledger = desk, desk.ledger

    def plan(self, name: str, text: str = "Hi {{ name }}") -> CampaignRecord:
        rows = [{"phone": ADA, "name": NAME}, {"phone": BOB, "name": BOBS_NAME}]
        return self.desk.plan_rows(rows, self.desk.campaign(name), text)

    def run(self, record: CampaignRecord, state: DeliveryState, **told: Any) -> None:
        """Send to both, with what came of it for Ada; Bob is accepted."""
        lease = self.ledger.begin(record, label="", seconds=60)
        tasks = self.ledger.turn(lease, [], places=2, pace=Pace.unlimited()).tasks
        mine = {task.recipient: Result(task, state, **told) for task in tasks}
        mine |= {
            task.recipient: Result(task, DeliveryState.ACCEPTED, message_id=f"{record.campaign_id}-{BOB}")
            for task in tasks
            if task.recipient == BOB
        }
        self.ledger.end(lease, list(mine.values()))

    def fill(self) -> None:
        """Write all that the ledger can hold of Ada."""
        self.run(self.plan("spring"), DeliveryState.ACCEPTED, message_id=wamid(ADA))
        self.run(self.plan("summer"), DeliveryState.REJECTED, code="131026", reason=f"{ADA} is unknown")
        self.run(self.plan("autumn"), DeliveryState.IN_DOUBT, code="ReadTimeout", reason=f"{NAME} went dead")
        self.run(self.plan("may"), DeliveryState.IN_DOUBT, code="ReadTimeout")
        self.ledger.settle("may", None, Verdict.SENT, by="Eve", note=f"{NAME} said so")
        self.plan("winter")
        single = self.desk.plan_rows([{"phone": ADA}], self.desk.campaign("message/order-1"), f"Hi {NAME}")
        self.run(single, DeliveryState.ACCEPTED, message_id="ABC")
        self.ledger.pause("winter", By("Eve", "the one with +55 11 90000-0001 complained"))
        self.ledger.suppress(
            [[ADA]], "press", source=Source.PERSON, by="Eve", reason=f"{NAME} is a journalist"
        )
        self.ledger.link([[ADA, LID], [ADA, USER_ID]], LearnedFrom.INBOUND)
        with self.ledger._database.transaction() as connection:
            message = json.dumps({"kind": "text", "text": f"Hi {NAME}"})
            of_single = update(campaign).where(campaign.c.campaign_id == "message/order-1")
            connection.execute(of_single.values(message=message, shared=message, preflight=message))
            answer = {
                "recipient": ADA,
                "address": f"{address_forms(ADA)[1]}@s.whatsapp.net",
                "on_whatsapp": 1,
            }
            connection.execute(insert(checks).values(gateway="whapi", checked_at=1.0, until=2e9, **answer))


def texts(ledger: Ledger) -> Iterator[tuple[str, str]]:
    """Every text in every table, with where it is."""
    with ledger._database.transaction() as connection:
        for table in metadata.sorted_tables:
            columns = [column for column in table.columns if isinstance(column.type, String | Text)]
            for row in connection.execute(select(*columns)) if columns else ():
                for column, text in zip(columns, row, strict=True):
                    if text is not None:
                        yield f"{table.name}.{column.name}", text


def found(ledger: Ledger) -> set[tuple[str, str]]:
    """Where anything of Ada is, and what."""
    return {(place, trace) for place, text in texts(ledger) for trace in traces() if trace in text}


def deliveries(ledger: Ledger) -> dict[tuple[str, str], Any]:
    """Each delivery by campaign and recipient."""
    query = select(delivery, campaign.c.campaign_id.label("name")).join(campaign)
    with ledger._database.transaction() as connection:
        return {(row.name, row.recipient): row for row in connection.execute(query)}


def entries(ledger: Ledger) -> list[Any]:
    """All rows of the suppression lists."""
    with ledger._database.transaction() as connection:
        return list(connection.execute(select(suppression).order_by(suppression.c.id)))


CHANNEL_KEY = CHANNEL.key()
