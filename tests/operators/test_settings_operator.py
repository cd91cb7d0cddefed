"""A channel's settings as a task: what differs is written, all else stays, and no value is told."""

from __future__ import annotations

from typing import Any

import pytest

from tests.hooks.world import World, context
from tests.operators.places import at_evolution
from whatsapp_provider.operators.base import Private, WhatsAppTaskFailedError
from whatsapp_provider.operators.settings import WhatsAppUpdateSettingsOperator, changes, differing

HOOK = {"url": "http://others.example/hook", "mode": "body", "events": []}


def update(**settings: Any) -> list[str]:
    task = WhatsAppUpdateSettingsOperator(task_id="settings", settings=settings)
    return task.execute(context())


def kept(world: World) -> dict[str, Any]:
    return world.emulator.whapi.channels[world.channel_id].settings


def test_what_differs_is_changed_and_all_else_stays(world: World) -> None:
    kept(world)["webhooks"] = [HOOK]
    assert update(offline_mode=True, full_history=False) == ["offline_mode"]
    assert kept(world)["offline_mode"] is True
    assert kept(world)["webhooks"] == [HOOK]


def test_what_is_so_already_is_not_written(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    update(offline_mode=True)
    assert update(offline_mode=True, proxy="") == []
    assert "Nothing to change: all 2 settings are so already." in capsys.readouterr().out
    assert world.asked("PATCH") == 1


def test_a_number_is_no_switch(world: World) -> None:
    kept(world)["offline_mode"] = 1
    assert update(offline_mode=True) == ["offline_mode"]


def test_of_a_group_given_in_part_the_rest_is_sent_as_it_is() -> None:
    """Some gateways merge a group, others replace it."""
    current = {"media": {"autoDownload": ["image"], "initAvatars": False}, "other": {"a": 1}}
    wanted = {"media": {"init_avatars": True}, "other": {"a": 1}}
    names = list(differing(wanted, current))
    assert names == ["media.init_avatars"]
    assert changes(wanted, current, names) == {"media": {"autoDownload": ["image"], "init_avatars": True}}


def test_a_group_given_in_part_is_changed_in_part(world: World) -> None:
    kept(world)["media"] = {"auto_download": ["image"], "init_avatars": False}
    assert update(media={"init_avatars": True}) == ["media.init_avatars"]
    assert kept(world)["media"] == {"auto_download": ["image"], "init_avatars": True}


def test_a_name_that_the_gateway_ignores_fails_the_task_for_good(world: World) -> None:
    with pytest.raises(WhatsAppTaskFailedError, match=r"none of the name 'offline_mood'.*Mend the names"):
        update(offline_mood=True, full_history=True)
    assert kept(world)["full_history"] is True


def test_what_the_gateway_leaves_as_it_was_does_not_count_as_changed(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.fault("status", status=200, body={"changes": []}, method="PATCH", path="/settings")
    assert update(offline_mode=True) == []
    assert "shows other values of offline_mode" in capsys.readouterr().out


def test_values_are_neither_logged_nor_stored(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    task = WhatsAppUpdateSettingsOperator(
        task_id="settings", settings={"proxy": "socks5://ada:{{ word }}@proxy.example:1080"}
    )
    task.render_template_fields({"word": "sesame"})
    assert isinstance(task.settings, Private)
    assert repr(task.settings) == task.settings.serialize() == "<settings proxy>"
    assert task.execute(context()) == ["proxy"]
    assert kept(world)["proxy"] == "socks5://ada:sesame@proxy.example:1080"
    told = capsys.readouterr().out
    assert "Changed: proxy." in told
    assert "sesame" not in told


@pytest.mark.parametrize("name", ["webhooks", "Webhook"])
def test_everybodys_webhooks_are_not_written_over(world: World, name: str) -> None:
    with pytest.raises(WhatsAppTaskFailedError, match="WhatsAppConfigureWebhookOperator"):
        update(**{name: [HOOK]})
    assert world.asked("/settings") == 0


@pytest.mark.parametrize(
    ("settings", "told"), [({}, "empty"), (None, "a NoneType"), ("{'a': 1}", "a str.*as it is")]
)
def test_what_is_no_mapping_is_refused_before_anything_is_asked(
    world: World, settings: Any, told: str
) -> None:
    task = WhatsAppUpdateSettingsOperator(task_id="settings", settings=settings)
    with pytest.raises(WhatsAppTaskFailedError, match=f"settings is {told}"):
        task.execute(context())
    assert world.asked("whapi") == 0


def test_an_evolution_instances_settings_are_known_in_either_spelling(world: World) -> None:
    instance = at_evolution(world)
    assert update(rejectCall=True, always_online=True) == ["rejectCall", "always_online"]
    assert (instance.settings["rejectCall"], instance.settings["alwaysOnline"]) == (True, True)
    assert update(reject_call=True, alwaysOnline=True) == []


def test_a_setting_that_evolution_does_not_have_changes_nothing(world: World) -> None:
    instance = at_evolution(world)
    before = dict(instance.settings)
    with pytest.raises(WhatsAppTaskFailedError, match="no setting 'reject_cal'"):
        update(reject_cal=True, always_online=True)
    assert instance.settings == before
