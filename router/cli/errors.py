"""Defines the exit statuses, and the exception of a command that failed."""

from __future__ import annotations

DONE = 0
FOUND = 1
"""Done, but with findings or failed contacts; or the instance or the ledger could not be read."""
WRONG = 2
"""Wrong usage, or a configuration that does not load."""
UNDECIDED = 3
"""A simulation that cannot show yet whether a change of the rules does harm."""
MISCONFIGURED = 78
"""Replaces 2 for ``run`` (sysexits.h, EX_CONFIG), because systemd must not start it again in a loop."""
BUG = 70
"""An unexpected exception (sysexits.h, EX_SOFTWARE)."""
INTERRUPTED = 130
BROKEN_PIPE = 141

TRACEBACK = "CONNECT_ROUTER_TRACEBACK"
"""The environment variable that shows the traceback of a bug."""


CONFIG = "CONNECT_ROUTER_CONFIG"
"""The environment variable that names config.toml; ``--config`` wins."""


ACCEPTANCE = "CONNECT_ROUTER_ACCEPTANCE"
"""The environment variable that lets ``acceptance`` work in an instance."""


class CommandFailed(Exception):
    """Ends a command with ``lines`` on standard error.

    If ``misconfigured``, a person must change something first, and the status is 2, or 78 for ``run``. Otherwise
    it is ``status``."""

    def __init__(self, *lines: str, status: int = FOUND, misconfigured: bool = False) -> None:
        super().__init__(*lines)
        self.lines = lines
        self.status = status
        self.misconfigured = misconfigured
