"""Tests of the emulator: it answers as the gateways were seen to answer."""
