"""Holds the command line: it parses arguments, calls the product and prints results.

No decision is made here, and nothing here calls Amazon Connect directly.
"""

from router.cli.main import main

__all__ = ["main"]
