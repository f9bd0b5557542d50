"""Checks how an intent without a response is settled: by reading first, and by the same call only if it may be made."""

from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest
from structlog.testing import capture_logs

from router.connect.answers import Full, Rejected, Throttled, Transferred, Unknown, Updated
from router.cycle_context import CycleContext
from router.decide.act import ROUTING_APPLIES_WITHIN
from router.execute.recovery import REPEATABLE
from router.ledger import LedgerUnavailable
from router.model import ActionKind, ActionState, ContactId, Details, HoursId, Landing, Pause, PauseKind, Target
from router.rules.rule import Mode
from router.runtime import Runtime
from tests.builders.contacts import NOW, act, contact, minutes
from tests.builders.execution import OLD, URGENT, ExecutionBench
from tests.builders.instance import DIRECTORY, OVERFLOW, TO_QUEUE, to
from tests.builders.rules import overflow, rules

SECOND = timedelta(seconds=1)
BEFORE = contact("c1", waited=60)
MOVED = Transferred(contact_id=ContactId("c2"))
REJECTED = Rejected(code="InvalidRequestException", message="no", status=400)
LOST = Unknown(code="TimedOut", message="")
SLOW_DOWN = Throttled(code="TooManyRequestsException")
ACTED, INTENDED, NEVER_SENT = ActionState.ACTED, ActionState.INTENDED, ActionState.NEVER_SENT
RULES = rules(overflow())


class RecoveryBench(ExecutionBench):
    """Holds one intent that an earlier process left open, a minute ago."""

    def left(self, *, ago: timedelta = timedelta(minutes=1), **others):
        """Writes the intent of a move that was decided ``ago``."""
        given = {"target": to(OVERFLOW), "token": "token", "decided_at": NOW - ago, "attempts": 1}
        action = self.ledger.intend(act(BEFORE, **{**given, **others}))
        if action.kind is ActionKind.TRANSFER:
            assert self.safety.slots.take(TO_QUEUE, action.contact_id)
        return action

    def left_update(self, *, ago: timedelta = timedelta(minutes=2), **others):
        """Writes the intent of an update that was decided, and sent, ``ago``."""
        given = {"kind": "routing", "routing": URGENT, "before": OLD, "target": None, "token": None}
        return self.left(ago=ago, **{**given, **others})

    def settle(self, *contacts, mode=Mode.ENFORCE, directory=DIRECTORY, bound=RULES, until=None):
        """Settles what is open after showing the contacts; returns how many, and the outcomes in the log."""
        for one in contacts:
            self.connect.show(one)
        context = CycleContext(cycle=8, rules=bound, directory=directory, until=until, terms=self.safety.terms.number)
        with capture_logs() as lines:
            count = self.recovery.settle_open(context, mode)
        return count, [line.get("outcome", line["event"]) for line in lines]

    @property
    def state(self):
        (one,) = self.ledger.history()
        return one.state


@pytest.fixture
def bench():
    bench = RecoveryBench()
    yield bench
    bench.close()


GONE = {
    "ended": replace(BEFORE, disconnected_at=NOW),
    "with an agent": replace(BEFORE, connected_at=NOW),
    "in another queue": replace(BEFORE, queue_id=OVERFLOW),
    "queued again": replace(BEFORE, enqueued_at=NOW),
    "paused elsewhere": replace(BEFORE, queue_id=OVERFLOW, details=Details(paused_at=NOW)),
}


@pytest.mark.parametrize("seen", GONE.values(), ids=GONE.keys())
def test_a_contact_that_has_left_its_place_has_been_moved_and_is_followed(bench, seen):
    bench.left()

    assert bench.settle(seen) == (1, ["acted"])
    assert (bench.state, bench.connect.transfers) == (ACTED, [])
    [move] = bench.moves
    assert move.landing is Landing.PENDING
    assert bench.safety.slots.taken(TO_QUEUE) == 1


