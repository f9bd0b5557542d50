"""The chain clock and the queue clock with hours and pauses, against an oracle that counts minutes one by one."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from router.decide.decide import decide
from router.decide.tried_rule import TriedRule
from router.model import Contact, ContactId, Details, Hours, HoursId
from router.rules.calendar import Calendar, Window
from tests.builders.contacts import contact
from tests.builders.effort import scaled
from tests.builders.instance import DIRECTORY
from tests.builders.rules import rules
from tests.builders.snapshots import snapshot

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
OFFICE = HoursId("id-of-office")
HERE = type(DIRECTORY)(
    queues=DIRECTORY.queues, agents=DIRECTORY.agents, flows=DIRECTORY.flows, hours=(Hours(id=OFFICE, name="Office"),)
)
DAYS = [
    ("Europe/Berlin", date(2026, 3, 29)),
    ("America/New_York", date(2026, 11, 1)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("Asia/Tokyo", date(2028, 2, 29)),
]
SPAN = 3 * 24 * 60
Pause = tuple[int, int]

slices = st.tuples(st.integers(4 * 60, 1439), st.integers(4 * 60, 1439)).filter(lambda ends: ends[0] != ends[1])
"""No change of the clock touches their ends."""


@cache
def wall(zone: str, day: date) -> tuple[datetime, ...]:
    first = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=1)
    return tuple((first + index * MINUTE).astimezone(ZoneInfo(zone)) for index in range(SPAN))


@cache
def ladder(clock: str, hours: bool):
    counted = ', hours = "Office"' if hours else ""
    text = f'sla = {{ clock = "{clock}"{counted} }}\nstep = [{{ at = "1m", to = [{{ queue = "Overflow" }}] }}]'
    return rules(f'[[rule]]\nname = "r"\nmatch.queue = "Billing"\n{text}', HERE)


@dataclass(frozen=True)
class Story:
    """``bounds`` are the minutes at which each segment began, and now; ``pauses`` those of each; ``queued`` when the
    last one was."""

    zone: str
    day: date
    window: tuple[int, int] | None
    bounds: tuple[int, ...]
    pauses: tuple[tuple[Pause, ...], ...]
    queued: int

    def counts(self, minute: int) -> bool:
        face = wall(self.zone, self.day)[minute]
        if any(begins <= minute < ends for segment in self.pauses for begins, ends in segment):
            return False
        if self.window is None:
            return True
        start, end = self.window
        shown = face.hour * 60 + face.minute
        return start <= shown < end if start < end else shown >= start or shown < end

    def instant(self, minute: int) -> datetime:
        return wall(self.zone, self.day)[minute].astimezone(UTC)


@st.composite
def stories(draw: st.DrawFn, *, most: int) -> Story:
    zone, day = draw(st.sampled_from(DAYS))
    count = draw(st.integers(1, 3))
    cuts = st.integers(0, SPAN - 1)
    bounds = sorted(draw(st.lists(cuts, min_size=count + 1, max_size=count + 1, unique=True)))
    pauses = []
    for begins, ends in pairwise(bounds):
        room = (ends - begins + 1) // 2
        number = draw(st.integers(0, min(most, room)))
        edges = draw(st.lists(st.integers(begins, ends), min_size=2 * number, max_size=2 * number, unique=True))
        edges.sort()
        pauses.append(tuple(zip(edges[::2], edges[1::2], strict=True)))
    # Connect dequeues a paused task; AWS does not document whether its place in the queue remains.
    queued = draw(st.integers(bounds[-2], bounds[-1]))
    window = draw(st.none() | slices)
    return Story(zone, day, window, tuple(bounds), tuple(pauses), queued)


def details(story: Story, number: int) -> Details:
    """Returns what Connect has: the last pause, how many there were, and how long they lasted together."""
    pauses = story.pauses[number]
    if not pauses:
        return Details()
    begins, ends = pauses[-1]
    total = sum(end - begin for begin, end in pauses) * MINUTE
    return Details(
        paused_at=story.instant(begins), resumed_at=story.instant(ends), paused_for=total, pauses=len(pauses)
    )


def segments(story: Story) -> list[Contact]:
    """Returns the contacts from the first to the last but one."""
    return [
        contact(
            f"c{number}",
            now=story.instant(story.bounds[number]),
            disconnected_at=story.instant(story.bounds[number + 1]),
            details=details(story, number),
        )
        for number in range(len(story.pauses) - 1)
    ]


def tried(story: Story, clock: str) -> TriedRule:
    last, first = len(story.pauses) - 1, ContactId("c0")
    ids: dict[str, Any] = {"previous_id": ContactId(f"c{last - 1}"), "initial_id": first} if last else {}
    waiting = contact(
        f"c{last}",
        enqueued_at=story.instant(story.queued),
        initiated_at=story.instant(story.bounds[-2]),
        **ids,
    )
    calendar = Calendar(ZoneInfo(story.zone), dict.fromkeys(range(7), (Window(*(story.window or (0, 0))),)))
    seen = snapshot(
        waiting,
        directory=HERE,
        now=story.instant(story.bounds[-1]),
        hours={OFFICE: calendar},
        origins={waiting.id: story.instant(story.bounds[0])},
        pauses={waiting.id: details(story, last)},
        pasts={waiting.id: tuple(reversed(segments(story)))},
    )
    governance = decide(seen, ladder(clock, story.window is not None)).accounts[waiting.id].governance
    assert governance is not None
    assert governance.governing is not None
    return governance.governing


def start_of(story: Story, clock: str) -> int:
    return story.bounds[0] if clock == "chain" else story.queued


clocks = st.sampled_from(["chain", "queue"])


@given(stories(most=1), clocks)
@settings(max_examples=scaled(150))
def test_the_clock_shows_the_open_minutes_in_which_nothing_was_paused(story, clock):
    counted = sum(story.counts(minute) for minute in range(start_of(story, clock), story.bounds[-1]))
    assert tried(story, clock).elapsed == counted * MINUTE


@given(stories(most=1), clocks, st.integers(0, 600))
@settings(max_examples=scaled(150))
def test_what_falls_due_is_due_in_the_first_such_minute_after_so_many(story, clock, amount):
    begin = start_of(story, clock)
    seen, expected = 0, None
    for minute in range(begin, SPAN):
        if story.counts(minute):
            if seen == amount:
                expected = story.instant(minute)
                break
            seen += 1
    found = tried(story, clock).at(amount * MINUTE)
    if expected is None:
        assert found >= story.instant(SPAN - 1)
    else:
        assert found == expected


@given(stories(most=4), clocks)
@settings(max_examples=scaled(200))
def test_of_several_pauses_the_clock_is_late_rather_than_early_and_no_later_than_they_were_long(story, clock):
    begin = start_of(story, clock)
    counted = sum(story.counts(minute) for minute in range(begin, story.bounds[-1]))
    untold = sum(end - start for segment in story.pauses for start, end in segment[:-1])
    rounded = sum(1 for segment in story.pauses if len(segment) > 1)
    shown = tried(story, clock).elapsed
    assert shown is not None
    assert counted * MINUTE - untold * MINUTE - rounded * SECOND <= shown <= counted * MINUTE
