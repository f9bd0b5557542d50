"""Why a command could not do what was asked, and the exit statuses."""

from __future__ import annotations

DONE = 0
FOUND = 1
"""Done, but found problems, or some contacts failed, or the instance or the ledger could not be read."""
WRONG = 2
"""Wrong usage, or a configuration that does not load."""
MISCONFIGURED = 78
"""Instead of 2 for ``run`` (sysexits.h, EX_CONFIG): systemd must not start it again in a loop."""
BUG = 70
"""An exception that nobody expected (sysexits.h, EX_SOFTWARE)."""
INTERRUPTED = 130
BROKEN_PIPE = 141

TRACEBACK = "CONNECT_ROUTER_TRACEBACK"
"""The environment variable that shows the traceback of a bug."""


class CommandFailed(Exception):
    """``lines`` go to standard error. With ``misconfigured`` a person must change something first: the status is 2, or
    78 for ``run``; else it is ``status``."""

    def __init__(self, *lines: str, status: int = FOUND, misconfigured: bool = False) -> None:
        super().__init__(*lines)
        self.lines = lines
        self.status = status
        self.misconfigured = misconfigured
