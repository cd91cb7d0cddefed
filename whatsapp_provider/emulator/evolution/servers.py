"""The two servers: what their global key reaches."""

from __future__ import annotations

from whatsapp_provider.emulator.evolution.instance import BAILEYS, BUSINESS, Instance, Wish
from whatsapp_provider.emulator.world import World

VERSIONS = {1: "1.8.6", 2: "2.3.6"}


class EvolutionServer:
    """One server with its instances, by their names."""

    def __init__(self, world: World, version: int) -> None:
        self.world = world
        self.version = version
        self.url = f"http://emulator/evolution/v{version}"
        self.instances: dict[str, Instance] = {}

    def add(self, wish: Wish) -> Instance:
        """Make an instance and attach it to the network under its name."""
        network = self.world.network
        taken = {channel_id for channel_id, _ in network.ports()}
        # The two servers may have an instance of one name each; the network may not.
        channel_id = wish.name if wish.name not in taken else f"{wish.name} (v{self.version})"
        instance = Instance(self, wish, channel_id)
        self.instances[wish.name] = instance
        network.attach(channel_id, instance)
        if not instance.baileys:
            network.link(channel_id, wish.number if wish.integration == "EVOLUTION" else None)
        return instance

    def remove(self, instance: Instance) -> None:
        """Forget an instance, if it is still the one of its name."""
        if self.instances.get(instance.name) is instance:
            instance.session.shut_down()
            del self.instances[instance.name]
            self.world.network.detach(instance.channel_id)

    def paired(self, name: str, phone: str | None = None, integration: str = BAILEYS) -> Instance:
        """Return a new instance that is ready to send, without the waiting; a Meta token is made up."""
        token = f"EAA-{name}" if integration == BUSINESS else ""
        instance = self.add(Wish(name, integration, token))
        if instance.baileys:
            instance.session.pairable()
            self.world.network.link(instance.channel_id, phone)
        return instance

    def meta_addresses(self, instance: Instance) -> dict[str, str | None]:
        """Return what a person pastes into Meta's form, in the words of the version."""
        names = ("webhookWaBusiness", "accessTokenWaBusiness")
        path = "/webhook/meta"
        if self.version == 1:
            names = ("webhook_wa_business", "access_token_wa_business")
            path = f"/webhook/whatsapp/{instance.name}"
        if not instance.business:
            return dict(zip(names, (None, ""), strict=True))
        return dict(zip(names, (self.url + path, "evolution"), strict=True))


class Evolution:
    """Both servers; they share the global key and the phones."""

    def __init__(self, world: World) -> None:
        self.v2 = EvolutionServer(world, 2)
        self.v1 = EvolutionServer(world, 1)
