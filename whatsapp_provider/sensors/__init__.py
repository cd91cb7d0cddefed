"""Sensors that wait for channels."""
