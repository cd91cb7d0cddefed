"""Notifiers: what tells people of failures, deadlines and questions."""
