"""The commands: thin. Parse, call, print; nothing is decided here."""

from router.cli.main import main

__all__ = ["main"]
