"""Tests of the gateways: what each asks for on the wire, and what it makes of the answers."""
