"""A tenant's contacts, groups, statuses and sources."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gateways import whatscloud_facts as facts
from tests.gateways.whatscloud_server import WhatsCloudServer
from whatsapp_provider.errors import (
    ConfigurationError,
    CredentialRejectedError,
    Disposition,
    InputError,
    NameTakenError,
    NoAnswerError,
    NotFoundError,
    QuotaExceededError,
    RecipientError,
    RequestRejectedError,
    WhatsAppError,
)
from whatsapp_provider.gateways.directory import ContactDraft, ContactQuery, NamedRecord, Shelf

DRAFT = ContactDraft(phone=f"+{facts.PHONE}", firstname="Ada", source="2", status="Pending")


def lists(server: WhatsCloudServer) -> None:
    """Have the documented groups, statuses and sources."""
    server.say("GET /groups", facts.flat(facts.GROUP, facts.OTHER_GROUP))
    server.say("GET /statuses", facts.flat(facts.STATUS, facts.PENDING))
    server.say("GET /sources", facts.flat(facts.SOURCE))


async def chosen(server: WhatsCloudServer, **query: str) -> list[str]:
    found = server.account().directory().contacts(ContactQuery(**query) if query else None)
    return [contact.id async for contact in found]


# -- reading --------------------------------------------------------------------------------------


async def test_a_query_is_asked_of_the_server_and_held_against_what_it_answers(
    whatscloud: WhatsCloudServer,
) -> None:
    lists(whatscloud)
    # A server of a version that does not filter, as some pages have it.
    people = [
        {**facts.CONTACT, "id": 1},
        {**facts.CONTACT, "id": 2, "type": "customer"},
        {**facts.CONTACT, "id": 3, "group_id": None},
        {**facts.CONTACT, "id": 4, "status_id": 4, "group_id": [2]},
        {**facts.CONTACT, "id": 5, "source_id": None, "group_id": "[2,1]"},
    ]
    whatscloud.say("GET /contacts", facts.flat(*people))
    assert await chosen(whatscloud) == ["1", "2", "3", "4", "5"]
    assert await chosen(whatscloud, type="customer") == ["2"]
    assert await chosen(whatscloud, group="vip") == ["1", "2", "5"]
    assert await chosen(whatscloud, group="1", source="Referral") == ["1", "2"]
    assert await chosen(whatscloud, status="Pending") == ["4"]
    asked = whatscloud.calls("GET /contacts")
    assert asked[0].query == facts.ALL
    assert asked[-1].query == {"status_id": "4", **facts.ALL}


async def test_a_group_that_there_is_not_is_told_with_those_there_are(whatscloud: WhatsCloudServer) -> None:
    lists(whatscloud)
    with pytest.raises(NotFoundError, match=r"none of groups called 'gold'\. There are: 'vip', 'news'"):
        await chosen(whatscloud, group="gold")
    assert whatscloud.calls("GET /contacts") == []


@pytest.mark.parametrize(
    ("written", "ids"),
    [
        ([1, 2], ("1", "2")),
        ("[1,2]", ("1", "2")),
        ('["1", "2"]', ("1", "2")),
        ("1,2", ("1", "2")),
        (7, ("7",)),
        (None, ()),
        ("", ()),
        ([], ()),
        ([None], ()),
    ],
    ids=str,
)
async def test_a_contacts_groups_are_read_however_they_are_written(
    whatscloud: WhatsCloudServer, written: Any, ids: tuple[str, ...]
) -> None:
    whatscloud.say("GET /contacts/451", facts.ok(data={**facts.CONTACT, "group_id": written}))
    found = await whatscloud.account().directory().get_contact("451")
    assert found is not None
    assert found.group_ids == ids


async def test_a_contact_is_found_by_the_digits_of_the_number(whatscloud: WhatsCloudServer) -> None:
    whatscloud.say("GET /contacts", facts.flat({**facts.CONTACT, "phone": "+1 555 000-0001"}))
    directory = whatscloud.account().directory()
    found = await directory.find_contact("+15550000001")
    assert found is not None
    assert found.id == "451"
    assert await directory.find_contact("15550000002") is None


async def test_nothing_of_a_person_is_in_the_repr_of_a_contact(whatscloud: WhatsCloudServer) -> None:
    whatscloud.say("GET /contacts/451", facts.ok(data=facts.CONTACT))
    found = await whatscloud.account().directory().get_contact("451")
    assert found is not None
    assert found.row()["email"] == "john@example.com"
    shown = repr([found, DRAFT])
    assert not any(private in shown for private in ("John", "Doe", "example.com", "5550000001", "Ada"))


# -- writing --------------------------------------------------------------------------------------


async def test_a_new_contact_needs_a_source_and_a_status_and_gets_the_default_or_only_one(
    whatscloud: WhatsCloudServer,
) -> None:
    lists(whatscloud)
    whatscloud.say("POST /contacts", facts.ok("Contact created successfully", data=facts.CONTACT), status=201)
    directory = whatscloud.account().directory()
    await directory.create_contact(DRAFT)
    await directory.create_contact(ContactDraft(phone=facts.PHONE, firstname="Ada"))
    first, second = whatscloud.calls("POST /contacts")
    usual = {"firstname": "Ada", "phone": f"+{facts.PHONE}", "type": "lead", "source_id": 2}
    assert (first.body, second.body) == ({**usual, "status_id": 4}, {**usual, "status_id": 1})
    whatscloud.say("GET /sources", facts.flat(facts.SOURCE, {**facts.SOURCE, "id": 3, "name": "Website"}))
    with pytest.raises(ConfigurationError, match=r"needs one of sources.*'Referral', 'Website'"):
        await directory.create_contact(ContactDraft(phone=facts.PHONE, firstname="Ada"))


@pytest.mark.parametrize(
    ("draft", "error"),
    [
        (ContactDraft(phone=facts.PHONE, firstname=" "), InputError),
        (ContactDraft(phone="12", firstname="Ada"), RecipientError),
        (ContactDraft(phone=facts.PHONE, firstname="Ada", type="guest"), ConfigurationError),
        (ContactDraft(phone=facts.PHONE, firstname="Ada", groups=("a,b",)), ConfigurationError),
        (ContactDraft(phone=facts.PHONE, firstname="Ada", groups=(" ",)), ConfigurationError),
    ],
)
async def test_what_can_be_no_contact_is_refused_before_anything_is_asked(
    whatscloud: WhatsCloudServer, draft: ContactDraft, error: type[WhatsAppError]
) -> None:
    with pytest.raises(error):
        await whatscloud.account().directory().create_contact(draft)
    assert whatscloud.asked == []


@pytest.mark.parametrize("row_id", ["abc", "1.5", "-1", "²", "9" * 21])
async def test_an_id_that_is_no_number_is_not_written(whatscloud: WhatsCloudServer, row_id: str) -> None:
    lists(whatscloud)
    whatscloud.say("GET /sources", facts.flat({**facts.SOURCE, "id": row_id}))
    with pytest.raises(NoAnswerError, match="no whole number"):
        await (
            whatscloud.account()
            .directory()
            .create_contact(ContactDraft(phone=facts.PHONE, firstname="Ada", source="Referral"))
        )
    assert whatscloud.calls("POST /contacts") == []


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("taken", NameTakenError, "The email has already been taken"),
        ("plan", QuotaExceededError, "Contact limit exceeded"),
        ("missing ability", CredentialRejectedError, r"contacts\.create"),
        ("server", NoAnswerError, "may have been carried out"),
    ],
)
async def test_why_a_contact_was_not_created_is_told(
    whatscloud: WhatsCloudServer, name: str, error: type[WhatsAppError], words: str
) -> None:
    lists(whatscloud)
    whatscloud.refuse("POST /contacts", name)
    with pytest.raises(error, match=words) as caught:
        await whatscloud.account().directory().create_contact(DRAFT)
    assert caught.value.disposition in {Disposition.HALT, Disposition.HOLD}
    assert len(whatscloud.calls("POST /contacts")) == 1


async def test_a_change_writes_the_whole_contact_back(whatscloud: WhatsCloudServer) -> None:
    lists(whatscloud)
    row = {**facts.CONTACT, "country_id": 49, "assigned_id": "7", "description": None}
    whatscloud.say("GET /contacts/451", facts.ok(data=row))
    whatscloud.say("PUT /contacts/451", facts.ok("Contact updated successfully", data=facts.CONTACT))
    directory = whatscloud.account().directory()
    await directory.update_contact("451", {"firstname": "Ada", "status": "Pending"})
    await directory.update_contact("451", {"groups": ["gold"], "phone": "15550000002", "email": ""})
    first, second = whatscloud.calls("PUT /contacts/451")
    kept = {"lastname": "Doe", "type": "lead", "source_id": 2, "country_id": 49, "assigned_id": 7}
    assert first.body == {
        **kept,
        "firstname": "Ada",
        "phone": "+15550000001",
        "email": "john@example.com",
        "status_id": 4,
        "groups": "vip,news",
    }
    assert second.body == {
        **kept,
        "firstname": "John",
        "phone": "+15550000002",
        "email": "",
        "status_id": 1,
        "groups": "gold",
    }


async def test_a_field_that_a_contact_has_not_is_refused_before_anything_is_asked(
    whatscloud: WhatsCloudServer,
) -> None:
    with pytest.raises(ConfigurationError, match="has no 'first_name'; it has"):
        await whatscloud.account().directory().update_contact("451", {"first_name": "Ada"})
    assert whatscloud.asked == []


async def test_what_is_not_there_is_neither_changed_nor_deleted(whatscloud: WhatsCloudServer) -> None:
    directory = whatscloud.account().directory()
    for method in ("GET", "DELETE"):
        whatscloud.refuse(f"{method} /contacts/9", "contact missing")
        whatscloud.refuse(f"{method} /groups/9", "groups missing")
    assert await directory.get_contact("9") is None
    assert await directory.get_entry(Shelf.GROUPS, "9") is None
    assert await directory.delete_contact("9") is False
    assert await directory.delete_entry(Shelf.GROUPS, "9") is False
    with pytest.raises(NotFoundError, match="no contact '9'"):
        await directory.update_contact("9", {"firstname": "Ada"})


async def test_a_route_that_is_missing_is_not_taken_for_a_row_that_is(whatscloud: WhatsCloudServer) -> None:
    whatscloud.say("DELETE /contacts/9", {"message": "The route could not be found."}, status=404)
    with pytest.raises(RequestRejectedError):
        await whatscloud.account().directory().delete_contact("9")


async def test_a_tenant_that_is_missing_is_not_taken_for_a_row_that_is(whatscloud: WhatsCloudServer) -> None:
    directory = whatscloud.account().directory()
    for method, ask in (("GET", directory.get_contact), ("DELETE", directory.delete_contact)):
        whatscloud.refuse(f"{method} /contacts/9", "unknown tenant")
        with pytest.raises(NotFoundError, match="knows no tenant"):
            await ask("9")


async def test_the_default_status_is_kept_by_the_gateway(whatscloud: WhatsCloudServer) -> None:
    whatscloud.refuse("DELETE /statuses/1", "default status")
    with pytest.raises(RequestRejectedError, match="Cannot delete the default status"):
        await whatscloud.account().directory().delete_entry(Shelf.STATUSES, "1")


async def test_an_entry_is_found_by_its_exact_name_and_of_several_the_oldest(
    whatscloud: WhatsCloudServer,
) -> None:
    twice = [{**facts.GROUP, "id": 10}, {**facts.GROUP, "id": 9}, {**facts.GROUP, "id": 1, "name": "VIP"}]
    whatscloud.say("GET /groups", facts.ok(data=twice))
    directory = whatscloud.account().directory()
    assert await directory.find_entry(Shelf.GROUPS, "vip") == NamedRecord("9", "vip")
    assert await directory.find_entry(Shelf.GROUPS, "gold") is None


async def test_only_statuses_have_a_colour_and_nothing_to_change_is_refused(
    whatscloud: WhatsCloudServer,
) -> None:
    directory = whatscloud.account().directory()
    with pytest.raises(ConfigurationError, match="Only statuses have a colour; sources have none"):
        await directory.create_entry(Shelf.SOURCES, "a", color="#FF0000")
    with pytest.raises(ConfigurationError, match="needs a name"):
        await directory.create_entry(Shelf.GROUPS, " ")
    with pytest.raises(ConfigurationError, match="Nothing of groups is to be changed"):
        await directory.update_entry(Shelf.GROUPS, "1")
    assert whatscloud.asked == []
