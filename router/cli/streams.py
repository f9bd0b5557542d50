"""Prepares the standard streams, so that no command fails because of a terminal's encoding or a closed stream."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress


def prepare_streams() -> None:
    """Replaces closed standard streams by the null device, and escapes characters that a stream cannot write.

    Without a replacement, the next file that is opened, such as the ledger, would have the number of a standard stream.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):  # each takes the lowest free number
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 (for the whole process)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def in_journal() -> bool:
    """Returns whether standard error is systemd's journal: it then has the device and inode that systemd names in
    JOURNAL_STREAM (systemd.exec(5))."""
    with suppress(OSError, ValueError):
        found = os.fstat(sys.stderr.fileno())
        return os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"
    return False
