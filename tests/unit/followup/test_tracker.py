"""Checks how a move is followed until the contact has landed: looks, landings, strays, slots and places."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import pairwise
from threading import Barrier, Event
from typing import Any

import pytest
from structlog.testing import capture_logs

from router.connect.answers import Unknown
from router.followup.place_keeper import PlaceKeeper
from router.followup.tracker import FIRST_LOOK, LONGEST_PAUSE, STRAY_PAUSE, Tracker
from router.ledger import LedgerUnavailable, SqliteLedger
from router.model import Action, AgentId, Contact, ContactId, Landing
from router.runtime import Runtime
from router.safety.safety import Safety
from tests.builders.contacts import NOW, act, after, contact
from tests.builders.fakes import FakeClock, FakeConnect
from tests.builders.instance import ANN, ANNS_QUEUE, GENERAL, OVERFLOW, TO_AGENT, TO_QUEUE, to, to_agent

SECOND = timedelta(seconds=1)
BEFORE = contact("c1", waited=60)
ENDED = replace(BEFORE, disconnected_at=NOW)
NEXT = after(BEFORE, "c2", initiated_at=NOW, enqueued_at=NOW)
LOST = Unknown(code="TimedOut", message="")


@dataclass
class TrackerBench:
    """Holds a tracker on the bench of the keeper of places, which is switched off."""

    parts: Any
    landings: list[tuple[ContactId, Landing]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ledger: SqliteLedger = self.parts.ledger
        self.connect: FakeConnect = self.parts.connect
        self.clock: FakeClock = self.parts.clock
        self.safety: Safety = self.parts.safety
        self.keeper: PlaceKeeper = self.parts.keeper
        self.keeper.enabled = False
        self.tracker = Tracker(
            reader=self.connect,
            ledger=self.ledger,
            safety=self.safety,
            runtime=self.parts.keeper.runtime,
            pacer=self.parts.pacer,
            follow_ups=(self.keeper,),
            landing_timeout=timedelta(minutes=2),
            landed=lambda one, landing: self.landings.append((one.id, landing)),
        )

    def on_threads(self, workers: int = 4) -> None:
        """Looks from now on with real workers."""
        runtime = Runtime(clock=self.clock, workers=workers)
        self.tracker = replace(self.tracker, runtime=runtime)

    def moved_too(self, number: int) -> Contact:
        """Records the move of another contact and follows it; returns the contact that it becomes."""
        other = contact(f"d{number}", waited=60)
        new = after(other, f"e{number}", initiated_at=NOW, enqueued_at=NOW)
        move = act(other, target=to(OVERFLOW), new_contact_id=new.id, landing=Landing.PENDING, settled_at=NOW)
        self.tracker.watch(self.ledger.record(move), read_age=None)
        return new

    def moved(self, **others: Any) -> Action:
        """Records a move that Connect accepted now, takes its landing slot and follows it."""
        given: dict[str, Any] = {"target": to(OVERFLOW), "new_contact_id": NEXT.id, "settled_at": NOW}
        given["landing"] = Landing.PENDING
        action = self.ledger.record(act(BEFORE, **{**given, **others}))
        assert action.target is not None
        assert self.safety.slots.take(action.target.flow_id, action.contact_id)
        self.tracker.watch(action, read_age=0.2)
        return action

    def look(self, *contacts: Contact, after: timedelta = FIRST_LOOK) -> list[str]:
        """Lets time pass, shows the contacts, looks, and returns the events of the log."""
        self.clock.travel(after)
        for one in contacts:
            self.connect.show(one)
        with capture_logs() as lines:
            self.tracker.look()
        return [line["event"] for line in lines]

    @property
    def recorded(self) -> Action:
        """Returns the move as the ledger has it."""
        (one,) = (one for one in self.ledger.history() if one.parent is None)
        return one

    def recorded_landing(self, moved: Contact) -> Landing | None:
        return next(one.landing for one in self.ledger.history() if one.contact_id == moved.id)

    @property
    def slots(self) -> int:
        return self.safety.slots.taken(TO_QUEUE) + self.safety.slots.taken(TO_AGENT)


@pytest.fixture
def follow(bench):
    return TrackerBench(bench)


LANDINGS = [
    (to(OVERFLOW), NEXT, Landing.QUEUED),
    (to(OVERFLOW), replace(NEXT, queue_id=GENERAL), Landing.DIVERTED),
    (to(OVERFLOW), replace(NEXT, agent_id=ANN), Landing.ANSWERED),
    (to(OVERFLOW), replace(NEXT, disconnected_at=NOW), Landing.ENDED),
    (to_agent(ANN), replace(NEXT, queue_id=ANNS_QUEUE), Landing.AT_AGENT),
    (to_agent(ANN), replace(NEXT, queue_id=GENERAL), Landing.DIVERTED),
    (to_agent(ANN), replace(NEXT, agent_id=ANN), Landing.ANSWERED),
]


@pytest.mark.parametrize(("target", "new", "landing"), LANDINGS)
def test_a_landing_is_written_logged_and_frees_its_slot(follow, target, new, landing):
    follow.moved(target=target)

    assert follow.look(ENDED, new) == ["contact.landed"]
    assert (follow.recorded.landing, follow.recorded.landed_queue_id) == (landing, new.queue_id)
    assert follow.landings == [("c2", landing)]
    assert follow.slots == 0
    assert bool(follow.tracker.followed) is (landing is Landing.AT_AGENT)


@pytest.mark.parametrize(
    ("target", "new", "learnt"),
    [(*given, landing in (Landing.QUEUED, Landing.ANSWERED, Landing.AT_AGENT)) for *given, landing in LANDINGS],
)
def test_only_a_landing_at_a_destination_shows_that_the_flow_works(follow, target, new, learnt):
    follow.moved(target=target)
    follow.look(ENDED, new)

    assert (follow.safety.slots.now()[target.flow_id].seconds is not None) is learnt


@pytest.mark.parametrize(
    "new", [None, replace(NEXT, queue_id=None), replace(NEXT, scheduled_at=NOW + timedelta(days=1))]
)
def test_a_contact_whose_flow_is_at_work_has_not_landed(follow, new):
    follow.moved()

    assert follow.look(ENDED, *([new] if new else [])) == []
    assert follow.recorded.landing is Landing.PENDING
    assert (follow.slots, follow.tracker.pending) == (1, True)


@pytest.mark.parametrize(
    ("enabled", "new", "due"),
    [
        (True, NEXT, True),
        (False, NEXT, False),
        (True, replace(NEXT, queue_id=GENERAL), False),
        (True, replace(NEXT, agent_id=ANN), False),
    ],
)
def test_only_a_landing_in_the_queue_that_was_meant_makes_a_place_due(follow, enabled, new, due):
    follow.keeper.enabled = enabled
    follow.moved()
    follow.look(ENDED, new)

    places = [one.parent for one in follow.ledger.history() if one.parent]
    assert places == ([follow.recorded.id] if due else [])


def test_looks_become_rarer_and_a_stray_is_looked_at_every_five_minutes(follow):
    follow.moved()
    reads: list[timedelta] = []
    describe = follow.connect.describe

    def noted(contact_id):
        reads.append(follow.clock.now() - NOW)
        return describe(contact_id)

    follow.connect.describe = noted
    for _ in range(40 * 60 * 2):
        follow.look(after=SECOND / 2)

    looks = sorted(set(reads))
    pauses = [later - earlier for earlier, later in pairwise(looks)]
    assert looks[0] == FIRST_LOOK
    assert pauses[:5] == [1 * SECOND, 2 * SECOND, 4 * SECOND, 8 * SECOND, LONGEST_PAUSE]
    assert pauses[-1] == STRAY_PAUSE
    assert sorted(pauses) == pauses


def test_a_contact_that_is_not_seen_in_time_is_a_stray_once_and_counts_against_its_flow(follow):
    follow.moved()
    early = follow.look(ENDED, after=timedelta(minutes=2) - SECOND)
    events = [follow.look(after=timedelta(minutes=6)) for _ in range(3)]

    assert (early, events) == ([], [["contact.stray"], [], []])
    assert follow.recorded.landing is Landing.STRAY
    assert (follow.slots, follow.tracker.pending) == (1, False)


@pytest.mark.parametrize(
    ("new", "landing"),
    [
        (replace(NEXT, agent_id=AgentId("ann")), Landing.ANSWERED),
        (replace(NEXT, disconnected_at=NOW), Landing.ENDED),
        (NEXT, Landing.QUEUED),
    ],
)
def test_a_stray_that_is_answered_or_ends_or_reaches_its_queue_frees_its_slot(follow, new, landing):
    follow.moved()
    follow.look(ENDED, after=timedelta(minutes=3))

    assert follow.look(new, after=timedelta(minutes=6)) == ["contact.landed"]
    assert (follow.recorded.landing, follow.slots, follow.tracker.followed) == (landing, 0, ())


def test_a_contact_that_could_not_be_read_is_no_stray(follow):
    follow.moved()
    follow.connect.failures[NEXT.id] = LOST

    assert follow.look(ENDED, after=timedelta(minutes=30)) == []
    assert follow.recorded.landing is Landing.PENDING


def test_a_successor_that_was_found_is_written_at_once_and_read_by_its_id_afterwards(follow):
    follow.moved(new_contact_id=None)
    at_flow = replace(NEXT, queue_id=None)
    follow.connect.chains[BEFORE.id] = (ENDED, at_flow)
    follow.look(ENDED, at_flow)
    assert follow.recorded.new_contact_id == "c2"

    follow.connect.chains.clear()
    assert follow.look(NEXT, after=timedelta(seconds=30)) == ["contact.landed"]


@pytest.mark.parametrize("agent", [None, AgentId("ann")])
def test_a_contact_that_the_move_took_from_an_agent_is_an_alarm_once(follow, agent):
    follow.moved()
    at_flow = replace(NEXT, queue_id=None)
    first = follow.look(replace(ENDED, agent_id=agent), at_flow)
    second = follow.look(after=timedelta(seconds=30))

    assert (first, second) == ([] if agent is None else ["contact.taken_from_agent"], [])


def test_a_contact_at_an_agent_is_shown_until_it_is_elsewhere_and_logged_once(follow):
    follow.moved(target=to_agent(ANN))
    waits = replace(NEXT, queue_id=ANNS_QUEUE)
    follow.look(ENDED, waits)
    assert [one.id for one in follow.tracker.at_agents] == ["c2"]

    assert follow.look(after=timedelta(seconds=30)) == []
    assert [one.id for one in follow.tracker.at_agents] == ["c2"]

    assert follow.look(replace(NEXT, agent_id=ANN), after=timedelta(seconds=30)) == []
    assert follow.tracker.at_agents == follow.tracker.followed == ()
    assert follow.recorded.landing is Landing.ANSWERED


def test_a_ledger_that_fails_leaves_everything_as_it_was_for_the_next_look(follow, monkeypatch):
    follow.moved()

    def full(action, *, follow_ups=()):
        raise LedgerUnavailable("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(follow.ledger, "land", full)
        assert follow.look(ENDED, NEXT) == ["ledger.failed"]
    assert (follow.landings, follow.slots, follow.recorded.landing) == ([], 1, Landing.PENDING)

    assert follow.look(after=timedelta(seconds=30)) == ["contact.landed"]
    assert follow.landings == [("c2", Landing.QUEUED)]


def test_a_contact_that_breaks_stops_no_other(follow):
    follow.moved()
    other = follow.moved_too(1)
    describe = follow.connect.describe

    def breaks(contact_id):
        if contact_id in ("c1", "c2"):
            raise ZeroDivisionError
        return describe(contact_id)

    follow.connect.describe = breaks
    assert follow.look(other) == ["contact.broken", "contact.landed"]


@pytest.mark.uses("threads")
def test_as_many_contacts_are_read_at_a_time_as_there_are_workers(follow):
    follow.on_threads(workers=4)
    landing = [follow.moved_too(number) for number in range(8)]
    together, describe = Barrier(4), follow.connect.describe

    def describe_together(contact_id):
        together.wait(timeout=10)
        return describe(contact_id)

    follow.connect.describe = describe_together
    assert follow.look(*landing) == ["contact.landed"] * 8


@pytest.mark.uses("threads")
@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("call", ["describe", "chain"])
def test_a_reading_that_hangs_delays_no_other_contact_and_is_not_repeated_before_it_ends(follow, call, workers):
    follow.on_threads(workers)
    if call == "describe":
        follow.moved()
    else:
        follow.connect.chains[BEFORE.id] = (ENDED, NEXT)
        follow.moved(new_contact_id=None)
    others = [follow.moved_too(number) for number in range(3)]
    answered, hung, read = Event(), [], getattr(follow.connect, call)

    def hang(contact_id):
        if contact_id == BEFORE.id:
            hung.append(contact_id)
            assert answered.wait(10)
        return read(contact_id)

    setattr(follow.connect, call, hang)
    assert follow.look(ENDED, NEXT, *others) == ["contact.landed"] * 3
    assert follow.look(follow.moved_too(9), after=timedelta(seconds=30)) == ["contact.landed"]
    assert (hung, follow.recorded_landing(BEFORE)) == ([BEFORE.id], Landing.PENDING)

    answered.set()
    assert follow.tracker.runtime.pool.join(within=10) == 0
    assert follow.recorded_landing(BEFORE) is Landing.QUEUED


def test_a_move_that_the_ledger_no_longer_has_is_given_up(follow):
    action = act(BEFORE, id=99, target=to(OVERFLOW), new_contact_id=NEXT.id, landing=Landing.PENDING, settled_at=NOW)
    assert follow.safety.slots.take(TO_QUEUE, BEFORE.id)
    follow.tracker.watch(action, read_age=None)

    assert follow.look(ENDED, NEXT) == []
    assert (follow.tracker.followed, follow.slots, follow.landings) == ((), 0, [])


def test_while_all_calls_are_stopped_nobody_is_looked_at(follow):
    follow.moved()
    follow.safety.breakers.stop_calls()

    assert follow.look(ENDED, NEXT) == []
    assert follow.tracker.look() == 0
    assert follow.recorded.landing is Landing.PENDING


def test_after_a_start_the_moves_that_have_not_landed_are_followed_and_have_their_slots(follow, bench):
    follow.moved()
    again = TrackerBench(bench)
    again.safety.slots.free(TO_QUEUE, BEFORE.id)
    again.tracker.resume()

    assert [one.contact_id for one in again.tracker.followed] == ["c1"]
    assert again.slots == 1
    assert again.look(ENDED, NEXT) == ["contact.landed"]


def test_a_new_landing_timeout_counts_for_moves_under_way(follow):
    class Execute:
        landing_timeout = timedelta(seconds=10)

    class Changed:
        execute = Execute()

    follow.moved()
    follow.tracker.reconfigure(Changed())

    assert follow.look(ENDED, after=timedelta(seconds=11)) == ["contact.stray"]
