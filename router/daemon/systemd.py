"""Reports the state of the service to systemd by sd_notify(3): datagrams of ``KEY=value`` lines.

The protocol is implemented here, because it is stable and short, and the packages for it each lack something needed
here: a status that is not Latin-1, ``RELOADING`` or ``MONOTONIC_USEC``.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Mapping

from router.connect.errors import printable

SEND_TIMEOUT_S = 1.0
"""A manager that does not read must not hold up the service."""


class Notifier:
    """Sends notifications. Without an address (not started by systemd) every call does nothing.

    A notification that cannot be delivered is lost: what systemd does then is its unit's matter (``TimeoutStartSec``),
    and no contact waits for it.
    """

    def __init__(self, address: str | None) -> None:
        self._address = f"\0{address[1:]}" if address and address.startswith("@") else address

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Notifier:
        """Returns a notifier of the manager in ``NOTIFY_SOCKET``, which may be missing or empty."""
        return cls(environ.get("NOTIFY_SOCKET"))

    def ready(self, status: str) -> None:
        """Reports that the start or a reload has ended, even if the reload was refused."""
        self._send("READY=1", _status(status))

    def status(self, text: str) -> None:
        """Sets what ``systemctl status`` shows; one line, whatever the text holds."""
        self._send(_status(text))

    def reloading(self) -> None:
        """Reports that a reload begins; ``ready`` ends it."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> None:
        self._send("STOPPING=1")

    def watchdog(self) -> None:
        self._send("WATCHDOG=1")

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.settimeout(SEND_TIMEOUT_S)
            manager.connect(self._address)
            manager.send("\n".join(lines).encode())


def _status(text: str) -> str:
    """Returns the field with its text escaped, because a line break would begin another field and a lone surrogate
    cannot be encoded."""
    return f"STATUS={printable(text)}"
