"""Checks how the figures of a cycle are added up, and that every place which shows them has the same names."""

from datetime import UTC, datetime, timedelta

import pytest

from router.decide.decide import Decided
from router.decide.decision import RoutingUpdate, Transfer, Warn
from router.execute.result import Outcome, Result
from router.model import HoldReason
from router.rules.rule import Mode
from router.search.progress import SearchProgress
from router.telemetry.cycle_report import FIGURES, CycleReport, in_a_line, report_of

MINUTE = timedelta(minutes=1)

NOTHING = Decided(decisions=(), accounts={})


class OneContact:
    id = "c1"


def result(kind, outcome=Outcome.DONE, mode=Mode.ENFORCE, **fields):
    """Returns the result of a decision that has only the fields which are added up."""
    decision = object.__new__(kind)
    for name, value in {"mode": mode, "contact": OneContact(), "rule": "late"}.items():
        object.__setattr__(decision, name, value)
    return Result(decision=decision, outcome=outcome, **fields)


@pytest.mark.parametrize(
    ("kind", "outcome", "mode", "figure"),
    [
        (Transfer, Outcome.DONE, Mode.ENFORCE, "transferred"),
        (Transfer, Outcome.DONE, Mode.OBSERVE, "would_transfer"),
        (RoutingUpdate, Outcome.DONE, Mode.ENFORCE, "reprioritized"),
        (RoutingUpdate, Outcome.DONE, Mode.OBSERVE, None),
        (Warn, Outcome.DONE, Mode.ENFORCE, "warned"),
        (Warn, Outcome.DONE, Mode.OBSERVE, "warned"),
        (Transfer, Outcome.REFUSED, Mode.ENFORCE, "failed"),
        (Transfer, Outcome.UNSETTLED, Mode.ENFORCE, "failed"),
        (RoutingUpdate, Outcome.UNSETTLED, Mode.ENFORCE, "failed"),
        (Transfer, Outcome.NOT_SENT, Mode.ENFORCE, "not_sent"),
        (Transfer, Outcome.INTERRUPTED, Mode.ENFORCE, None),
        (Transfer, Outcome.LEARNT, Mode.ENFORCE, None),
    ],
)
def test_each_result_counts_in_one_figure_at_most(kind, outcome, mode, figure):
    line = report_of(1, NOTHING, [result(kind, outcome, mode)]).fields()
    counted = {one.name: line[one.name] for one in FIGURES if one.counts is not None and line[one.name]}
    assert counted == ({figure: 1} if figure is not None else {})


def test_what_is_held_on_reading_again_is_counted_by_reason():
    results = [result(Transfer, Outcome.HELD, reason=HoldReason.COOLDOWN) for _ in range(2)]
    assert report_of(1, NOTHING, results).held == {"cooldown": 2}


def test_every_figure_is_in_the_line_and_of_a_name_of_its_own():
    line = CycleReport().fields()
    names = [one.name for one in FIGURES]
    assert len(set(names)) == len(names)
    assert set(names) <= set(line)


def test_the_line_has_plain_values_only():
    report = CycleReport(
        held={"closed": 1},
        oldest_breach=timedelta(seconds=61.23456),
        next_due_at=datetime(2026, 3, 2, 12, tzinfo=UTC),
        search=SearchProgress(unseen_for=timedelta(seconds=3)),
        seconds=1.23456,
        busy=0.98765,
    )
    line = report.fields()
    assert (line["oldest_breach_s"], line["unseen_s"], line["seconds"], line["busy_s"]) == (61.235, 3.0, 1.235, 0.988)
    assert line["next_due_at"] == "2026-03-02T12:00:00Z"
    assert line["held"] == {"closed": 1}
    assert "glance" not in line


@pytest.mark.parametrize(
    ("report", "seconds"),
    [
        (CycleReport(), None),
        (CycleReport(transferred=4), None),
        (CycleReport(not_sent=4), None),
        (CycleReport(transferred=4, not_sent=8), 20.0),
        (CycleReport(transferred=4, not_sent=2, held={"per_cycle": 2, "closed": 9}), 10.0),
    ],
)
def test_what_limits_and_quota_kept_back_drains_at_the_pace_of_the_cycle(report, seconds):
    assert report.drain_s(10.0) == seconds


@pytest.mark.parametrize(
    ("report", "text"),
    [
        (CycleReport(cycle=3, waiting=5, due=2, transferred=1), "cycle 3: 5 waiting, 2 due, 1 moved"),
        (
            CycleReport(cycle=3, failed=1, held={"closed": 2}, oldest_breach=3 * MINUTE, search=SearchProgress()),
            "cycle 3: 0 waiting, 0 due, 0 moved, 2 held, 1 failed, oldest breach 3m; the search was incomplete",
        ),
    ],
)
def test_a_report_fits_on_one_line_for_systemctl_status(report, text):
    assert in_a_line(report) == text