def test_a_contact_that_connect_no_longer_knows_has_been_moved(bench):
    bench.left()

    assert bench.settle() == (1, ["acted"])
    assert bench.state is ACTED


def test_a_contact_that_still_waits_gets_the_same_call_again(bench):
    intent = bench.left()
    bench.connect.transfer_answers = [MOVED]

    assert bench.settle(BEFORE) == (1, ["repeated"])
    assert bench.connect.transfers == [("c1", intent.target, "token")]
    assert bench.moves[0].new_contact_id == "c2"


def test_what_cannot_be_read_is_not_settled(bench):
    bench.left()
    bench.connect.failures[BEFORE.id] = LOST

    assert bench.settle() == (0, [])
    assert (bench.state, bench.connect.transfers) == (INTENDED, [])


@pytest.mark.parametrize("queue_id", [BEFORE.queue_id, None])
def test_a_paused_contact_in_its_place_or_in_none_is_waited_for(bench, queue_id):
    bench.left()

    assert bench.settle(replace(BEFORE, queue_id=queue_id, details=Details(paused_at=NOW))) == (0, [])
    assert (bench.state, bench.connect.transfers) == (INTENDED, [])


@pytest.mark.parametrize(("over", "state"), [(SECOND, NEVER_SENT), (-SECOND, ACTED)])
def test_after_ten_minutes_the_call_is_not_repeated_and_counts_as_never_sent(bench, over, state):
    bench.left(ago=REPEATABLE + over)
    bench.connect.transfer_answers = [MOVED]

    count, _ = bench.settle(BEFORE)

    assert (count, bench.state) == (1, state)
    assert len(bench.connect.transfers) == (0 if state is NEVER_SENT else 1)
    assert bench.safety.slots.taken(TO_QUEUE) == (0 if state is NEVER_SENT else 1)


def paused(bench):
    bench.safety.pauses.set(
        Pause(kind=PauseKind.ALL, subject="", name="", until=NOW + minutes(5), comment="", who="ann", set_at=NOW)
    )
    return {}


def changed(bench):
    describe = bench.connect.describe

    def changes(contact_id):
        bench.safety.terms.change()
        return describe(contact_id)

    bench.connect.describe = changes
    return {}


def stopped(bench):
    bench.safety.breakers.stop_calls()
    return {}


@pytest.mark.parametrize(
    "forbids",
    {
        "observing": lambda bench: {"mode": Mode.OBSERVE},
        "the rule observes": lambda bench: {"bound": rules(overflow(mode="observe"))},
        "the rule is gone": lambda bench: {"bound": rules(overflow("another"))},
        "the rule is no longer in force": lambda bench: {"bound": rules(overflow(more="until = 2020-01-01T00:00:00Z"))},
        "an operator's pause": paused,
        "changed rules": changed,
        "refused credentials": stopped,
        "stopping": lambda bench: bench.runtime.stopping.set() or {},
        "the next poll is due": lambda bench: {"until": bench.clock.monotonic()},
    }.values(),
)
def test_a_call_that_may_not_be_made_now_is_not_repeated(bench, forbids):
    bench.left()
    bench.connect.transfer_answers = [MOVED]
    given = forbids(bench)

    count, _ = bench.settle(BEFORE, **given)

    assert (count, bench.state, bench.connect.transfers) == (0, INTENDED, [])


@pytest.mark.parametrize("is_open", [True, False, None], ids=["open", "closed", "no hours"])
def test_a_call_is_repeated_only_in_open_hours(is_open):
    bench = RecoveryBench()
    hours = HoursId("office")
    bench.recovery = replace(bench.recovery, is_open=lambda one: is_open is True and one == hours)
    queues = [replace(one, hours_id=None if is_open is None else hours) for one in DIRECTORY.queues]
    directory = replace(DIRECTORY, queues=tuple(queues))
    bound = rules(overflow(more='sla.hours = "queue"\nsla.target = "1h"'))
    bench.left()
    bench.connect.transfer_answers = [MOVED]

    bench.settle(BEFORE, directory=directory, bound=bound)

    assert bench.state is (ACTED if is_open else INTENDED)
    bench.close()


