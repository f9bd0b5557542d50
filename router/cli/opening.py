"""Opening what a command works with: each failure of it in one line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from router import logs
from router.cli.failures import CommandFailed
from router.connect.client import NoCredentials, Unreachable
from router.ledger.errors import LedgerBroken, LedgerInUse, LedgerUnavailable
from router.problems import printable


@contextmanager
def in_one_line() -> Iterator[None]:
    """What cannot be mended by trying again is a misconfiguration: a ledger that another process has or that is
    damaged, an SDK without a region. A disk that is full or not mounted yet is not, nor are credentials that a role has
    not handed out yet."""
    try:
        yield
    except (LedgerInUse, LedgerBroken) as problem:
        raise CommandFailed(_line(problem), misconfigured=True) from problem
    except (LedgerUnavailable, NoCredentials) as problem:
        raise CommandFailed(_line(problem)) from problem
    except Unreachable as problem:
        raise CommandFailed(_line(problem), misconfigured=True) from problem


def without_log() -> None:
    """For a command that prints data: it tells its own failures, and a line of the log among the data would be taken
    for some. Until ``logs.configure`` is called again."""
    logs.configure(level="critical", stream=sys.stderr)


def _line(problem: Exception) -> str:
    return printable(f"connect-router: {problem}")
