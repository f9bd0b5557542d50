"""A rule with hours of operation against an oracle that looks at the clock on the wall, minute by minute."""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from hypothesis import assume, given
from hypothesis import strategies as st

from router.decide.decide import decide
from router.decide.decision import Hold, Transfer
from router.model import HoldReason, Hours, HoursId
from router.rules.calendar import Calendar, Window
from tests.builders.contacts import contact
from tests.builders.instance import DIRECTORY
from tests.builders.rules import overflow, rules
from tests.builders.snapshots import snapshot

OFFICE = HoursId("id-of-office")
MINUTE = timedelta(minutes=1)
DAYS = [
    ("Europe/Berlin", date(2026, 3, 29)),
    ("America/New_York", date(2026, 11, 1)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("Asia/Tokyo", date(2028, 2, 29)),
]
SPAN = 4 * 24 * 60
HERE = type(DIRECTORY)(
    queues=DIRECTORY.queues, agents=DIRECTORY.agents, flows=DIRECTORY.flows, hours=(Hours(id=OFFICE, name="Office"),)
)

slices = st.tuples(st.integers(0, 1439), st.integers(0, 1439)).filter(lambda ends: ends[0] != ends[1])


@cache
def ladder(at: int):
    return rules(overflow(at=f"{at}m", more='sla.hours = "Office"'), HERE)


@cache
def wall(zone: str, day: date) -> tuple[datetime, ...]:
    first = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=2)
    return tuple((first + index * MINUTE).astimezone(ZoneInfo(zone)) for index in range(SPAN))


def shown_open(at: datetime, window: tuple[int, int]) -> bool:
    """Decides by the local time alone, which is right for windows whose ends no clock change touches."""
    start, end = window
    minute = at.hour * 60 + at.minute
    return start <= minute < end if start < end else minute >= start or minute < end


def untouched(window: tuple[int, int]) -> bool:
    return all(not 30 <= end <= 4 * 60 for end in window)


@given(st.sampled_from(DAYS), slices.filter(untouched), st.integers(0, SPAN - 1), st.integers(0, SPAN - 1), st.data())
def test_a_step_acts_in_the_open_minutes_after_its_time_and_holds_in_the_closed_ones(place, window, one, other, data):
    zone, day = place
    begin, now = sorted((one, other))
    faces = wall(zone, day)
    shows = [shown_open(face, window) for face in faces]
    counted = sum(shows[begin:now])
    at = data.draw(st.sampled_from([max(counted - 1, 0), counted, counted + 1, counted + 30]))
    assume(at > 0)
    calendar = Calendar(ZoneInfo(zone), dict.fromkeys(range(7), (Window(*window),)))
    waiting = contact(now=faces[begin].astimezone(UTC))
    seen = snapshot(waiting, directory=HERE, now=faces[now].astimezone(UTC), hours={OFFICE: calendar})
    decided = decide(seen, ladder(at))
    if counted < at or (counted == at and not shows[now]):
        assert decided.decisions == ()
        assert decided.next_due_at is not None
        assert decided.next_due_at > seen.now
        minute = round((decided.next_due_at - faces[0]) / MINUTE)
        assert minute >= SPAN or (shows[minute] and sum(shows[begin:minute]) == at)
    elif shows[now]:
        (decision,) = decided.decisions
        assert isinstance(decision, Transfer)
        assert decision.late == (counted - at) * MINUTE
        due = round((decision.due_at - faces[0]) / MINUTE)
        assert shows[due]
        assert sum(shows[begin:due]) == at
    else:
        (hold,) = decided.decisions
        assert isinstance(hold, Hold)
        assert hold.reason is HoldReason.CLOSED