@pytest.mark.parametrize("answer", [REJECTED, Full(message="full")], ids=["rejected", "full"])
def test_a_refusal_shows_nothing_about_the_first_call_and_is_not_provoked_again(bench, answer):
    bench.left()
    bench.connect.transfer_answers = [answer, MOVED]

    assert [bench.settle(BEFORE)[0] for _ in range(2)] == [0, 0]
    assert (bench.state, len(bench.connect.transfers)) == (INTENDED, 1)


def test_a_refusal_of_a_contact_that_has_gone_meanwhile_shows_that_it_was_moved(bench):
    bench.left()

    def gone(**asked):
        bench.connect.show(replace(BEFORE, disconnected_at=NOW))
        return REJECTED

    bench.connect.transfer = gone
    assert bench.settle(BEFORE) == (1, ["acted"])
    assert bench.state is ACTED


@pytest.mark.parametrize("answer", [LOST, SLOW_DOWN])
def test_a_repeat_without_a_response_stays_open(bench, answer):
    bench.left()
    bench.connect.transfer_answers = [answer] * 9

    assert bench.settle(BEFORE)[0] == 0
    assert (bench.state, bench.safety.slots.taken(TO_QUEUE)) == (INTENDED, 1)


@pytest.mark.parametrize(
    ("kind", "claim", "settled"),
    [
        ("move", "claim", 0),
        ("move", "claim_update", 1),
        ("update", "claim", 0),
        ("update", "claim_update", 0),
    ],
)
def test_what_this_process_is_acting_on_is_left_to_it_except_that_no_move_waits_for_an_update(
    bench, kind, claim, settled
):
    bench.left() if kind == "move" else bench.left_update()
    with getattr(bench.in_progress, claim)(BEFORE.id):
        assert bench.settle(GONE["ended"])[0] == settled


def test_one_that_breaks_stops_no_other(bench):
    bench.left()
    other = contact("d1", waited=60)
    bench.ledger.intend(act(other, target=to(OVERFLOW), token="d", decided_at=NOW))
    describe = bench.connect.describe

    def breaks(contact_id):
        if contact_id == BEFORE.id:
            raise ZeroDivisionError
        return describe(contact_id)

    bench.connect.describe = breaks
    count, lines = bench.settle(replace(other, disconnected_at=NOW))
    assert (count, sorted(lines)) == (1, ["acted", "contact.broken"])


def test_a_ledger_that_fails_is_logged_and_the_intent_stays_open(bench, monkeypatch):
    bench.left()

    def full(action):
        raise LedgerUnavailable("disk full")

    monkeypatch.setattr(bench.ledger, "settle", full)
    assert bench.settle(GONE["ended"]) == (0, ["ledger.failed"])
    assert (bench.state, bench.moves) == (INTENDED, [])


def test_moves_are_settled_before_updates_and_those_tried_least_first(bench):
    for number, kind, attempts in ((1, "routing", 0), (2, "transfer", 3), (3, "transfer", 1), (4, "routing", 2)):
        one = contact(f"c{number}", waited=60)
        given = {"routing": URGENT, "before": OLD} if kind == "routing" else {"target": to(OVERFLOW), "token": "t"}
        action = bench.ledger.intend(act(one, kind=kind, decided_at=NOW, **given))
        bench.ledger.renew(replace(action, attempts=attempts, send_by=NOW))
    order = []

    def missing(contact_id):
        order.append(contact_id)
        return LOST

    bench.connect.describe = missing
    bench.settle()
    assert order == ["c3", "c2", "c1", "c4"]


