"""Checks the arithmetic of docs/costs.md with the code that ``check`` warns with."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from router.durations import format_duration
from router.prove.poll_interval import MAX_QUEUES, poll_too_often
from router.rules.load import parse_rules
from router.settings.quotas import DOCUMENTED_QUOTAS
from router.settings.sections import GuardSettings, PollSettings

PAGE = (Path(__file__).parents[2] / "docs" / "costs.md").read_text(encoding="utf-8")
SHARE = 0.8
SWEEP = PollSettings().sweep
ROWS = re.findall(r"^\| (?:1 to )?(\d+) \| (\d+) \| (\d+s) \| (\d+s) \|$", PAGE, flags=re.MULTILINE)


def rules_of(queues):
    names = ", ".join(f'"q{number}"' for number in range(queues))
    text = f'[[rule]]\nname = "r"\nmatch.queue = [{names}]\nstep = [{{ at = "1h", warn = "late" }}]\n'
    return parse_rules([("r.toml", text.encode())])


def least(queues, rate):
    warning = poll_too_often(rules_of(queues), every=timedelta(microseconds=1), sweep=SWEEP, rate=rate, share=SHARE)
    assert warning is not None
    return re.findall(r'write at least "(\w+)"', warning)[0]


@pytest.mark.parametrize(("queues", "searches", "default", "raised"), ROWS)
def test_the_least_interval_is_the_one_that_check_calculates(queues, searches, default, raised):
    assert int(searches) == -(-int(queues) // MAX_QUEUES)
    assert (least(int(queues), DOCUMENTED_QUOTAS["SearchContacts"].rate), least(int(queues), 2)) == (default, raised)


def test_the_length_of_a_full_scan_follows_from_the_quota():
    allowed = DOCUMENTED_QUOTAS["SearchContacts"].rate * SHARE
    rows = re.findall(r"^\| (\d+) \| (\w*[smh]) \| [\w`]", PAGE, flags=re.MULTILINE)

    assert len(rows) == 4
    assert {
        contacts: format_duration(timedelta(seconds=int(contacts) / 100 / allowed)) for contacts, _ in rows
    } == dict(rows)


def test_there_are_rows_and_the_defaults_are_those_of_the_page():
    assert len(ROWS) == 4
    moves = DOCUMENTED_QUOTAS["TransferContact"].rate * SHARE * 3600
    assert f"{moves:,.0f} moves an hour" in PAGE
    limits = f"`guard.per_hour` ({GuardSettings().per_hour}) and `guard.per_cycle` ({GuardSettings().per_cycle})"
    assert limits in " ".join(PAGE.split())
