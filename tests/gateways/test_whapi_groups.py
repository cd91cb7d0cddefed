"""Groups of a Whapi channel, by the gate's schema: no capture of these routes is known."""

from __future__ import annotations

import pytest

from tests.gateways.conftest import Hosts
from whatsapp_provider.errors import NotFoundError
from whatsapp_provider.model import Group, GroupMember, Profile

GROUP = "120363000000000001@g.us"


async def test_groups_are_read_page_by_page_until_all_are_there(hosts: Hosts) -> None:
    first = [{"id": f"12036300000000000{n}@g.us", "name": f"Group {n}"} for n in (1, 2)]
    last = {"id": "120363000000000003@g.us", "name": "Group 3", "participants": [{"id": "15550001000"}]}
    hosts.say(
        "GET gate /groups",
        {"groups": first, "count": 2, "total": 3, "offset": 0},
        {"groups": [first[1], last], "count": 2, "total": 3, "offset": 2},
    )
    assert await hosts.channel().groups() == [
        Group(GROUP, "Group 1"),
        Group("120363000000000002@g.us", "Group 2"),
        Group("120363000000000003@g.us", "Group 3", 1),
    ]
    assert [asked.query["offset"] for asked in hosts.asked] == ["0", "2"]


async def test_a_page_without_news_ends_the_list(hosts: Hosts) -> None:
    hosts.say("GET gate /groups", {"groups": [{"id": GROUP, "name": "One"}]})
    assert await hosts.channel().groups() == [Group(GROUP, "One")]
    assert len(hosts.asked) == 2


async def test_members_have_a_number_a_hidden_id_and_a_rank(hosts: Hosts) -> None:
    participants = [
        {"id": "15550001000", "rank": "creator"},
        {"id": "15550001001@s.whatsapp.net", "rank": "member"},
        {"id": "123456789012345@lid", "rank": "admin"},
        "15550001003",
    ]
    hosts.say(f"GET gate /groups/{GROUP}", {"id": GROUP, "name": "One", "participants": participants})
    assert await hosts.channel().group_members(GROUP) == [
        GroupMember("15550001000@s.whatsapp.net", "15550001000", is_admin=True),
        GroupMember("15550001001@s.whatsapp.net", "15550001001"),
        GroupMember("123456789012345@lid", None, is_admin=True),
        GroupMember("15550001003@s.whatsapp.net", "15550001003"),
    ]


async def test_a_group_that_the_account_is_not_in_is_not_found(hosts: Hosts) -> None:
    hosts.say(f"GET gate /groups/{GROUP}", {"error": {"code": 404, "message": "group not found"}}, status=404)
    with pytest.raises(NotFoundError, match="group not found"):
        await hosts.channel().group_members(GROUP)


async def test_the_profile_is_that_of_the_paired_phone_if_there_is_one(hosts: Hosts) -> None:
    hosts.say(
        "GET gate /health",
        {"status": {"text": "AUTH"}, "user": {"id": "15550001000", "name": "Shop"}},
        {"status": {"text": "QR"}},
    )
    channel = hosts.channel()
    assert await channel.profile() == Profile("15550001000", "Shop")
    assert await channel.profile() == Profile()