SHOWN = {
    "the new value": (replace(BEFORE, details=Details(priority=2)), "acted"),
    "another value": (replace(BEFORE, details=Details(priority=7)), "replaced"),
    "it has ended": (replace(BEFORE, disconnected_at=NOW), "gone"),
    "it is elsewhere": (replace(BEFORE, queue_id=OVERFLOW), "gone"),
}


@pytest.mark.parametrize(("seen", "outcome"), SHOWN.values(), ids=SHOWN.keys())
def test_an_update_whose_contact_shows_anything_but_the_old_value_is_over(bench, seen, outcome):
    bench.left_update(ago=SECOND)

    assert bench.settle(seen) == (1, [outcome])
    assert (bench.state, bench.connect.updates) == (ACTED, [])


def test_an_update_of_a_contact_that_connect_no_longer_knows_is_over(bench):
    bench.left_update()

    assert bench.settle() == (1, ["gone"])


@pytest.mark.parametrize(("over", "repeats"), [(SECOND, True), (-SECOND, False)])
def test_an_update_that_does_not_show_is_repeated_once_connect_must_have_applied_it(bench, over, repeats):
    bench.left_update(ago=ROUTING_APPLIES_WITHIN + over)

    assert bench.settle(BEFORE) == ((1, ["repeated"]) if repeats else (0, []))
    assert bench.connect.updates == ([("c1", URGENT)] if repeats else [])


def test_an_update_that_does_not_show_after_ten_minutes_was_never_sent(bench):
    bench.left_update(ago=REPEATABLE + SECOND)

    assert bench.settle(BEFORE) == (1, ["never_sent"])
    assert (bench.state, bench.connect.updates) == (NEVER_SENT, [])


@pytest.mark.parametrize(
    ("answer", "count", "state"),
    [(Updated(), 1, ACTED), (REJECTED, 1, ActionState.REFUSED), (LOST, 0, INTENDED), (SLOW_DOWN, 0, INTENDED)],
)
def test_a_repeated_update_is_settled_by_its_response(bench, answer, count, state):
    bench.left_update()
    bench.connect.update_answers = [answer] * 9

    assert bench.settle(BEFORE)[0] == count
    assert bench.state is state


@pytest.mark.parametrize("given", [{"mode": Mode.OBSERVE}, {"bound": rules(overflow("another"))}])
def test_an_update_that_no_rule_makes_any_longer_is_not_repeated(bench, given):
    bench.left_update()

    assert bench.settle(BEFORE, **given)[0] == 0
    assert bench.connect.updates == []


def test_an_update_that_cannot_be_read_is_not_settled(bench):
    bench.left_update()
    bench.connect.failures[BEFORE.id] = LOST

    assert bench.settle() == (0, [])
    assert bench.state is INTENDED


def test_the_target_of_a_repeat_is_the_intent_s_own(bench):
    """Repeats the recorded call, even if the rule has changed: another target would be a second move."""
    elsewhere = Target(flow_id=TO_QUEUE, queue_id=OVERFLOW)
    bench.left(target=elsewhere)
    bench.connect.transfer_answers = [MOVED]

    bench.settle(BEFORE, bound=rules(overflow(to='{ queue = "General" }')))
    assert [target for _, target, _ in bench.connect.transfers] == [elsewhere]


@pytest.mark.uses("threads")
def test_as_many_intents_are_settled_at_a_time_as_there_are_workers(bench):
    for number in range(8):
        left = contact(f"d{number}", waited=60)
        bench.ledger.intend(act(left, target=to(OVERFLOW), token="token", decided_at=NOW, attempts=1))
        bench.connect.show(replace(left, disconnected_at=NOW))
    together, describe = Barrier(4), bench.connect.describe

    def describe_together(contact_id):
        together.wait(timeout=10)
        return describe(contact_id)

    bench.connect.describe = describe_together
    bench.recovery = replace(bench.recovery, runtime=Runtime(clock=bench.clock, workers=4))
    assert bench.settle() == (8, ["acted"] * 8)
