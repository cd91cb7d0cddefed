"""Sending over the Evolution dialect: what phones receive, and every way to be refused."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.emulator.conftest import Wire
from tests.emulator.evolution_wire import TO, Evolution
from whatsapp_provider.emulator import Fault
from whatsapp_provider.emulator.evolution.instance import Instance

Body = dict[str, Any]
URL = "https://files.example/menu.pdf"
CONTENT = base64.b64encode(b"hello world!").decode()


@pytest.fixture
def instance(evolution: Evolution) -> Instance:
    return evolution.server.paired("wa1", "15550001000")


async def post(evolution: Evolution, kind: str, body: Body, name: str = "wa1") -> tuple[int, Any]:
    answer = await evolution.ask("POST", f"/message/{kind}/{name}", json=body)
    return answer.status_code, answer.json()


async def test_the_phone_received_it_once(evolution: Evolution, instance: Instance) -> None:
    sent = (await evolution.text(text="Hi Ana")).json()
    (entry,) = evolution.emulator.network.received(TO)
    assert entry._asdict() == {
        "at": evolution.emulator.clock.now(),
        "phone": TO,
        "channel_id": "wa1",
        "message_id": sent["key"]["id"],
        "kind": "text",
        "text": "Hi Ana",
        "media": None,
        "chat_id": f"{TO}@s.whatsapp.net",
    }


@pytest.mark.parametrize("number", [TO, f"+{TO}", "+55 (11) 90000-0000", f"{TO}@s.whatsapp.net"])
async def test_a_number_may_be_written_in_many_ways(
    evolution: Evolution, instance: Instance, number: str
) -> None:
    assert (await evolution.text(to=number)).json()["key"]["remoteJid"] == f"{TO}@s.whatsapp.net"
    assert evolution.emulator.network.counts() == {TO: 1}


async def test_a_delay_holds_the_call_open(evolution: Evolution, instance: Instance) -> None:
    begin = evolution.emulator.clock.now()
    await evolution.text(delay=1200)
    assert evolution.emulator.clock.now() == pytest.approx(begin + 1.2)


@pytest.mark.parametrize(
    ("force", "status", "message"),
    [
        (None, 500, "Cannot read properties of undefined (reading 'onWhatsApp')"),
        ("connecting", 500, "Connection Closed"),
        ("banned", 400, ["Error: Connection Closed"]),
    ],
)
async def test_without_a_session_a_send_is_refused_in_the_words_of_the_state(
    evolution: Evolution, force: str | None, status: int, message: Any
) -> None:
    if force == "banned":
        evolution.server.paired("wa1").force("banned")
    else:
        await evolution.create()
        if force:
            evolution.emulator.network.port("wa1").force(force)
    refused = await evolution.text()
    assert (refused.status_code, refused.json()["response"]["message"]) == (status, message)
    assert evolution.emulator.network.total() == 0


MEDIA: list[tuple[str, Body, str, Body]] = [
    ("sendMedia", {"mediatype": "document", "media": URL, "caption": "c"}, "document", {"link": URL}),
    (
        "sendMedia",
        {"mediatype": "document", "media": CONTENT, "fileName": "a.pdf"},
        "document",
        {"size": 12, "filename": "a.pdf", "mime_type": "application/pdf"},
    ),
    ("sendMedia", {"mediatype": "image", "media": CONTENT}, "image", {"size": 12}),
    ("sendWhatsAppAudio", {"audio": CONTENT}, "voice", {"size": 12}),
    ("sendPtv", {"video": CONTENT}, "short", {"size": 12}),
    ("sendSticker", {"sticker": CONTENT}, "sticker", {"mime_type": "image/webp"}),
]


@pytest.mark.parametrize(("path", "body", "kind", "file"), MEDIA)
async def test_files_arrive_as_links_or_content(
    evolution: Evolution, instance: Instance, path: str, body: Body, kind: str, file: Body
) -> None:
    status, _ = await post(evolution, path, {"number": TO, **body})
    assert status == 201
    (entry,) = evolution.emulator.network.received(TO)
    assert (entry.kind, entry.text) == (kind, body.get("caption"))
    assert entry.media is not None
    assert file.items() <= entry.media.items()


async def test_a_file_may_be_a_multipart_part(evolution: Evolution, instance: Instance) -> None:
    answer = await evolution.ask(
        "POST",
        "/message/sendMedia/wa1",
        data={"number": TO, "mediatype": "document"},
        files={"file": ("menu.txt", b"soup", "text/plain")},
    )
    assert answer.status_code == 201, answer.text
    (entry,) = evolution.emulator.network.received(TO)
    assert entry.media is not None
    assert (entry.media["filename"], entry.media["mime_type"], entry.media["size"]) == (
        "menu.txt",
        "text/plain",
        4,
    )


@pytest.mark.parametrize(
    ("content", "caption", "text", "size"),
    [("story", None, "story", None), (CONTENT, "look", "look", 12)],
)
async def test_a_status_goes_to_everybody_as_one_line(
    evolution: Evolution, instance: Instance, content: str, caption: str | None, text: str, size: int | None
) -> None:
    body: Body = {"type": "text" if size is None else "image", "content": content, "allContacts": True}
    status, sent = await post(
        evolution, "sendStatus", body if caption is None else body | {"caption": caption}
    )
    assert (status, sent["key"]["remoteJid"]) == (201, "status@broadcast")
    (entry,) = evolution.emulator.network.received()
    assert (entry.kind, entry.text) == ("status", text)
    assert (entry.media or {}).get("size") == size


@pytest.mark.parametrize(
    ("media", "status"),
    [
        ("data:image/png;base64,aGVsbG8=", 400),
        ("http://localhost/a.png", 400),
        ("", 400),
        ("https://nowhere.invalid/a.png", 500),
    ],
)
async def test_a_file_that_is_none_is_refused(
    evolution: Evolution, instance: Instance, media: str, status: int
) -> None:
    body = {"number": TO, "mediatype": "image", "media": media}
    assert (await post(evolution, "sendMedia", body))[0] == status
    assert evolution.emulator.network.total() == 0


@pytest.mark.parametrize(
    ("kind", "body", "complaint"),
    [
        ("sendText", {"number": TO, "text": 5}, "text is not of a type(s) string"),
        (
            "sendText",
            {"number": TO, "text": "a", "linkPreview": 1},
            "linkPreview is not of a type(s) boolean",
        ),
        ("sendText", {"number": TO, "text": "a", "quoted": {"key": {}}}, 'quoted.key requires property "id"'),
        (
            "sendPoll",
            {"number": TO, "name": "Q", "selectableCount": 11, "values": ["a", "b"]},
            "selectableCount must be less than or equal to 10",
        ),
        (
            "sendContact",
            {"number": TO, "contact": [{"fullName": "A", "phoneNumber": "123"}]},
            "contact[0].phoneNumber does not meet minimum length of 10",
        ),
    ],
)
async def test_a_body_against_the_schema_is_told_what_it_lacks(
    evolution: Evolution, instance: Instance, kind: str, body: Body, complaint: str
) -> None:
    status, answer = await post(evolution, kind, body)
    assert (status, answer["response"]["message"]) == (400, [[complaint]])


async def test_buttons_are_three_replies_or_something_else(evolution: Evolution, instance: Instance) -> None:
    reply = {"type": "reply", "displayText": "Yes", "id": "y"}
    link = {"type": "url", "displayText": "Open", "url": "https://a.example"}
    for buttons, status in (([reply] * 3, 201), ([reply] * 4, 400), ([reply, link], 400), ([link], 201)):
        body = {"number": TO, "title": "T", "buttons": buttons}
        assert (await post(evolution, "sendButtons", body))[0] == status


async def test_ticks_become_updates_and_never_go_back(evolution: Evolution, instance: Instance) -> None:
    evolution.emulator.configure(read_after=1.0)
    sent = (await evolution.text()).json()["key"]["id"]
    where = {"where": {"id": sent}}

    async def heard() -> list[str]:
        rows = (await evolution.ask("POST", "/chat/findStatusMessage/wa1", json=where)).json()
        return [row["status"] for row in rows]

    assert await heard() == []
    await evolution.emulator.advance(0.3)
    assert await heard() == []
    await evolution.emulator.advance(2)
    assert await heard() == ["DELIVERY_ACK", "READ"]
    evolution.emulator.network.read(TO)
    assert await heard() == ["DELIVERY_ACK", "READ"]


async def test_the_servers_acknowledgement_is_told_only_when_set_so(
    evolution: Evolution, instance: Instance
) -> None:
    evolution.emulator.configure(evolution_server_ack=True, delivered_after=None)
    sent = (await evolution.text()).json()["key"]["id"]
    await evolution.emulator.advance(1)
    (row,) = (await evolution.ask("POST", "/chat/findStatusMessage/wa1", json={"where": {"id": sent}})).json()
    assert row["status"] == "SERVER_ACK"


async def test_pages_have_the_size_of_their_offset(evolution: Evolution, instance: Instance) -> None:
    ids = [(await evolution.text(text=str(number))).json()["key"]["id"] for number in range(5)]
    body = {"where": {"key": {"fromMe": True}}, "page": 2, "offset": 2}
    page = (await evolution.ask("POST", "/chat/findMessages/wa1", json=body)).json()["messages"]
    assert (page["total"], page["pages"], page["currentPage"]) == (5, 3, 2)
    assert [record["key"]["id"] for record in page["records"]] == [ids[2], ids[1]]


async def test_messages_may_be_found_only_a_while_after_they_were_sent(
    evolution: Evolution, instance: Instance
) -> None:
    evolution.emulator.configure(history_lag=5)
    sent = (await evolution.text()).json()["key"]["id"]

    async def found() -> list[str]:
        body = {"where": {"key": {"fromMe": True}}}
        page = (await evolution.ask("POST", "/chat/findMessages/wa1", json=body)).json()["messages"]
        return [record["key"]["id"] for record in page["records"]]

    assert await found() == []
    await evolution.emulator.advance(5)
    assert await found() == [sent]


# -- Meta -----------------------------------------------------------------------------------------


async def test_a_template_can_be_sent_when_meta_has_approved_it(evolution: Evolution) -> None:
    evolution.server.paired("biz", integration="WHATSAPP-BUSINESS")
    template = {"name": "menu", "category": "UTILITY", "language": "pt_BR", "components": []}
    answer = await evolution.ask("POST", "/template/create/biz", json=template)
    assert answer.status_code == 201
    wanted = {"number": TO, "name": "menu", "language": "pt_BR", "components": []}
    early = await post(evolution, "sendTemplate", wanted, "biz")
    assert (early[0], early[1]["code"]) == (201, 132001)
    await evolution.emulator.advance(60)
    late = await post(evolution, "sendTemplate", wanted, "biz")
    assert late[1]["key"]["id"].startswith("wamid.")
    (listed,) = (await evolution.ask("GET", "/template/find/biz")).json()
    assert (listed["name"], listed["status"]) == ("menu", "APPROVED")
    assert evolution.emulator.network.counts() == {TO: 1}


async def test_meta_speaks_of_delivery_in_its_own_words(evolution: Evolution) -> None:
    evolution.server.paired("biz", integration="WHATSAPP-BUSINESS")
    sent = (await evolution.text("biz")).json()["key"]["id"]
    await evolution.emulator.advance(1)
    rows = await evolution.ask("POST", "/chat/findStatusMessage/biz", json={"where": {"id": sent}})
    assert [(row["status"], row["fromMe"]) for row in rows.json()] == [("SENT", False), ("DELIVERED", False)]


# -- groups ---------------------------------------------------------------------------------------


async def test_a_group_is_an_address_and_an_audience(
    wire: Wire, evolution: Evolution, instance: Instance
) -> None:
    request = {"subject": "Customers", "participants": ["5511900000001", "+55 11 90000-0002"]}
    group = (await wire.control("POST", "/groups", json=request)).json()["group_id"]
    (listed,) = (await evolution.ask("GET", "/group/fetchAllGroups/wa1?getParticipants=false")).json()
    assert (listed["id"], listed["subject"], listed["size"]) == (group, "Customers", 3)
    assert "participants" not in listed
    (found,) = (await evolution.ask("GET", "/group/fetchAllGroups/wa1?getParticipants=true")).json()
    info = (await evolution.ask("GET", f"/group/findGroupInfos/wa1?groupJid={group}")).json()
    members = (await evolution.ask("GET", f"/group/participants/wa1?groupJid={group}")).json()
    assert info == found
    assert members == {"participants": info["participants"]}
    assert [(member["id"].partition("@")[0], member["admin"]) for member in info["participants"]] == [
        ("15550001000", "superadmin"),
        ("5511900000001", None),
        ("5511900000002", None),
    ]
    sent = (await evolution.text(to=group)).json()
    (entry,) = evolution.emulator.network.received()
    assert (entry.chat_id, entry.phone) == (group, group.partition("@")[0])
    assert sent["key"]["remoteJid"] == group


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("fetchAllGroups/wa1", 400),
        ("findGroupInfos/wa1", 400),
        ("findGroupInfos/wa1?groupJid=120363000000000000@g.us", 404),
        ("participants/wa1?groupJid=120363000000000000", 404),
    ],
)
async def test_a_group_nobody_knows_is_refused(
    evolution: Evolution, instance: Instance, path: str, status: int
) -> None:
    assert (await evolution.ask("GET", f"/group/{path}")).status_code == status


async def test_members_come_and_go(evolution: Evolution, instance: Instance) -> None:
    body = {"subject": "New", "participants": ["5511900000001"]}
    made = await evolution.ask("POST", "/group/create/wa1", json=body)
    assert made.status_code == 201
    group = made.json()["id"]

    async def change(action: str, phone: str) -> list[tuple[str, str | None]]:
        body = {"groupJid": group, "action": action, "participants": [phone]}
        answer = await evolution.ask("POST", "/group/updateParticipant/wa1", json=body)
        assert answer.status_code == 201, answer.text
        members = (await evolution.ask("GET", f"/group/participants/wa1?groupJid={group}")).json()
        return [(m["id"].partition("@")[0], m["admin"]) for m in members["participants"][1:]]

    assert await change("add", "5511900000002") == [("5511900000001", None), ("5511900000002", None)]
    assert await change("promote", "5511900000002") == [("5511900000001", None), ("5511900000002", "admin")]
    assert await change("remove", "5511900000001") == [("5511900000002", "admin")]


async def test_a_profile_tells_which_number_is_linked(evolution: Evolution, instance: Instance) -> None:
    own = (await evolution.ask("POST", "/chat/fetchProfile/wa1", json={})).json()
    assert (own["wuid"], own["numberExists"]) == ("15550001000@s.whatsapp.net", True)
    evolution.emulator.configure(numbers_without_whatsapp=frozenset({TO}))
    other = (await evolution.ask("POST", "/chat/fetchProfile/wa1", json={"number": TO})).json()
    assert (other["wuid"], other["numberExists"]) == (f"{TO}@s.whatsapp.net", False)


# -- faults ---------------------------------------------------------------------------------------

SEND = "/evolution/v2/message/"


@pytest.mark.parametrize(
    ("fault", "status", "received"),
    [
        (Fault(kind="status", status=503, path=SEND), 503, 0),
        (Fault(kind="deliver_then_status", status=502, path=SEND), 502, 1),
        (Fault(kind="half_json", path=SEND), 201, 1),
        (Fault(kind="empty", path=SEND), 200, 1),
        (Fault(kind="delay", delay=3.0, path=SEND), 201, 1),
        (Fault(kind="unsent", path=SEND), 400, 0),
    ],
)
async def test_a_fault_spoils_one_send(
    evolution: Evolution, instance: Instance, fault: Fault, status: int, received: int
) -> None:
    evolution.emulator.faults.add(fault)
    spoilt = await evolution.text()
    assert spoilt.status_code == status
    assert evolution.emulator.network.total() == received
    if fault.kind == "unsent":
        jid = f"{TO}@s.whatsapp.net"
        assert spoilt.json()["response"]["message"] == [{"jid": jid, "exists": False, "number": TO}]
    assert (await evolution.text()).status_code == 201
    assert evolution.emulator.network.total() == received + 1


async def test_meta_refuses_what_a_fault_leaves_unsent(evolution: Evolution) -> None:
    evolution.server.paired("biz", integration="WHATSAPP-BUSINESS")
    evolution.emulator.faults.add(Fault(kind="unsent", path=SEND))
    answer = await evolution.text("biz")
    assert (answer.status_code, answer.json()["code"], "key" in answer.json()) == (201, 131030, False)
    assert evolution.emulator.network.total() == 0
