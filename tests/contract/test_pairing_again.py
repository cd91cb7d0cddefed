"""A channel that lost its phone can be paired anew, whatever its server still shows of the code before."""

from __future__ import annotations

from tests.contract.conftest import Subject
from whatsapp_provider.model import ChannelState


async def test_a_channel_that_lost_its_phone_shows_a_code_that_a_phone_can_scan(subject: Subject) -> None:
    subject.can("pairing_qr")
    channel_id = await subject.harness.paired(subject.emulator)
    channel = subject.open().channel(subject.ref(channel_id))
    network = subject.emulator.network
    in_network = subject.harness.in_network(subject.emulator, channel_id)
    network.unlink(in_network)
    await subject.harness.until_pairable(subject.emulator)
    assert await channel.pairing_qr() is not None
    network.link(in_network)
    assert (await channel.status()).state is ChannelState.CONNECTED


async def test_a_channel_paired_by_a_code_shows_one_again_after_its_logout(subject: Subject) -> None:
    subject.can("pairing_qr", "logout", "create_channels")
    channel_id = await subject.harness.paired(subject.emulator)
    channel = subject.open().channel(subject.ref(channel_id))
    assert await channel.logout()
    await subject.harness.until_pairable(subject.emulator)
    assert await channel.pairing_qr() is not None
    subject.emulator.network.link(subject.harness.in_network(subject.emulator, channel_id))
    assert (await channel.status()).state is ChannelState.CONNECTED
