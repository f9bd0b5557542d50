"""Watches twenty tasks in the search index and in the metrics: when they are started, moved and stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from router.acceptance.contact_search import started_since
from router.acceptance.lab import Lab
from router.acceptance.probe import SeenValue, Unsettled, probe
from router.acceptance.probes.measurements import Span, lag_of
from router.acceptance.probes.transfers import NO_SEGMENT

TASKS = 20
TRANSFERRED = 8
AT_A_TIME = 2
"""Tasks between two searches."""
STAGGER, LONGEST_STAGGER = 0.37, 2.0
"""Seconds. Searches have a constant pace: the tasks must not have the same one, or all of them show the same bounds."""
SHOWS_WITHIN = timedelta(minutes=15)
LOOK_BACK = timedelta(minutes=2)

Row = Mapping[str, Any]


@dataclass(slots=True)
class Watch:
    """Bounds the time until each contact shows something new. Times are monotonic seconds."""

    began: dict[str, float] = field(default_factory=dict)
    unseen: dict[str, float] = field(default_factory=dict)
    spans: dict[str, Span] = field(default_factory=dict)

    def expect(self, contact_id: str, at: float) -> None:
        self.began[contact_id] = self.unseen[contact_id] = at

    def look(self, shown: Callable[[str], bool], at: float) -> None:
        for contact_id, began in self.began.items():
            if contact_id in self.spans:
                continue
            if shown(contact_id):
                self.spans[contact_id] = Span(self.unseen[contact_id] - began, at - began)
            else:
                self.unseen[contact_id] = at

    @property
    def complete(self) -> bool:
        return len(self.spans) == len(self.began)


@dataclass(slots=True)
class Cohort:
    """Holds the twenty tasks and what was measured of them. ``kept``: a transfer makes no new segment."""

    up: Watch = field(default_factory=Watch)
    moved: Watch = field(default_factory=Watch)
    down: Watch = field(default_factory=Watch)
    kept: bool = False


def index_rows(lab: Lab) -> dict[str, Row]:
    """Returns the index's rows of this run, by contact."""
    rows = started_since(lab, lab.began_at - LOOK_BACK, ["TASK"])
    return {row["Id"]: row for row in rows if str(row.get("Name", "")).startswith(lab.name(""))}


def cohort(lab: Lab) -> Cohort:
    found, started = Cohort(), list[str]()

    def start(number: int) -> None:
        contact_id = lab.start_task(f"lag-{number}")
        started.append(contact_id)
        found.up.expect(contact_id, lab.clock.monotonic())

    _in_steps(lab, range(TASKS), start, lambda: _look_up(lab, found.up))
    for contact_id in started:
        lab.await_queue(contact_id, lab.resources.queue_a)
    successors = {contact_id: contact_id for contact_id in started}

    def move(contact_id: str) -> None:
        answered = lab.transfer(contact_id)
        if not answered.ok:
            raise Unsettled(f"TransferContact failed ({answered.code})")
        at = lab.clock.monotonic()
        successors[contact_id] = lab.successor(contact_id, answered.body["ContactId"])
        found.kept = successors[contact_id] == contact_id
        if not found.kept:
            found.moved.expect(contact_id, at)

    _in_steps(lab, started[:TRANSFERRED], move, lambda: _look_down(lab, found.moved))

    def stop(contact_id: str) -> None:
        if lab.stop(contact_id).ok:
            found.down.expect(contact_id, lab.clock.monotonic())

    _in_steps(lab, list(successors.values()), stop, lambda: _look_down(lab, found.down))
    return found


def _in_steps(lab: Lab, things: Sequence[Any], act: Callable[[Any], None], look: Callable[[], bool]) -> None:
    """Acts on some at a time with a look in between, and looks until everything shows."""
    for first in range(0, len(things), AT_A_TIME):
        lab.sleep(first * STAGGER % LONGEST_STAGGER)
        for thing in things[first : first + AT_A_TIME]:
            act(thing)
        look()
    if lab.wait_until(lambda: look() or None, within=SHOWS_WITHIN, every=0.1) is None:
        raise Unsettled(f"the index did not show a change within {SHOWS_WITHIN.seconds // 60} minutes")


def _look_up(lab: Lab, watch: Watch) -> bool:
    rows = index_rows(lab)
    watch.look(rows.__contains__, lab.clock.monotonic())
    return watch.complete


def _look_down(lab: Lab, watch: Watch) -> bool:
    if watch.complete:
        return True
    rows = index_rows(lab)
    watch.look(lambda contact_id: "DisconnectTimestamp" in rows.get(contact_id, {}), lab.clock.monotonic())
    return watch.complete


@probe("index_lag", "How far is the search index behind?")
def index_lag(lab: Lab) -> SeenValue:
    found = lab.once(cohort)
    up, down = lag_of(list(found.up.spans.values())), lag_of(list(found.down.spans.values()))
    assert isinstance(up.value, timedelta) and isinstance(down.value, timedelta)
    figures = {f"{way}_{key}": value for way, one in (("up", up), ("down", down)) for key, value in one.figures.items()}
    return SeenValue(value=max(up.value, down.value), remark=up.remark, figures=figures)


@probe("old_segment_lag", "How much longer than the index lag does an ended segment look queued?")
def old_segment_lag(lab: Lab) -> SeenValue:
    found = lab.once(cohort)
    if found.kept:
        raise Unsettled(NO_SEGMENT)
    down = lag_of(list(found.down.spans.values()))
    assert isinstance(down.value, timedelta)
    return lag_of(list(found.moved.spans.values()), less=down.value.total_seconds())
