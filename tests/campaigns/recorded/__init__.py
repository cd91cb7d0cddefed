"""Ledgers as older versions wrote them, and what those versions go on sending to a ledger."""
