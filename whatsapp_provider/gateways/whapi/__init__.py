"""Whapi.Cloud: the manager API creates and pays channels, the gate API serves one channel by its token."""
