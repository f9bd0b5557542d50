"""Opens ledger and connection for a command. Each failure becomes one line with the remedy."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from router import logs
from router.cli.errors import CommandFailed
from router.connect.answers import NOT_FROM_AWS, NOT_SENT, Denied, Failure, Rejected, Skewed, Throttled, Unauthenticated
from router.connect.client import NoCredentials, Unreachable
from router.connect.connection import Connection
from router.ledger.errors import LedgerBroken, LedgerInUse, LedgerUnavailable
from router.model import Directory
from router.problems import printable
from router.resources import open_connection
from router.runtime import open_clock
from router.settings import Settings


@contextmanager
def in_one_line() -> Iterator[None]:
    """Turns a failure to open ledger or connection into ``CommandFailed``, which is one line.

    A failure that a retry cannot cure is a misconfiguration: a damaged ledger, one that another process has, or an SDK
    without a region. A full disk is none, nor are credentials that a role has not provided yet."""
    try:
        yield
    except (LedgerInUse, LedgerBroken) as problem:
        raise CommandFailed(_line(problem), misconfigured=True) from problem
    except (LedgerUnavailable, NoCredentials) as problem:
        raise CommandFailed(_line(problem)) from problem
    except Unreachable as problem:
        raise CommandFailed(_line(problem), misconfigured=True) from problem


def without_log() -> None:
    """Disables the log for a command that prints data, because a log line would be mistaken for data.

    It is disabled until ``logs.configure`` is called again. Such a command reports its own failures."""
    logs.configure(level="critical", stream=sys.stderr)


@contextmanager
def connected(settings: Settings) -> Iterator[Connection]:
    """Connects to the instance, without a log, until the block ends. Raises ``CommandFailed``."""
    without_log()
    with in_one_line():
        connection = open_connection(settings, open_clock())
    try:
        yield connection
    finally:
        connection.close()


def read_directory(connection: Connection, settings: Settings, *, with_agents: bool) -> Directory:
    """Reads the names of queues and flows, and of agents on request. Raises ``CommandFailed``."""
    found = connection.instance.directory(with_agents=with_agents, with_hours=False)
    if not isinstance(found, Directory):
        raise unreachable(found, settings, connection.endpoint)
    return found


def _line(problem: Exception) -> str:
    return printable(f"connect-router: {problem}")


def unreachable(failure: Failure, settings: Settings, endpoint: str) -> CommandFailed:
    """Returns the error for an instance that cannot be read: one line with the remedy."""
    text = f"connect-router: {_what(failure, settings, endpoint)}"
    return CommandFailed(printable(text), misconfigured=_no_such_instance(failure))


def _what(failure: Failure, settings: Settings, endpoint: str) -> str:
    instance = settings.connect.instance_id
    match failure:
        case Unauthenticated(code=code, message=message):
            return f"AWS refuses the credentials ({code}: {message}); renew them, or name others with AWS_PROFILE"
        case Skewed(code=code, message=message):
            return f"AWS refuses the time of this machine ({code}: {message}); set its clock, best by NTP"
        case Denied(code=code, message=message) if code == NOT_FROM_AWS:
            return f"{endpoint} cannot be called ({code}: {message})"
        case Denied(message=message):
            return (
                f"AWS does not let these credentials read instance {instance} (AccessDeniedException: {message});"
                " the reading actions of the IAM policy are missing, or the instance is another account's"
            )
        case Rejected(code=code, message=message) if _no_such_instance(failure):
            return (
                f"{endpoint} knows no instance {instance} ({code}: {message});"
                " check instance and region under [connect]"
            )
        case Rejected(code=code, message=message):
            return f"{endpoint} refuses to describe instance {instance} ({code}: {message})"
        case Throttled(code=code):
            why = "this process's share of the quota gave no call in time" if code == NOT_SENT else "throttled"
            return f"instance {instance} could not be read: {why}; others use the account's quota too, try again"
        case _:
            what = failure.code if endpoint in failure.message else f"{failure.code}: {failure.message}"
            return (
                f"cannot reach {endpoint} ({what});"
                " check region under [connect], AWS_ENDPOINT_URL_CONNECT, network and proxy"
            )


def _no_such_instance(failure: Failure) -> bool:
    return isinstance(failure, Rejected) and failure.code in ("ResourceNotFoundException", "InvalidRequestException")
