"""The table of commands: what they are called and take, and which module does them. Nothing of those is loaded."""

from __future__ import annotations

from whatsapp_provider.cli.commands.campaign import CAMPAIGN
from whatsapp_provider.cli.commands.doctor import DOCTOR
from whatsapp_provider.cli.commands.kinds import Command, Group
from whatsapp_provider.cli.commands.ledger import LEDGER
from whatsapp_provider.cli.commands.person import PERSON
from whatsapp_provider.cli.commands.suppression import SUPPRESSION

#: In the order in which they are listed.
COMMANDS: tuple[Command | Group, ...] = (DOCTOR, CAMPAIGN, LEDGER, SUPPRESSION, PERSON)
