"""``suppression``: who is not to be written to."""

from __future__ import annotations

import argparse
import getpass


def who(arguments: argparse.Namespace) -> str:
    """Return who does it."""
    return str(arguments.by or getpass.getuser())
