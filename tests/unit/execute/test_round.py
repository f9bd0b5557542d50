"""Checks the order and the bounds of a round: warnings before moves, updates after them, and nothing that came too
late."""

from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from router.connect.answers import Throttled, Transferred, Unknown
from router.decide.decision import RoutingUpdate, Transfer, Warn
from router.execute.observation import ObservePerformer
from router.execute.result import Outcome
from router.execute.round import Round
from router.ledger import LedgerUnavailable, SqliteLedger
from router.model import ContactId, Details, HoldReason, Pause, PauseKind
from router.rules.rule import Mode
from tests.builders.contacts import NOW, minutes
from tests.builders.execution import LADDER, ExecutionBench
from tests.builders.instance import ANOTHER_FLOW, GENERAL, TO_QUEUE
from tests.builders.rules import overflow

SLOW_DOWN = Throttled(code="TooManyRequestsException")
SILENT = Unknown(code="ReadTimeoutError", message="")


def moved(contact_id: str) -> Transferred:
    return Transferred(contact_id=ContactId(contact_id))


class RoundBench(ExecutionBench):
    """Holds a round on the performers of the bench, and the observer's own ledger."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.observed = SqliteLedger.in_memory("instance-1")
        observer = ObservePerformer(
            reader=self.connect,
            observed=self.observed,
            clock=self.clock,
            details=self.details,
            safety=self.safety,
        )
        self.round = Round(
            enforcer=self.transfer,
            observer=observer,
            safety=self.safety,
            pacer=self.pacer,
            runtime=self.runtime,
            reader=self.connect,
        )

    def perform(self, decided, *, wait_for_slots=False, **context):
        return self.round.perform(decided.decisions, replace(decided.context, **context), wait_for_slots=wait_for_slots)

    def close(self) -> None:
        super().close()
        self.observed.close()


@pytest.fixture
def bench():
    bench = RoundBench()
    yield bench
    bench.close()


def outcomes(results):
    return sorted((type(one.decision).__name__, one.outcome) for one in results)


def test_a_contact_is_warned_of_before_its_move_and_gets_no_update_once_the_move_has_begun(bench):
    bench.connect.transfer_answers = [moved("c2")]
    with capture_logs() as lines:
        results = bench.perform(bench.decided(bench.waiting()))

    assert outcomes(results) == [("RoutingUpdate", Outcome.HELD), ("Transfer", Outcome.DONE), ("Warn", Outcome.DONE)]
    assert [line["event"] for line in lines if line["event"].startswith("contact.")] == [
        "contact.warned",
        "contact.transferred",
    ]
    assert bench.connect.updates == []
    (held,) = (one for one in results if one.outcome is Outcome.HELD)
    assert (held.reason, held.detail) == (HoldReason.IN_FLIGHT, "a move of the contact has begun")


def test_moves_come_before_the_updates_of_all_contacts(bench):
    calls = []
    bench.connect.transfer_answers = [moved(f"after {number}") for number in range(3)]

    def count(name, call):
        def counted(**given):
            calls.append(name)
            return call(**given)

        setattr(bench.connect, name, counted)

    count("reroute", bench.connect.reroute)
    count("transfer", bench.connect.transfer)
    urgent = LADDER.replace("10m", "3h")
    others = urgent.replace("ladder", "others").replace("Billing", "General")
    waiting = [bench.waiting(f"late {number}") for number in range(3)]
    waiting += [bench.waiting(f"early {number}", queue=GENERAL) for number in range(3)]

    bench.perform(bench.decided(*waiting, text=LADDER + others))

    assert calls == ["transfer"] * 3 + ["reroute"] * 3


def test_an_update_that_is_throttled_does_not_delay_the_move(bench):
    bench.connect.update_answers = [SLOW_DOWN] * 99
    bench.connect.transfer_answers = [moved("c2")]
    moved_at = []
    transfer = bench.connect.transfer

    def note_instant(**given):
        moved_at.append(bench.clock.monotonic())
        return transfer(**given)

    bench.connect.transfer = note_instant
    began = bench.clock.monotonic()

    results = bench.perform(bench.decided(bench.waiting()), until=began + 60)

    assert ("Transfer", Outcome.DONE) in outcomes(results)
    assert moved_at == [began]


def test_an_update_is_made_if_the_move_of_its_contact_is_not(bench):
    bench.safety.pauses.set(
        Pause(
            kind=PauseKind.FLOW,
            subject=TO_QUEUE,
            name="flow",
            until=NOW + minutes(60),
            comment="trial",
            who="me",
            set_at=NOW,
        )
    )
    results = bench.perform(bench.decided(bench.waiting()))

    assert outcomes(results) == [("RoutingUpdate", Outcome.DONE), ("Transfer", Outcome.HELD), ("Warn", Outcome.DONE)]


def test_an_update_gives_way_to_what_falls_due(bench):
    due = []
    reroute = bench.connect.reroute

    def make_due(**given):
        due.append(1)
        return reroute(**given)

    bench.connect.reroute = make_due
    decided = bench.decided(bench.waiting("c1"), bench.waiting("c2"), text=LADDER.replace("10m", "3h"))

    results = bench.perform(decided, interrupted=lambda: bool(due))

    updates = [one.outcome for one in results if isinstance(one.decision, RoutingUpdate)]
    assert sorted(one.value for one in updates) == ["done", "interrupted"]
    assert len(bench.connect.updates) == 1


def test_a_throttled_update_ends_as_soon_as_something_is_due(bench):
    bench.connect.update_answers = [SLOW_DOWN] * 99
    due = []
    bench.pacer.throttled = lambda operation: due.append(operation)
    decided = bench.decided(bench.waiting(), text=LADDER.replace("10m", "3h"))

    results = bench.perform(decided, interrupted=lambda: bool(due))

    assert ("RoutingUpdate", Outcome.INTERRUPTED) in outcomes(results)
    assert len(bench.connect.updates) == 1


def test_an_update_that_is_only_observed_is_logged_before_the_move_whatever_delays_the_others(bench):
    observing = LADDER.replace('"ladder"', '"observing"\n    mode = "observe"')
    decided = bench.decided(bench.waiting(), text=LADDER + observing)
    reroute = bench.connect.reroute

    def slowly(**call):
        bench.clock.travel(timedelta(seconds=3))
        return reroute(**call)

    bench.connect.reroute = slowly
    bench.connect.transfer_answers = [moved("c2")]
    with capture_logs() as lines:
        bench.perform(decided, until=bench.clock.monotonic() + 60)

    events = [line["event"] for line in lines]
    assert events.index("contact.would_reprioritize") < events.index("contact.transferred")


def test_the_most_urgent_contacts_are_moved_first(bench):
    ids = ["c1", "c2", "c3"]
    bench.connect.transfer_answers = [moved(f"after {one}") for one in ids]
    decided = bench.decided(*[bench.waiting(one) for one in ids], text=overflow())

    bench.perform(decided)

    assert [one for one, _, _ in bench.connect.transfers] == [one.contact.id for one in decided.decisions]


def test_observed_decisions_go_to_the_observer_alone(bench):
    decided = bench.decided(bench.waiting(), text=overflow(mode="observe"))
    assert [one.mode for one in decided.decisions] == [Mode.OBSERVE]
    results = bench.perform(decided)

    assert outcomes(results) == [("Transfer", Outcome.DONE)]
    assert (bench.connect.transfers, bench.ledger.history()) == ([], ())
    assert len(bench.observed.history()) == 1


def late(bench, decided):
    return {"until": bench.clock.monotonic()}


def stopping(bench, decided):
    bench.runtime.stopping.set()
    return {}


def interrupted(bench, decided):
    return {"interrupted": lambda: True}


def changed_rules(bench, decided):
    bench.safety.terms.change()
    return {}


def closing(bench, decided):
    decided.decisions = [replace(one, acts_before=NOW) for one in decided.decisions]
    return {}


@pytest.mark.parametrize(
    ("came_first", "outcome"),
    [
        (late, Outcome.NOT_SENT),
        (stopping, Outcome.NOT_SENT),
        (closing, Outcome.NOT_SENT),
        (interrupted, Outcome.INTERRUPTED),
        (changed_rules, Outcome.INTERRUPTED),
    ],
)
def test_what_had_not_begun_in_time_is_left_to_the_next_decision(bench, came_first, outcome):
    decided = bench.decided(bench.waiting())
    context = came_first(bench, decided)

    results = bench.perform(decided, **context)

    assert {one.outcome for one in results} == {outcome}
    assert len(results) == 3
    assert (bench.connect.transfers, bench.connect.updates, bench.ledger.history()) == ([], [], ())


def test_an_operator_s_pause_holds_what_was_decided_before_it(bench):
    decided = bench.decided(bench.waiting())
    bench.safety.pauses.set(
        Pause(kind=PauseKind.ALL, subject="", name="", until=NOW + minutes(5), comment="", who="ann", set_at=NOW)
    )
    results = bench.perform(decided)

    assert {(one.outcome, one.reason) for one in results} == {(Outcome.HELD, HoldReason.OPERATOR_PAUSE)}
    assert bench.connect.transfers == []


def test_a_contact_that_fails_stops_no_other(bench):
    decided = bench.decided(bench.waiting("c1"), bench.waiting("c2"), text=overflow())
    bench.connect.transfer_answers = [moved("after")]
    describe = bench.connect.describe

    def fails(contact_id):
        if contact_id == "c1":
            raise ZeroDivisionError
        return describe(contact_id)

    bench.connect.describe = fails
    with capture_logs() as lines:
        results = bench.perform(decided)

    assert sorted(one.outcome.value for one in results) == ["done", "not_sent"]
    assert "contact.broken" in [line["event"] for line in lines]


def test_a_ledger_that_fails_is_logged_and_nothing_is_moved(bench, monkeypatch):
    decided = bench.decided(bench.waiting(), text=overflow())

    def full(action):
        raise LedgerUnavailable("disk full")

    monkeypatch.setattr(bench.ledger, "intend", full)
    with capture_logs() as lines:
        results = bench.perform(decided)

    assert bench.connect.transfers == []
    assert "ledger.failed" in [line["event"] for line in lines]
    assert len(results) == 1
    assert results[0].outcome is not Outcome.DONE


def test_a_pause_that_reading_showed_sends_the_contact_back_to_be_decided_on_with_it(bench):
    one = bench.waiting()
    decided = bench.decided(one, text=overflow())
    [decision] = decided.decisions
    assert decision.pauses is not None
    decided.decisions = [replace(decision, pauses=replace(decision.pauses, assumed=True))]
    bench.connect.show(replace(one, details=Details(paused_at=NOW - minutes(9), resumed_at=NOW - minutes(1))))

    [result] = bench.perform(decided)

    assert (result.outcome, result.reason) == (Outcome.LEARNT, None)


@pytest.mark.parametrize("wait_for_slots", [True, False])
def test_contacts_without_a_landing_slot_are_held_and_others_go_on(wait_for_slots):
    bench = RoundBench(unlanded=1)
    decided = bench.decided(bench.waiting("c1"), bench.waiting("c2"), text=overflow())
    bench.connect.transfer_answers = [moved("after")]
    waits = []

    def gives_up(flows, *, until):
        waits.append(flows)
        return False

    bench.safety.slots.await_one = gives_up  # type: ignore[method-assign]

    results = bench.perform(decided, wait_for_slots=wait_for_slots)

    assert waits == ([{TO_QUEUE}] if wait_for_slots else [])
    assert sorted((one.outcome.value, one.reason) for one in results) == [
        ("done", None), ("held", HoldReason.FLOW_SUSPENDED)
    ]  # fmt: skip
    bench.close()


def test_a_round_that_waits_for_slots_moves_a_contact_as_soon_as_another_has_landed():
    bench = RoundBench(unlanded=1)
    decided = bench.decided(bench.waiting("c1"), bench.waiting("c2"), text=overflow())
    bench.connect.transfer_answers = [moved("after c1"), moved("after c2")]
    slots = bench.safety.slots

    def lands(flows, *, until):
        [first] = bench.moves
        assert first.target is not None
        slots.free(first.target.flow_id, first.contact_id)
        return True

    slots.await_one = lands  # type: ignore[method-assign]
    results = bench.perform(decided, wait_for_slots=True)

    assert [one.outcome for one in results] == [Outcome.DONE, Outcome.DONE]
    bench.close()


def test_a_slot_that_becomes_free_in_a_round_goes_to_no_contact_less_urgent_than_one_that_was_refused():
    bench = RoundBench(unlanded=1)
    decided = bench.decided(*[bench.waiting(one) for one in ("c1", "c2", "c3", "c4")], text=overflow())
    first, second, third, other = decided.decisions
    assert isinstance(other, Transfer)
    decided.decisions[3] = replace(other, target=replace(other.target, flow_id=ANOTHER_FLOW))
    bench.connect.transfer_answers = [moved(f"after {number}") for number in range(4)]
    acquire, slots = bench.pacer.acquire, bench.safety.slots

    def lands_before_the_third(*args, **others):
        if len(bench.pacer.acquired) == 2:
            slots.free(TO_QUEUE, first.contact.id)
        return acquire(*args, **others)

    bench.pacer.acquire = lands_before_the_third  # type: ignore[method-assign]
    bench.perform(decided)
    assert [one for one, _, _ in bench.connect.transfers] == [first.contact.id, other.contact.id]

    assert slots.reopen()
    decided.decisions = [second, third]
    bench.perform(decided)
    assert bench.connect.transfers[-1][0] == second.contact.id
    bench.close()


def test_tokens_that_no_call_used_are_given_back(bench):
    decided = bench.decided(bench.waiting("c1"), bench.waiting("c2"), text=overflow())
    bench.connect.contacts.clear()

    bench.perform(decided)

    assert bench.pacer.seen.count("given back") == len(bench.pacer.acquired) > 0


def test_a_move_that_a_change_of_rules_stopped_is_decided_on_again_at_once(bench):
    decided = bench.decided(bench.waiting(), text=overflow())
    bench.connect.transfer_answers = [SLOW_DOWN, moved("after")]
    bench.pacer.pause = lambda seconds: bench.safety.terms.change()

    [result] = bench.perform(decided)

    assert result.outcome is Outcome.INTERRUPTED
    assert len(bench.connect.transfers) == 1


def test_holds_are_no_work(bench):
    assert bench.round.perform([object()], bench.decided().context, wait_for_slots=False) == []


def test_each_kind_of_decision_reaches_its_performer(bench):
    """Shows that the bench makes such decisions: without them every other test here would pass."""
    kinds = {type(one) for one in bench.decided(bench.waiting()).decisions}
    assert kinds == {Transfer, RoutingUpdate, Warn}


def test_a_contact_that_took_long_comes_last_and_takes_no_landing_slot_while_it_cannot_be_read(bench):
    bench.connect.transfer_answers = [moved("c3")]
    decided = bench.decided(bench.waiting("c1"), bench.waiting("c2"), text=overflow())
    slow, quick = decided.decisions
    bench.round.stragglers.took(slow, 2.0)
    describe = bench.connect.describe
    bench.connect.describe = lambda one: SILENT if one == slow.contact.id else describe(one)

    results = bench.perform(decided)

    assert [(one.decision, one.outcome, one.reason) for one in results] == [
        (quick, Outcome.DONE, None),
        (slow, Outcome.HELD, HoldReason.UNREADABLE),
    ]
    assert bench.safety.slots.taken(slow.target.flow_id) == 1
    assert [one.contact_id for one in bench.ledger.history()] == [quick.contact.id]


def test_while_many_contacts_hang_each_is_read_before_it_takes_a_landing_slot_or_retains_a_token(bench):
    decided = bench.decided(bench.waiting("c1"), text=overflow())
    bench.round.stragglers.leave(bench.decided(bench.waiting("hangs"), text=overflow()).decisions[0])
    bench.connect.describe = lambda _: SILENT

    results = bench.perform(decided)

    assert [(one.outcome, one.reason) for one in results] == [(Outcome.HELD, HoldReason.UNREADABLE)]
    assert bench.ledger.history() == ()
    assert bench.pacer.seen == ["given back"]


def test_a_contact_that_took_long_is_moved_as_soon_as_it_can_be_read(bench):
    bench.connect.transfer_answers = [moved("c2")]
    decided = bench.decided(bench.waiting("c1"), text=overflow())
    bench.round.stragglers.took(decided.decisions[0], 2.0)
    assert outcomes(bench.perform(decided)) == [("Transfer", Outcome.DONE)]
