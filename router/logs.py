"""Writes structured logs: every line of the process, the libraries' included, through one handler and in one form."""

from __future__ import annotations

import json
import logging
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from router import __version__
from router.durations import iso
from router.log_lines import bounded
from router.log_queue import LogQueue
from router.problems import printable
from router.sdk_errors import describe_error, may_quote_credentials

OURS = "router"
"""Every logger of this package is this one or below it; all the others are libraries'."""

THIS_SERVICE = {"service": "connect-router", "version": __version__}
FIRST = ("timestamp", "level", "event", "message")


def configure(
    *,
    level: str = "info",
    format: str = "auto",
    stream: TextIO | None = None,
    taps: Sequence[Processor] = (),
    instance: str | None = None,
    region: str | None = None,
    queued: bool = False,
    line: Callable[[Any], str] | None = None,
) -> None:
    """Sends this package's events of ``level`` and above, and the libraries' warnings, to ``stream`` (standard output).

    ``format`` is ``json``, ``console`` or ``auto``: console on a terminal. Each of ``taps`` sees every event dict
    before it is written, and returns it. Every JSON line names the service, its version and process, and the
    ``instance`` and ``region`` that it works for. A line that cannot be written (closed pipe, full disk) is lost in
    silence: logs never stop the service. ``queued`` lines are written in a thread of their own, so that a reader that
    stops reading stops nothing else, until ``end``. ``line`` writes an event for people: it replaces the console form
    of ``auto``. May be called again; the last call counts.
    """
    stream = stream or sys.stdout
    handler = LogQueue(stream, _report_lost) if queued else _Handler(stream)
    constants = {**THIS_SERVICE, "instance": instance, "region": region, "pid": os.getpid()}
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*_STAMPS, _of_a_library],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _Failures(messages=level == "debug"),
                *taps,
                *_rendering(format, stream, constants, line),
            ],
        )
    )
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    set_level(level)
    # It warns of each poll that a long cycle makes it skip; `cycle.late` reports that with its figures.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    # While calls hang, others take their place. It warns of each connection that it then closes instead of keeping.
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
    structlog.configure(
        processors=[
            _heard,
            structlog.stdlib.filter_by_level,
            *_STAMPS,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        # Loggers made when modules are imported must follow a configuration made later, a test's too.
        cache_logger_on_first_use=False,
    )


_listeners: list[Callable[[str, EventDict], object]] = []


def listen(listener: Callable[[str, EventDict], object]) -> None:
    """Calls the listener with level and fields of each event of this package, whatever the least level is, until
    ``unlisten``. It must neither wait nor raise."""
    _listeners.append(listener)


def unlisten(listener: Callable[[str, EventDict], object]) -> None:
    if listener in _listeners:
        _listeners.remove(listener)


def _heard(_logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    for listener in tuple(_listeners):
        listener("error" if method == "exception" else method, event)
    return event


def end(*, within: float) -> None:
    """Waits until queued lines are written; what is left after ``within`` seconds is lost."""
    for queue in _queues():
        queue.end(within=within)


def count_lost() -> int:
    """Returns how many queued lines were lost because nothing read them, or because they could not be written."""
    return sum(queue.lost for queue in _queues())


def _queues() -> list[LogQueue]:
    return [handler for handler in logging.getLogger().handlers if isinstance(handler, LogQueue)]


def _report_lost(lines: int) -> None:
    structlog.get_logger(OURS).warning("log.lost", lines=lines)


def writes_json(format: str, stream: TextIO | None = None) -> bool:
    """Returns whether ``configure`` with these arguments writes JSON."""
    return format == "json" or (format == "auto" and not (stream or sys.stdout).isatty())


def set_level(level: str) -> None:
    """Sets another least level, from the next line on."""
    logging.getLogger().setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level.upper()]))
    logging.getLogger(OURS).setLevel(level.upper())


_STAMPS: tuple[Processor, ...] = (
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def _of_a_library(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Gives a library's line an event name of its own, because the names of events are this package's alone."""
    record: logging.LogRecord = event["_record"]
    return {**event, "event": "library.message", "logger": record.name, "message": event["event"]}


class _Handler(logging.StreamHandler[TextIO]):
    def handleError(self, record: logging.LogRecord) -> None:
        """Drops a line that is lost, for each of which the standard library would print a traceback on stderr."""


class _Failures:
    """Writes an exception as its type and where it was raised.

    Its message may quote a customer's value, and is written only with ``messages`` (level debug).
    """

    def __init__(self, *, messages: bool) -> None:
        self._messages = messages

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        info = event.pop("exc_info", None)
        event.pop("stack_info", None)
        error = info if isinstance(info, BaseException) else info[1] if isinstance(info, tuple) else sys.exc_info()[1]
        if not info or error is None:
            return event
        event["exception"] = type(error).__name__
        event["where"] = [
            f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)
        ]
        if self._messages:
            event["message"] = describe_error(error) if may_quote_credentials(error) else str(error)
        return event


def _rendering(
    format: str, stream: TextIO, constants: Mapping[str, Any], line: Callable[[Any], str] | None
) -> tuple[Processor, ...]:
    if not writes_json(format, stream):
        if line is not None and format == "auto":
            return (bounded(line),)
        console = structlog.dev.ConsoleRenderer(colors=stream.isatty(), pad_event_to=24)
        return (bounded(lambda event: console(None, "", _on_one_line(event))),)
    renderer = structlog.processors.JSONRenderer(serializer=json.dumps, default=_plain)
    return (bounded(lambda event: str(renderer(None, "", _in_order(event, constants)))),)


def _in_order(event: EventDict, constants: Mapping[str, Any]) -> EventDict:
    """Returns the fields as they are written: the first ones, the event's own, the constant ones that it lacks."""
    return {key: event[key] for key in (*FIRST, *event) if key in event} | {**constants, **event}


def _on_one_line(event: EventDict) -> EventDict:
    """Escapes text from outside, which must neither move the cursor nor begin a line; JSON does that by itself."""
    return {printable(str(key)): _escaped(value) for key, value in event.items()}


def _escaped(value: Any) -> Any:
    match value:
        case str():
            return printable(value)
        case bool() | int() | float() | None:
            return value
        case Mapping():
            return {_escaped(key): _escaped(one) for key, one in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_escaped(one) for one in value]
        case _:
            return printable(str(_plain(value)))


def _plain(value: Any) -> Any:
    """Converts what JSON has no form for."""
    match value:
        case timedelta():
            return round(value.total_seconds(), 3)
        case datetime():
            return iso(value)
        case date():
            return value.isoformat()
        case set() | frozenset():
            return sorted(value, key=str)
        case _:
            return str(value)
