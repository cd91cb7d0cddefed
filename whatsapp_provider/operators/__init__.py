"""Operators: channels, webhooks, messages and campaigns as tasks."""
