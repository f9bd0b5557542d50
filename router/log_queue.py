"""Writes log lines in a thread of its own, so that a reader that stops reading stops nothing else.

The standard library's ``QueueHandler`` drops the newest line when its queue is full, whatever the level.
"""

from __future__ import annotations

import io
import logging
import os
import select
import stat
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO

CAPACITY = 4 * 1024 * 1024
"""Bytes of lines that wait for the reader: some 8,000 lines."""
REPORT_EVERY = 5.0
"""Seconds between two reports of lost lines, while the reader is slower than the log."""


class LogQueue(logging.Handler):
    """Holds lines until its thread has written them to ``stream``.

    When the queue is full the oldest lines below level ``error`` are lost, and the oldest of all only if no other is
    left. ``report`` is called in the writing thread with the number of lost lines, when a line could be written again.
    What it logs is written at once.
    """

    def __init__(self, stream: TextIO, report: Callable[[int], object]) -> None:
        super().__init__()
        self._encoding = getattr(stream, "encoding", None) or "utf-8"
        self._write = _writer_to(stream, self._encoding)
        self._report = report
        self._lines: deque[tuple[int, bytes]] = deque()
        self._errors: deque[tuple[int, bytes]] = deque()
        self._size = self._number = self._lost = self._reported = 0
        self._reported_at = -REPORT_EVERY
        self._idle, self._over = True, False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    @property
    def lost(self) -> int:
        """Returns how many lines were lost so far."""
        return self._lost

    def emit(self, record: logging.LogRecord) -> None:
        """Puts a line into the queue, and never waits for the reader."""
        try:
            line = (self.format(record) + "\n").encode(self._encoding, "backslashreplace")
        except Exception:
            self._lose()
            return
        if threading.current_thread() is self._thread:
            self._try(line)
            return
        with self._changed:
            self._number += 1
            (self._errors if record.levelno >= logging.ERROR else self._lines).append((self._number, line))
            self._size += len(line)
            while self._size > CAPACITY:
                self._size -= len((self._lines or self._errors).popleft()[1])
                self._lost += 1
            self._changed.notify_all()

    def end(self, *, within: float) -> bool:
        """Waits until every line is written and ends the thread; returns whether all were within ``within`` seconds."""
        with self._changed:
            written = self._changed.wait_for(lambda: self._idle and not self._size, within)
            self._over = True
            self._changed.notify_all()
        return written

    def _run(self) -> None:
        while not self._over:
            with self._changed:
                self._idle = True
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._size or self._over)
                if not self._size:
                    return
                line, self._idle = self._take(), False
            if self._try(line):
                self._report_lost()

    def _take(self) -> bytes:
        queues = [queue for queue in (self._lines, self._errors) if queue]
        _, line = min(queues, key=lambda queue: queue[0][0]).popleft()
        self._size -= len(line)
        return line

    def _try(self, line: bytes) -> bool:
        try:
            self._write(line)
        except (OSError, ValueError):
            self._lose()
            return False
        return True

    def _lose(self) -> None:
        with self._changed:
            self._lost += 1

    def _report_lost(self) -> None:
        lost, now = self._lost, time.monotonic()
        if lost == self._reported or now - self._reported_at < REPORT_EVERY:
            return
        self._reported_at = now
        lost, self._reported = lost - self._reported, lost
        self._report(lost)


def _writer_to(stream: TextIO, encoding: str) -> Callable[[bytes], None]:
    """Returns what writes to a stream. A descriptor is written to directly: a buffer of Python's that cannot be emptied
    would hold up the end of the process."""
    try:
        descriptor = stream.fileno()
    except (io.UnsupportedOperation, OSError, ValueError, AttributeError):
        return lambda line: _write_text(stream, line.decode(encoding))
    with suppress(OSError, ValueError):
        stream.flush()
    return _DescriptorWriter(descriptor).write


def _write_text(stream: TextIO, line: str) -> None:
    stream.write(line)
    stream.flush()


class _DescriptorWriter:
    """Writes lines to a descriptor. After a line that a full disk cut off, the next one begins a line of its own."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._cut = _ends_in_half_a_line(descriptor)

    def write(self, line: bytes) -> None:
        data = memoryview(b"\n" + line if self._cut else line)
        written = 0
        while written < len(data):
            try:
                written += os.write(self._descriptor, data[written:])
            except BlockingIOError:  # another program made the descriptor non-blocking
                select.select((), (self._descriptor,), ())
            else:
                self._cut = data[written - 1] != ord("\n")


def _ends_in_half_a_line(descriptor: int) -> bool:
    """Returns whether an earlier process left half a line at the end of the file; ``False`` if it cannot be read."""
    with suppress(OSError):
        size = os.fstat(descriptor).st_size
        if size and stat.S_ISREG(os.fstat(descriptor).st_mode):
            with open(f"/proc/self/fd/{descriptor}", "rb") as file:
                return os.pread(file.fileno(), 1, size - 1) != b"\n"
    return False
