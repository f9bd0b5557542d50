"""One process writes a SQLite ledger: the lock is held by an open file, so that no crash leaves it behind."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from router.ledger.errors import LedgerInUse, LedgerUnavailable


class WriterLock:
    """An exclusive ``flock`` on ``PATH.lock``, until ``release`` or the end of the process.

    The file stays when the lock is released: removing it would let two processes hold locks on two files of one name.
    Raises LedgerInUse where another holds it, LedgerUnavailable where the file cannot be opened.
    """

    def __init__(self, ledger: Path) -> None:
        path = ledger.with_name(ledger.name + ".lock")
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise LedgerUnavailable(f"{path}: {error.strerror}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)
        except BlockingIOError as error:
            holder = os.pread(self._file, 32, 0).decode("ascii", "replace").strip()
            os.close(self._file)
            by = f"process {holder}" if holder.isdecimal() else "another process"
            raise LedgerInUse(f"{ledger}: in use by {by}; one SQLite ledger serves one process") from error
        except OSError as error:
            os.close(self._file)
            raise LedgerUnavailable(f"{path}: {error.strerror}") from error

    def release(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
