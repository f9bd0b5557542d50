"""Checks what is counted for Prometheus, by what a scrape returns."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from router.decide.decision import Transfer
from router.execute.result import Outcome, Result
from router.rules.load import parse_rules
from router.rules.rule import Mode
from router.search.progress import SearchProgress
from router.telemetry.counters import REACTION_S, CycleCounters
from router.telemetry.cycle_report import CycleReport

DUE = datetime(2026, 3, 2, 12, tzinfo=UTC)


def transfer(rule="late", mode=Mode.ENFORCE):
    """Returns a real decision with only the fields that are counted."""
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


def samples(*cycles):
    """Returns every sample by its name and labels, after these cycles: a report and its results each."""
    counters = CycleCounters()
    for report, results in cycles:
        counters.count(report, results)
    text = generate_latest(counters.registry).decode()
    return {
        (sample.name.removeprefix("connect_router_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_moves_are_counted_by_rule_and_outcome_and_what_is_only_observed_apart():
    found = samples(
        (CycleReport(), [result(after=1), result(after=2), result(Outcome.HELD), result(rule="other", after=1)]),
        (CycleReport(search=SearchProgress()), [result(mode=Mode.OBSERVE)]),
    )
    moved = {tuple(labels): value for (name, *labels), value in found.items() if name == "transfers_total"}
    assert moved == {("done", "late"): 2, ("held", "late"): 1, ("done", "other"): 1, ("observed", "late"): 1}
    assert (found["cycles_total", "true"], found["cycles_total", "false"]) == (1, 1)


def test_before_the_first_cycle_the_series_that_need_no_name_are_there_with_zero():
    found = samples()
    assert (found["cycles_total", "true"], found["cycles_total", "false"]) == (0, 0)
    assert (found["reaction_seconds_count",], found["reaction_seconds_sum",]) == (0, 0)


RULES = """
[defaults]
flow = "F"
[[rule]]
name = "moves"
match.queue = "A"
step = [{ at = "1h", to = [{ queue = "B" }] }]
[[rule]]
name = "warns"
match.queue = "A"
sla.target = "2h"
step = [{ at = "1h", warn = "late" }]
[[rule]]
name = "rests"
mode = "off"
match.queue = "A"
step = [{ at = "1h", to = [{ queue = "B" }] }]
"""


def test_the_counters_of_a_rule_that_moves_begin_at_0_with_every_outcome():
    counters = CycleCounters()
    counters.begin_rules(parse_rules([("r.toml", RULES.encode())]).rules)
    counters.count(CycleReport(), [result(rule="moves", after=1)])
    counters.begin_rules(parse_rules([("r.toml", RULES.encode())]).rules)

    text = generate_latest(counters.registry).decode()
    found = {
        (sample.labels["rule"], sample.labels["outcome"]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "connect_router_transfers_total"
    }
    outcomes = ("observed", "done", "held", "refused", "unsettled", "not_sent")
    assert re.findall(r'^connect_router_late_total\{rule="(\w+)"\} 0.0$', text, re.MULTILINE) == ["warns"]
    assert found == {("moves", outcome): float(outcome == "done") for outcome in outcomes}


def test_no_series_tells_when_a_counter_was_created():
    assert not [name for name, *_ in samples((CycleReport(), [result(after=1)])) if name.endswith("_created")]


@pytest.mark.parametrize(
    ("after", "bucket"),
    [(0.2, 0), (1, 0), (1.1, 1), (15, 4), (3600, 11), (3601, 12), (7200, 12), (28800, 14), (86401, 16), (-3, 0)],
)
def test_a_reaction_counts_in_the_first_bucket_that_holds_it(after, bucket):
    found = samples((CycleReport(), [result(after=after)]))
    counts = [found["reaction_seconds_bucket", bound] for bound in (*map(str, REACTION_S), "+Inf")]
    assert counts == [0] * bucket + [1] * (len(REACTION_S) + 1 - bucket)
    assert found["reaction_seconds_sum",] == max(after, 0)


@pytest.mark.parametrize("came", [one for one in Outcome if one is not Outcome.DONE])
def test_only_a_move_that_was_accepted_is_a_reaction(came):
    assert samples((CycleReport(), [result(came, after=3)]))["reaction_seconds_count",] == 0
