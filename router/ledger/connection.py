"""SQLite connections as the ledger needs them, and the meaning of SQLite's errors."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from router.ledger.errors import LedgerBroken, LedgerInUse, LedgerUnavailable
from router.ledger.schema import OLDEST_SQLITE

# One process writes a SQLite ledger: the lock is held by an open file, so that no crash leaves it behind.


class WriterLock:
    """Holds an exclusive ``flock`` on ``PATH.lock``, until ``release`` or the end of the process.

    The file remains when the lock is released: removing it would let two processes hold locks on two files of one name.
    Raises LedgerInUse if another process holds it, LedgerUnavailable if the file cannot be opened.
    """

    def __init__(self, ledger: Path) -> None:
        path = ledger.with_name(ledger.name + ".lock")
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except PermissionError as error:
            raise LedgerUnavailable(f"{path}: {error.strerror}{_owner(path)}") from error
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


def _owner(path: Path) -> str:
    """Returns whose file it is, if that is another user: a trial of that user may have left it."""
    with suppress(OSError):
        owner, me = path.stat().st_uid, os.geteuid()
        if owner != me:
            return f"; it belongs to user {owner}, and this process is user {me}: move it away, or change its owner"
    return ""


BUSY_SECONDS = 5.0
"""How long a write waits for a reader to finish, or a reader for a write."""

LOCKED_SECONDS = 0.2
"""How long it waits while the last write found the database locked. Each due contact makes a write, and what holds the
contacts must be known soon."""

BROKEN = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})
PRIMARY = 0xFF
"""The low byte of an extended result code is the primary one (sqlite.org/rescode.html)."""

SMALLEST_PAGE = 512
"""Bytes (sqlite.org/fileformat2.html)."""

REMEDY = "restore a backup, or move the file away to begin a new ledger (the router then forgets what it did)"


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Raises SQLite's errors as the ledger's, naming the file. Violated constraints pass: they mean something else."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except sqlite3.DatabaseError as error:
        raise _meaning(error, name) from error
    except OSError as error:
        raise LedgerUnavailable(f"{name}: {error.strerror or error}") from error


def _meaning(error: sqlite3.DatabaseError, name: str) -> LedgerUnavailable:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return LedgerUnavailable(f"{name}: {error}")
    if code == sqlite3.SQLITE_READONLY_ROLLBACK:
        return LedgerUnavailable(f"{name}: its writer was interrupted; starting the service puts the file in order")
    if code & PRIMARY in BROKEN:
        return LedgerBroken(f"{name}: damaged, or not a ledger ({error}); {REMEDY}")
    return LedgerUnavailable(f"{name}: {error}")


def require_sqlite() -> None:
    """Raises LedgerBroken if Python's SQLite is too old for the schema."""
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        oldest = ".".join(map(str, OLDEST_SQLITE))
        raise LedgerBroken(f"this Python has SQLite {sqlite3.sqlite_version}; the ledger needs {oldest} or newer")


def require_place(path: Path) -> None:
    """Raises LedgerBroken if something else has the file's name, LedgerUnavailable if there is no folder for it: on
    a disk that is not mounted yet, a new ledger would have forgotten everything."""
    if path.exists():
        _require_database(path)
    if not path.parent.is_dir():
        raise LedgerUnavailable(f"{path.parent}: no such folder to keep the ledger in")


def _require_database(path: Path) -> None:
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise LedgerBroken(f"{path}: not a file; name another in ledger.url")
    # SQLite takes a file that is shorter than its smallest page for an empty database, and writes over it.
    if 0 < found.st_size < SMALLEST_PAGE and not path.with_name(path.name + "-journal").exists():
        raise LedgerBroken(f"{path}: damaged, or not a ledger ({found.st_size} bytes); {REMEDY}")


def prepare_file(path: Path) -> None:
    """Makes the file if there is none, for its owner alone: SQLite itself would make it with the umask."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def open_writer(path: Path) -> sqlite3.Connection:
    """Opens the connection that writes.

    EXTRA, not FULL: only EXTRA syncs the folder after the journal is deleted. Without that a power cut can undo a
    commit (sqlite.org/pragma.html#pragma_synchronous). Never WAL: versions 3.7.0 to 3.51.2 can corrupt it with two or
    more connections (sqlite.org/wal.html).
    """
    connection = _connect(f"file:{quote(str(path))}?mode=rw")
    with closing_on_error(connection):
        mode = connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0]
        if mode != "delete":
            raise LedgerUnavailable(f"{path}: SQLite kept the journal mode {mode}")
        connection.execute("PRAGMA synchronous = EXTRA")
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise LedgerBroken(f"{path}: damaged ({' '.join(str(found).split())}); {REMEDY}")
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """Opens a connection that can change nothing and takes part in locking, so that it never sees half a write."""
    require_place(path)
    return _connect(f"file:{quote(str(path))}?mode=ro")


def open_memory() -> sqlite3.Connection:
    return _connect(":memory:")


def open_private() -> sqlite3.Connection:
    """Opens a database of this process alone, which ends with the process.

    SQLite holds it in memory while it is small and in a temporary file otherwise (sqlite.org/inmemorydb.html, temporary
    databases).
    """
    return _connect("")


def _connect(target: str) -> sqlite3.Connection:
    # isolation_level=None: transactions are begun and ended here and nowhere behind our back.
    connection = sqlite3.connect(
        target, uri=target.startswith("file:"), timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    connection.row_factory = sqlite3.Row
    return connection


@contextmanager
def closing_on_error(connection: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.close()
        raise


def prove_writable(connection: sqlite3.Connection) -> None:
    """Writes one page, because SQLite opens a file that it may not write without a word and reads from it."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    with transaction(connection):
        connection.execute(f"PRAGMA user_version = {version:d}")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commits what the block wrote, or nothing of it. A commit that failed is rolled back: a reader may hold it up
    (SQLITE_BUSY), and the transaction would stay open otherwise."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def patient(connection: sqlite3.Connection) -> Iterator[None]:
    """Waits less for the locks of others after a write of the block was refused for one, until a write succeeds."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
            connection.execute(f"PRAGMA busy_timeout = {LOCKED_SECONDS * 1000:.0f}")
        raise
    connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000:.0f}")


def exposure(path: Path) -> tuple[str, ...]:
    """Returns what lets others than the owner and group read or write the ledger, one line each; the router only
    warns."""
    found = []
    if path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
        found.append(f"{path}: open to every user of this machine; chmod o-rwx")
    if path.parent.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
        found.append(f"{path.parent}: this folder of the ledger is open to every user of this machine; chmod o-rwx")
    return tuple(found)
