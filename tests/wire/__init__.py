"""Tests of what goes over the wire: sent once, and classified by what is known."""
