"""Checks which row of docs/messages.md the command ``message`` finds for a text."""

import json

import pytest

from router.cli.main import main


def told(capsys, *words):
    status = main(["message", *words])
    return status, capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "anchor"),
    [
        ("rules/30-billing.toml:12:1: unknown key 'chanel' (did you mean 'channel'?)", "unknown-key"),
        ("connect-router: IAM denies connect:ListUsers, which these rules need (claims)", "connect-router-iam-denies"),
        ("contact.stray", "contact.stray"),
        ("cooldown", "cooldown"),
        ("no_step_left", "no_step_left"),
        ("is too short: a poll needs up to", "poll.every-is-too-short-a-poll"),
        ("DEGRADED", "degraded"),
        ("in use by process 4711", "in-use-by-one-sqlite-ledger"),
        ("--prove needs the package z3-solver", "connect-router-needs-the-package-z3"),
        ("moved to General and not seen for 2m", "contact.stray"),
    ],
)
def test_the_first_row_is_the_one_of_the_message(capsys, text, anchor):
    status, out = told(capsys, text)

    assert status == 0
    assert next(line for line in out.splitlines() if "#" in line).startswith(f"docs/messages.md#{anchor}")


def test_an_event_that_needs_nothing_is_found_on_the_page_of_events(capsys):
    status, out = told(capsys, "contact.landed")

    assert (status, out.splitlines()[-1]) == (0, "docs/log-events.md#contactlanded")
    assert "moved contact" in out


@pytest.mark.parametrize(
    ("text", "anchor"),
    [
        ("TASK 1234abcd: given its place back: priority 1, by late", "contactplace_kept"),
        ("skipped step 2", "contactskipped"),
    ],
)
def test_the_sentence_of_an_event_is_found_like_its_name(capsys, text, anchor):
    status, out = told(capsys, text)

    assert (status, out.splitlines()[-1]) == (0, f"docs/log-events.md#{anchor}")


def test_the_words_need_no_quotes(capsys):
    assert told(capsys, "there", "is", "no", "such", "file") == told(capsys, "there is no such file")


def test_of_a_log_line_the_event_and_the_reason_are_explained(capsys):
    line = json.dumps({"event": "contact.held", "contact_id": "4d81", "reason": "cooldown"})

    assert [row for row in told(capsys, line)[1].splitlines() if "#" in row] == [
        "docs/messages.md#contact.held",
        "docs/messages.md#cooldown",
    ]


def test_an_event_is_no_part_of_a_longer_word(capsys):
    assert "#cooldown" not in told(capsys, "guard.cooldown")[1]


def test_a_text_of_another_program_is_not_found(capsys):
    status, out = told(capsys, "Segmentation fault")

    assert status == 1
    assert out.startswith("no message of docs/messages.md is in this text")
