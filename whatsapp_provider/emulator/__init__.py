"""A working imitation of the gateways, with state, over one fake phone network.

In a test, mount it in-process (``httpx.ASGITransport(app=emulator.app)``) and move time with
``await emulator.advance(seconds)``. For DAGs, run ``python -m whatsapp_provider.emulator``.
"""

from whatsapp_provider.emulator.app import Emulator
from whatsapp_provider.emulator.faults import Fault
from whatsapp_provider.emulator.settings import EmulatorSettings

__all__ = ["Emulator", "EmulatorSettings", "Fault"]
