"""Servers that answer what no gateway would: judged by what the gateways document, not by our parsers.

Recorded answers are mutated and handed to each call of each gateway. Nothing but an error of ours or a result of the
right type may come out, and no answer may make a doubtful send look certain.
"""
