"""Acts on signals in a thread of its own.

Python runs a signal's handler in the main thread, between any two of its steps, whatever lock the main thread holds at
that moment. A handler that takes the same lock (an ``Event`` has one, a quota has one) would wait for ever. Therefore
handlers only put the signal on a queue whose ``put`` may interrupt another (``queue.SimpleQueue``), and a thread acts
on it.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from queue import SimpleQueue

_early: SimpleQueue[int] = SimpleQueue()
"""Signals that arrived before anything could act on them."""


@contextmanager
def starting(*, status: int, reloads: bool) -> Iterator[None]:
    """Replaces the default effect of SIGTERM and SIGHUP, which end the process at once, while the block runs.

    SIGTERM ends the process in order with ``status``, because nothing has been sent yet. If the process ``reloads``
    its files at SIGHUP, the signal is remembered until ``acting_on`` acts on it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, _frame: object) -> None:
        _early.put(number)  # an exception is lost if the signal interrupts a finalizer
        raise SystemExit(status)

    before = {signal.SIGTERM: signal.signal(signal.SIGTERM, end)}
    if reloads:
        before[signal.SIGHUP] = signal.signal(signal.SIGHUP, lambda number, _frame: _early.put(number))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        while not _early.empty():
            _early.get()


@contextmanager
def acting_on(actions: Mapping[signal.Signals, Callable[[], object]]) -> Iterator[None]:
    """Maps signals to actions while the block runs; afterwards they have their earlier effect.

    Only the main thread may set handlers. In another thread (a test, the demo) nothing changes, and the caller stops
    the work itself.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    noted: SimpleQueue[int | None] = SimpleQueue()
    acting = threading.Thread(target=_act, args=(noted, actions), name="signals", daemon=True)
    acting.start()
    before = {number: signal.signal(number, lambda number, _frame: noted.put(number)) for number in actions}
    while not _early.empty():
        number = _early.get()
        if number in actions:
            noted.put(number)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        noted.put(None)
        acting.join()  # signals that arrived in time are acted on before the caller continues


def _act(noted: SimpleQueue[int | None], actions: Mapping[signal.Signals, Callable[[], object]]) -> None:
    while (number := noted.get()) is not None:
        actions[signal.Signals(number)]()
