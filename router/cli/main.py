"""Runs one command, with one exit status, and with a traceback only on request.

What takes time to import is imported in the functions, because a signal ends the process until ``main`` runs.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from router.cli.errors import BROKEN_PIPE, BUG, DONE, FOUND, INTERRUPTED, TRACEBACK, CommandFailed
from router.cli.streams import in_journal, prepare_streams
from router.cli.words import command_first

if TYPE_CHECKING:
    import argparse

    from router.cli.parser import Command

OUTPUTS = ("html", "junit", "output")
"""The options that name a file that a command writes."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command and returns its exit status. Wrong usage and ``--help`` raise ``SystemExit``, as in argparse."""
    prepare_streams()
    given = command_first(sys.argv[1:] if argv is None else argv)
    command = given[0] if given else ""
    if command not in ("run", "sandbox"):
        return _main(argv)
    from router.daemon.signals import starting

    once = "--once" in given
    with starting(status=FOUND if once else DONE, reloads=command == "run" and not once):
        return _main(argv)


def collect_garbage_seldom() -> None:
    """Lets Python search for reference cycles seldom, because almost every object that a command makes is kept.

    Measured with 10,000 contacts and 200 rules: deciding takes 1.6 s, with Python's own thresholds 2.5 s. The imports
    of ``run`` take a tenth less.
    """
    gc.set_threshold(50_000, 50, 50)


def _main(argv: Sequence[str] | None) -> int:
    collect_garbage_seldom()
    from router.cli.parser import COMMANDS, parsed

    try:
        arguments = parsed(argv)
    except SystemExit as ended:
        raise SystemExit(_flushed(ended.code if isinstance(ended.code, int) else DONE)) from None
    except BrokenPipeError:
        return _flushed(BROKEN_PIPE)
    except KeyboardInterrupt:
        return INTERRUPTED
    status = _run(COMMANDS[arguments.command], arguments)
    return _flushed(status)


def _run(command: Command, arguments: argparse.Namespace) -> int:
    from router.problems import Problems

    report = partial(_log, arguments.command) if arguments.command in ("run", "reload") and in_journal() else _report
    try:
        _require_outputs(arguments)
        return command.run(arguments)
    except Problems as refused:
        return report(*str(refused).splitlines(), status=command.misconfigured)
    except CommandFailed as failed:
        return report(*failed.lines, status=command.misconfigured if failed.misconfigured else failed.status)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return BROKEN_PIPE
    except Exception as error:
        from router.sdk_errors import may_quote_credentials

        if _wants_traceback(arguments) and not may_quote_credentials(error):
            raise
        return _unexpected(error, report)


def _require_outputs(arguments: argparse.Namespace) -> None:
    """Refuses files that cannot be written, before the command works for long."""
    outputs = {name: path for name in OUTPUTS if (path := getattr(arguments, name, None)) is not None}
    if outputs:
        from router.cli.foreign_folders import require_writable

        for name, path in outputs.items():
            require_writable(path, f"--{name}", arguments.command)


def _unexpected(error: Exception, report: Callable[..., int] | None = None) -> int:
    """Reports a broken environment (a full disk, a file without permission), or else a bug."""
    from router.problems import printable
    from router.sdk_errors import describe_error, may_quote_credentials

    report = report or _report
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename is not None else ""
        return report(printable(f"connect-router: {where}{error.strerror}"), status=FOUND)
    told = describe_error(error) if may_quote_credentials(error) else f"{type(error).__name__}: {error}"
    text = printable(f"connect-router: a bug: {told}")
    return report(f"{text} ({TRACEBACK}=1 shows where)", status=BUG)


def _log(command: str, *lines: str, status: int) -> int:
    """Logs why the service or its reload failed, because all lines of its journal are JSON."""
    from router import events, logs

    logs.configure(format="json", stream=sys.stderr, taps=[events.add_message])
    for line in lines:
        (events.log_service_failed if command == "run" else events.log_reload_command_failed)(line)
    return status


def _report(*lines: str, status: int) -> int:
    with suppress(OSError):
        print(*lines, sep="\n", file=sys.stderr, flush=True)
    return status


def _wants_traceback(arguments: argparse.Namespace) -> bool:
    return arguments.log_level == "debug" or bool(os.environ.get(TRACEBACK))


def _flushed(status: int) -> int:
    """Flushes standard output. At its exit the interpreter would complain about a closed pipe."""
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return status or BROKEN_PIPE
        return status or _unexpected(error)
    return status
