"""Tests ``router.logs``: the form of lines, and that no line ever stops the service."""

import io
import json
import logging
import os
from datetime import UTC, datetime, timedelta

import pytest
import structlog

import router
from router import logs

CONSTANT = ("service", "version", "instance", "region", "pid")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Broken(io.StringIO):
    """Fails like a closed pipe or a full disk."""

    def write(self, text: str) -> int:
        raise BrokenPipeError

    def flush(self) -> None:
        raise OSError(28, "No space left on device")


pytestmark = pytest.mark.usefixtures("restored_logging")


@pytest.fixture
def log():
    return structlog.get_logger("router")


def lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_json_with_time_level_and_event_first(log):
    stream = io.StringIO()
    logs.configure(stream=stream)

    at = datetime(2026, 1, 1, tzinfo=UTC)
    log.warning("contact.warned", queue="Büro", waited=timedelta(minutes=1), at=at, of={"b", "a"})

    (line,) = lines(stream)
    assert list(line)[:3] == ["timestamp", "level", "event"]
    assert datetime.fromisoformat(line["timestamp"]).tzinfo == UTC
    assert line["timestamp"].endswith("Z")
    assert (line["level"], line["event"]) == ("warning", "contact.warned")
    assert (line["queue"], line["waited"], line["at"], line["of"]) == (
        "Büro", 60.0, "2026-01-01T00:00:00Z", ["a", "b"],
    )  # fmt: skip


@pytest.mark.parametrize(("level", "shown"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_the_level_is_the_least_that_is_written(log, level, shown):
    stream = io.StringIO()
    logs.configure(level=level, stream=stream)

    for write in (log.debug, log.info, log.warning, log.error):
        write("service.ready")

    assert len(lines(stream)) == shown


def test_libraries_are_heard_from_warnings_on_and_in_the_same_form():
    stream = io.StringIO()
    logs.configure(level="debug", stream=stream)

    logging.getLogger("botocore.endpoint").info("Starting new connection")
    logging.getLogger("botocore.httpsession").warning("pool of %s is\nfull", "connect")

    (line,) = lines(stream)
    assert (line["event"], line["level"]) == ("library.message", "warning")
    assert (line["logger"], line["message"]) == ("botocore.httpsession", "pool of connect is\nfull")
    assert "\\n" in stream.getvalue()
    assert len(stream.getvalue().splitlines()) == 1


def test_an_exception_is_told_by_type_and_place_and_its_message_only_to_debug(log):
    said = {}
    for level in ("info", "debug"):
        stream = io.StringIO()
        logs.configure(level=level, stream=stream)
        try:
            int("jane.doe@example.com")
        except ValueError:
            log.exception("cycle.failed", cycle=3)
        (said[level],) = lines(stream)

    assert said["info"]["exception"] == "ValueError"
    assert "test_logs.py" in said["info"]["where"][-1]
    assert "jane.doe" not in json.dumps(said["info"])
    assert "jane.doe@example.com" in said["debug"]["message"]


def test_on_a_terminal_lines_are_for_people_and_elsewhere_for_programs(log):
    terminal, file = Terminal(), io.StringIO()

    logs.configure(stream=terminal)
    log.info("service.ready", rules=5)
    logs.configure(stream=file)
    log.info("service.ready", rules=5)

    assert not terminal.getvalue().startswith("{")
    assert lines(file)[0]["rules"] == 5


@pytest.mark.parametrize(("format", "people"), [("auto", True), ("console", False), ("json", False)])
def test_the_line_of_the_caller_replaces_the_console_form_of_auto_on_a_terminal(log, format, people):
    terminal, file = Terminal(), io.StringIO()

    for stream in (terminal, file):
        logs.configure(stream=stream, format=format, line=lambda event: f"{event['event']} for people")
        log.info("service.ready", rules=5)

    assert (terminal.getvalue() == "service.ready for people\n") is people
    assert "for people" not in file.getvalue()


def test_text_from_outside_can_neither_move_the_cursor_nor_begin_a_line(log):
    for format in ("console", "json"):
        stream = io.StringIO()
        logs.configure(format=format, stream=stream)

        log.info("contact.held", queue="a\x1b[2J\nb\u202e", held={"c\r": ["\x07"]}, **{"k\n": 1})

        written = stream.getvalue()
        assert len(written.splitlines()) == 1
        assert not set(written[:-1]) & {"\x1b", "\n", "\r", "\x07", "\u202e"}


def test_a_line_that_cannot_be_written_is_lost_in_silence(log, capsys):
    logs.configure(stream=Broken())

    log.error("ledger.failed", message="disk full")
    logging.getLogger("botocore").warning("lost too")

    assert capsys.readouterr() == ("", "")


def test_a_tap_sees_every_event_as_it_is_written(log):
    seen = []

    def tap(_logger, _method, event):
        seen.append(dict(event))
        return event

    stream = io.StringIO()
    logs.configure(stream=stream, taps=[tap])
    log.info("service.ready", rules=5)
    log.debug("contact.held")

    assert seen == [{key: line[key] for key in line if key not in CONSTANT} for line in lines(stream)]


def test_every_json_line_names_the_service_its_process_and_what_it_works_for(log):
    stream = io.StringIO()
    logs.configure(stream=stream, instance="i-1", region="eu-central-1")
    log.info("service.ready")
    log.info("service.starting", instance="of the event")
    logging.getLogger("urllib3").warning("full")

    for line, instance in zip(lines(stream), ("i-1", "of the event", "i-1"), strict=True):
        assert {key: line[key] for key in CONSTANT} == {
            "service": "connect-router",
            "version": router.__version__,
            "instance": instance,
            "region": "eu-central-1",
            "pid": os.getpid(),
        }


def test_a_readable_line_has_no_constant_fields(log):
    stream = io.StringIO()
    logs.configure(stream=stream, format="console", instance="i-1")
    log.info("service.ready")

    assert "i-1" not in stream.getvalue()
    assert "connect-router" not in stream.getvalue()


def test_a_logger_made_before_follows_what_is_configured_later(log):
    first, second = io.StringIO(), io.StringIO()

    logs.configure(stream=first)
    log.info("service.ready")
    logs.configure(stream=second)
    log.info("service.stopped")

    assert [line["event"] for line in lines(first)] == ["service.ready"]
    assert [line["event"] for line in lines(second)] == ["service.stopped"]
