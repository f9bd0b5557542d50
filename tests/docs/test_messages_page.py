"""Checks that docs/messages.md is complete: every message of the product is there, with what to do."""

import re
from pathlib import Path

import pytest

from router.cli.commands.message import entries
from router.daemon.health_word import STATES
from router.model import HoldReason
from router.telemetry.breaches import NO_STEP_DUE, NO_STEP_LEFT
from router.telemetry.cycle_report import FIGURES
from tests.docs.anchors import anchored
from tests.docs.code_sentences import sentences
from tests.docs.test_log_events_page import sections as log_events

PAGE = Path(__file__).parents[2] / "docs" / "messages.md"
TEXT = PAGE.read_text(encoding="utf-8")
OTHERS = Path(__file__).with_name("no_messages.txt")


def messages_of(text):
    return [message for entry in entries(text) for message in entry.messages]


HEALTH = {"WELL", *(word.upper() for word, _ in STATES)}
ON_PAGE = set(messages_of(TEXT))
NO_MESSAGES = {line for line in OTHERS.read_text(encoding="utf-8").splitlines() if line and not line.startswith("# ")}


def rows_of(title):
    return messages_of(re.split(r"^#+ ", TEXT.partition(f"## {title}\n")[2], flags=re.MULTILINE)[0])


def test_every_sentence_of_the_code_is_on_the_page_or_known_to_be_no_message():
    new = {text: sorted(files) for text, files in sentences().items() if text not in ON_PAGE | NO_MESSAGES}

    assert new == {}, "a message: docs/messages.md, with what to do about it; else: tests/docs/no_messages.txt"


def test_every_message_of_the_page_can_be_said():
    code = set(sentences()) | set(log_events()) | {reason.value for reason in HoldReason}
    code |= {figure.name for figure in FIGURES} | {NO_STEP_DUE, NO_STEP_LEFT}
    code |= HEALTH

    assert sorted(ON_PAGE - code) == []


def test_what_is_known_to_be_no_message_is_in_the_code_and_not_on_the_page():
    assert sorted(NO_MESSAGES - set(sentences())) == []
    assert sorted(NO_MESSAGES & ON_PAGE) == []


LOUD = [name for name, text in log_events().items() if re.search("error|warning", text.partition(".")[0])]


@pytest.mark.parametrize("event", LOUD)
def test_every_event_that_is_an_error_or_a_warning_has_what_to_do(event):
    assert event in rows_of("Events of level error and warning")


def test_every_reason_of_a_hold_has_what_to_do_in_the_order_in_which_they_are_tried():
    assert rows_of("Reasons of a hold") == [reason.value for reason in HoldReason]


def test_every_word_of_the_health_has_what_to_do():
    assert set(rows_of("Health of the service")) == HEALTH


def test_every_message_has_an_anchor_of_its_own():
    anchors = [entry.anchor for entry in entries(TEXT)]

    assert anchored(TEXT) == TEXT, "a row is new or has changed: make pictures"
    assert len(set(anchors)) == len(anchors) > 200
