"""Holds the tests of the fast set to what makes them fast: no threads, no sockets, no processes.

The fast set is every test in ``FOLDERS`` that no ``uses`` mark names something for. A test that needs more declares it,
``@pytest.mark.uses("threads")`` or ``pytestmark = pytest.mark.uses("sockets", "threads")``, and ``make fast`` leaves it
out. A test in ``FOLDERS`` that uses what it did not declare fails wherever it runs.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

FOLDERS = ("unit", "properties", "docs")
KINDS = ("threads", "sockets", "processes")
EVENTS = {
    "socket.__new__": "sockets",
    "subprocess.Popen": "processes",
    "os.fork": "processes",
    "os.forkpty": "processes",
    "os.posix_spawn": "processes",
    "os.exec": "processes",
    "os.system": "processes",
}
"""Python's audit events (PEP 578) by what they mean here."""

_TESTS = Path(__file__).parent
_start_thread = threading.Thread.start


class Impure(BaseException):
    """A test of the fast set used something that it does not declare. No ``except Exception`` hides it."""


class _PurityGuard:
    """Knows what the running test may not use. ``None`` while no guarded test runs."""

    def __init__(self) -> None:
        self.forbidden: frozenset[str] | None = None
        self.used: set[str] = set()

    def on_event(self, event: str, _: object) -> None:
        if self.forbidden is not None and event in EVENTS:
            self.refuse(EVENTS[event])

    def refuse(self, kind: str) -> None:
        if self.forbidden is None or kind not in self.forbidden:
            return
        self.used.add(kind)
        raise Impure(_message(kind))


_guard = _PurityGuard()


def _message(kind: str) -> str:
    return f"a test of the fast set uses {kind}: mark it with pytest.mark.uses({kind!r}), or do without"


def _start_guarded(thread: threading.Thread) -> None:
    """Starts a thread if it is allowed. Python 3.11 has no audit event for that."""
    _guard.refuse("threads")
    _start_thread(thread)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"uses(*kinds): what the test needs of {', '.join(KINDS)}; `make fast` skips it")
    sys.addaudithook(_guard.on_event)
    threading.Thread.start = _start_guarded  # type: ignore[assignment, method-assign]


def declared(item: pytest.Item) -> frozenset[str]:
    """Returns the kinds that the marks of a test name. Raises ``pytest.UsageError`` for one that does not exist."""
    kinds = frozenset(kind for mark in item.iter_markers("uses") for kind in mark.args)
    if not kinds <= set(KINDS):
        raise pytest.UsageError(f"{item.nodeid}: uses() takes {', '.join(KINDS)}")
    return kinds


def _guarded(item: pytest.Item) -> bool:
    return item.path.is_relative_to(_TESTS) and item.path.relative_to(_TESTS).parts[0] in FOLDERS


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Guards the fixtures of a test too."""
    if not _guarded(item):
        return (yield)
    _guard.forbidden, _guard.used = frozenset(KINDS) - declared(item), set()
    try:
        return (yield)
    finally:
        _guard.forbidden = None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, Any, Any]:
    """Fails a test that went on as if nothing had been refused, or whose refusal ended in another thread."""
    result = yield
    for kind in sorted(_guard.used):
        pytest.fail(_message(kind), pytrace=False)
    return result
