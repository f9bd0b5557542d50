"""Checks that a reader of the log that stops reading holds up nothing, and what is lost meanwhile."""

import io
import json
import logging
import os
import threading

import pytest
import structlog

from router import logs
from router.log_queue import LogQueue
from tests.e2e.test_daemon import until

pytestmark = [pytest.mark.usefixtures("restored_logging"), pytest.mark.uses("threads")]


class Stopped(io.StringIO):
    """Reads nothing until ``read_on`` is set."""

    def __init__(self):
        super().__init__()
        self.read_on = threading.Event()

    def write(self, text):
        self.read_on.wait(20)
        return super().write(text)


class Full(io.StringIO):
    """Fails to write while it is ``full``."""

    full = True

    def write(self, text):
        if self.full:
            raise OSError(28, "No space left on device")
        return super().write(text)


def lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def queue_of():
    [queue] = [one for one in logging.getLogger().handlers if isinstance(one, LogQueue)]
    return queue


@pytest.fixture
def log():
    yield structlog.get_logger("router")
    logs.end(within=0)


def test_every_line_is_written_in_order(log):
    stream = io.StringIO()
    logs.configure(stream=stream, format="json", queued=True)
    for number in range(50):
        (log.error if number % 7 == 0 else log.info)("contact.held", number=number)
    logs.end(within=10)
    assert [line["number"] for line in lines(stream)] == list(range(50))
    assert logs.count_lost() == 0


def test_logging_never_waits_and_the_newest_lines_and_every_error_are_retained(log, monkeypatch):
    monkeypatch.setattr("router.log_queue.CAPACITY", 20_000)
    stream = Stopped()
    logs.configure(stream=stream, format="json", queued=True)
    for number in range(1000):
        (log.error if number % 100 == 0 else log.info)("contact.held", number=number)
    lost = logs.count_lost()
    assert lost > 500
    stream.read_on.set()
    logs.end(within=10)
    written = lines(stream)
    numbers = [line["number"] for line in written if "number" in line]
    assert numbers == sorted(numbers)
    assert numbers[-1] == 999
    assert {number for number in range(1000) if number % 100 == 0} <= set(numbers)
    assert [(line["event"], line["lines"]) for line in written if "lines" in line] == [("log.lost", lost)]
    assert len(numbers) == 1000 - lost


def test_errors_are_lost_only_when_nothing_else_is_left(log, monkeypatch):
    monkeypatch.setattr("router.log_queue.CAPACITY", 5_000)
    stream = Stopped()
    logs.configure(stream=stream, format="json", queued=True)
    for number in range(500):
        log.error("contact.stray", number=number)
    stream.read_on.set()
    logs.end(within=10)
    assert [line["number"] for line in lines(stream) if "number" in line][-1] == 499


def test_lines_that_cannot_be_written_are_counted_and_reported_when_they_can(log):
    stream = Full()
    logs.configure(stream=stream, format="json", queued=True)
    for number in range(5):
        log.info("contact.held", number=number)
    until(lambda: logs.count_lost() == 5)
    stream.full = False
    log.info("contact.held", number=5)
    logs.end(within=10)
    assert [(line["event"], line.get("lines")) for line in lines(stream)] == [("contact.held", None), ("log.lost", 5)]


def test_the_end_waits_no_longer_than_it_may(log):
    stream = Stopped()
    logs.configure(stream=stream, format="json", queued=True)
    log.info("service.stopped")
    queue = queue_of()
    assert not queue.end(within=0.05)
    stream.read_on.set()


@pytest.mark.parametrize("blocking", [True, False])
def test_a_pipe_gets_every_byte_whether_it_blocks_or_not(log, blocking):
    reading, writing = os.pipe()
    os.set_blocking(writing, blocking)
    stream = os.fdopen(writing, "w")
    logs.configure(stream=stream, format="json", queued=True)
    for number in range(2000):
        log.info("contact.held", number=number, of="x" * 100)
    got = bytearray()
    while got.count(b"\n") < 2000:
        got += os.read(reading, 65536)
    assert [json.loads(line)["number"] for line in got.splitlines()] == list(range(2000))
    stream.close()
    os.close(reading)
