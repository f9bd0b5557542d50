"""What is counted for Prometheus."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from router.decide.decision import Transfer
from router.execute.result import Outcome, Result
from router.rules.rule import Mode
from router.telemetry.counters import REACTION_S, Counters
from router.telemetry.cycle_report import CycleReport

DUE = datetime(2026, 3, 2, 12, tzinfo=UTC)


def transfer(rule="late", mode=Mode.ENFORCE):
    """The fields that are counted by, of a real decision."""
    decision = object.__new__(Transfer)
    for name, value in {"rule": rule, "mode": mode, "due_at": DUE}.items():
        object.__setattr__(decision, name, value)
    return decision


@dataclass(frozen=True)
class Settled:
    settled_at: datetime | None


def result(outcome=Outcome.DONE, *, after=None, **fields):
    action = cast("Any", Settled(DUE + timedelta(seconds=after))) if after is not None else None
    return Result(decision=transfer(**fields), outcome=outcome, action=action)


def report(*, complete=True):
    names = "cycle waiting ungoverned due transferred would_transfer reprioritized warned failed"
    numbers = dict.fromkeys(names.split(), 0)
    return CycleReport(**cast("Any", numbers), complete=complete)


def test_moves_are_counted_by_rule_and_outcome_and_what_is_only_observed_apart():
    meters = Counters()
    meters.count(report(), [result(after=1), result(after=2), result(Outcome.HELD), result(rule="other", after=1)])
    meters.count(report(complete=False), [result(mode=Mode.OBSERVE)])
    read = meters.read()
    assert read.transfers == {
        ("late", "done"): 2,
        ("late", "held"): 1,
        ("other", "done"): 1,
        ("late", "observed"): 1,
    }
    assert read.cycles == {True: 1, False: 1}


@pytest.mark.parametrize(("after", "bucket"), [(0.2, 0), (1, 0), (1.1, 1), (15, 4), (3600, 11), (3601, 12), (-3, 0)])
def test_a_reaction_counts_in_the_first_bucket_that_holds_it(after, bucket):
    meters = Counters()
    meters.count(report(), [result(after=after)])
    read = meters.read()
    assert [number for number, count in enumerate(read.reactions) if count] == [bucket]
    assert len(read.reactions) == len(REACTION_S) + 1
    assert read.reaction_sum == max(after, 0)


@pytest.mark.parametrize("came", [one for one in Outcome if one is not Outcome.DONE])
def test_only_a_move_that_was_accepted_is_a_reaction(came):
    meters = Counters()
    meters.count(report(), [result(came, after=3)])
    assert sum(meters.read().reactions) == 0
