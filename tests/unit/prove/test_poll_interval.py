"""Compares the warning about ``poll.every`` with the arithmetic of the quota."""

from __future__ import annotations

from datetime import timedelta

import pytest

from router.connect import search
from router.prove import poll_interval
from router.prove.poll_interval import poll_too_often
from router.rules.load import parse_rules

RULE = '[[rule]]\nname = "r"\nmatch.queue = [{queues}]\n{mode}\nstep = [{{ at = "1h", warn = "late" }}]\n'


def found(every, *, queues=1, rate=0.5, share=0.8, sweep=300, mode=""):
    names = ", ".join(f'"Q{number}"' for number in range(queues))
    ruleset = parse_rules([("r.toml", RULE.format(queues=names, mode=mode).encode())])
    seconds = timedelta(seconds=every)
    return poll_too_often(ruleset, every=seconds, sweep=timedelta(seconds=sweep), rate=rate, share=share)


@pytest.mark.parametrize(
    ("every", "queues", "rate", "share", "least"),
    [
        (1, 1, 0.5, 0.8, "3s"),
        (2, 100, 0.5, 0.8, "3s"),
        (3, 1, 0.5, 0.8, None),
        (3, 101, 0.5, 0.8, "6s"),
        (6, 101, 0.5, 0.8, None),
        (15, 1, 0.5, 0.8, None),
        (15, 1000, 0.5, 0.8, "28s"),
        (15, 1, 0.5, 0.1, "22s"),
        (1, 1, 10, 0.8, None),
    ],
)
def test_the_least_interval_is_the_searches_of_a_poll_by_what_full_scans_leave(every, queues, rate, share, least):
    message = found(every, queues=queues, rate=rate, share=share)

    assert (message is None) == (least is None)
    assert least is None or message.endswith(f'write at least "{least}"')


def test_the_message_has_the_arithmetic():
    assert found(1) == (
        'poll.every ("1s") is too short: a poll needs up to 1 search of SearchContacts for the queues of these rules,'
        ' and 0.5 a second x share 0.8, less 0.00333 for full scans, allow 0.397 a second: write at least "3s"'
    )


def test_full_scans_that_take_the_whole_quota_leave_no_interval():
    assert found(15, queues=1000, sweep=15).endswith(": raise poll.sweep or the quota")


def test_a_search_takes_as_many_queues_as_the_connection_gives_it():
    assert poll_interval.MAX_QUEUES == search.MAX_QUEUES


def test_rules_that_are_off_need_no_search():
    assert found(1, mode='mode = "off"') is None
