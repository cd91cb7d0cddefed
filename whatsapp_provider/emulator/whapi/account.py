"""One partner account: its projects, its channels, the creation limit."""

from __future__ import annotations

import string
from typing import Any

from whatsapp_provider.emulator.whapi.channel import WhapiChannel
from whatsapp_provider.emulator.whapi.refusals import RefusalError, missing
from whatsapp_provider.emulator.world import World

HEROES = ("SHAZAM", "MANTIS", "SUPRMN", "HAWKEY", "BATMAN", "FALCON", "GAMORA", "NEBULA", "AQUAMN", "WIDOWX")
UPPER = string.ascii_uppercase + string.digits
ALNUM = string.ascii_letters + string.digits
API_URL = "https://gate.whapi.cloud/"
DAY_MS = 86_400_000
TRIAL_DAYS = 5
ACTIVE_DAYS = 6

CREATE_FIELDS = ("name", "projectId", "phone", "recurrentPaymentId", "prevRecurrentPaymentId")


class WhapiAccount:
    """What the partner token reaches."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.channels: dict[str, WhapiChannel] = {}
        self.by_token: dict[str, WhapiChannel] = {}
        self.projects: dict[str, dict[str, Any]] = {}
        self.partner_settings: dict[str, dict[str, Any]] = {}
        self.owner_id = self.random_text(28)
        self._window_start = 0.0
        self._created_in_window = 0
        self.main_project = self.create_project("Main", is_default=True)["id"]

    def random_text(self, length: int, alphabet: str = ALNUM) -> str:
        """Return random characters for an id or a token."""
        return "".join(self.world.random.choices(alphabet, k=length))

    def now_ms(self) -> int:
        """Return the time as the manager writes it."""
        return int(self.world.clock.now() * 1000)

    # -- projects ---------------------------------------------------------------------------

    def create_project(self, name: str, *, is_default: bool = False) -> dict[str, Any]:
        """Add a project."""
        project: dict[str, Any] = {
            "id": self.random_text(20),
            "name": name,
            "ownerId": self.owner_id,
            "creationTS": self.now_ms(),
            "users": [self.owner_id],
            "isDefault": is_default,
        }
        self.projects[project["id"]] = project
        return project

    def project(self, project_id: str) -> dict[str, Any]:
        """Return a project; ``default`` is the main one."""
        wanted = self.main_project if project_id == "default" else project_id
        project = self.projects.get(wanted)
        if project is None:
            raise RefusalError(404, "Specified project not found")
        return project

    # -- channels ---------------------------------------------------------------------------

    def create_channel(self, data: dict[str, Any]) -> WhapiChannel:
        """Create a channel, if the request and the creation limit allow it."""
        for name in ("name", "projectId"):
            if not isinstance(data.get(name), str):
                raise missing(name)
        project_id = self.project(data["projectId"])["id"]
        self._count_creation()
        return self._new_channel({**data, "projectId": project_id})

    def _count_creation(self) -> None:
        settings, now = self.world.settings, self.world.clock.now()
        if now >= self._window_start + settings.creation_window:
            self._window_start, self._created_in_window = now, 0
        if self._created_in_window >= settings.creation_limit:
            raise RefusalError(429, "Too Many Requests")
        self._created_in_window += 1

    def _new_channel(self, data: dict[str, Any]) -> WhapiChannel:
        pick = self.world.random
        channel_id = f"{pick.choice(HEROES)}-{self.random_text(5, UPPER)}"
        now = self.now_ms()
        facts: dict[str, Any] = {
            "apiUrl": API_URL,
            "id": channel_id,
            "creationTS": now,
            "ownerId": self.owner_id,
            "activeTill": now + ACTIVE_DAYS * DAY_MS,
            "token": self.random_text(32),
            "server": pick.randint(1, 60),
            "stopped": False,
            "status": "active",
            "trial": now + TRIAL_DAYS * DAY_MS,
            "mode": "trial",
        }
        facts.update({name: data[name] for name in CREATE_FIELDS if name in data})
        channel = WhapiChannel(self.world, facts)
        self.channels[channel_id] = channel
        self.by_token[facts["token"]] = channel
        self.world.network.attach(channel_id, channel)
        channel.provision()
        return channel

    def channel(self, channel_id: str) -> WhapiChannel:
        """Return a channel by its id."""
        channel = self.channels.get(channel_id)
        if channel is None:
            raise RefusalError(404, "Specified channel not found")
        return channel

    def delete_channel(self, channel_id: str) -> int:
        """Remove a channel; return the days that go back to the balance."""
        channel = self.channel(channel_id)
        channel.shut_down()
        self.world.network.detach(channel_id)
        del self.channels[channel_id], self.by_token[channel.token]
        left = channel.facts["activeTill"] - self.now_ms()
        return 0 if channel.facts["mode"] == "trial" else max(0, left // DAY_MS)

    def paired_channel(self, name: str, phone: str | None = None) -> WhapiChannel:
        """Return a channel that is provisioned and linked at once; it doesn't count as a creation."""
        channel = self._new_channel({"name": name, "projectId": self.main_project})
        channel.provisioned = True
        channel.show_qr()
        self.world.network.link(channel.id, phone)
        return channel
