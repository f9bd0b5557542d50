"""Checks intents without a response, and a ledger that fails at the worst moment: never twice, never for ever."""

import sqlite3
import threading
import time
from datetime import timedelta

import pytest

from router.cycle_context import CycleContext
from router.rules.rule import Mode
from router.sandbox import Behaviours
from tests.e2e.centre import FLOW, LATE_RULE

HOUR = timedelta(hours=1)
ONE_TRY = {"execute.retry.attempts": 1}


def lines(events, event):
    return [line for line in events if line["event"] == event]


def moved(centre):
    return [one.contact_id for one in centre.world.transfers]


def outcomes(events):
    return [line["outcome"] for line in lines(events, "contact.recovered")]


def places(app):
    return app.safety.slots.taken(app.names.directory.flow(FLOW).id)


def settle_open(app):
    context = CycleContext(cycle=0, rules=app.names.rules, directory=app.names.directory)
    return app.executor.recovery.settle_open(context, Mode.ENFORCE)


class Locked:
    """Somebody holds the ledger's file, as a backup that never ends does: writing to it fails."""

    def __init__(self, app):
        app.ledger._connection.execute("PRAGMA busy_timeout = 50")
        self._other = sqlite3.connect(app.settings.ledger.path, isolation_level=None, check_same_thread=False)

    def lock(self, _params=None):
        if not self._other.in_transaction:
            self._other.execute("BEGIN EXCLUSIVE")

    def release(self):
        self._other.rollback()

    def close(self):
        self._other.close()


@pytest.fixture
def locked(request):
    made = []

    def make(app):
        made.append(Locked(app))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_without_the_ledger_nothing_is_sent(centre, events, locked):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router()
    ledger = locked(app)
    centre.sandbox.after("SearchContacts", ledger.lock)
    with pytest.raises(Exception, match="locked"):
        app.cycle.run(until=None)
    assert centre.sandbox.count("TransferContact") == 0
    assert places(app) == 0


def test_a_move_whose_outcome_could_not_be_written_is_told_settled_by_reading_and_never_made_twice(
    centre, events, locked
):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router()
    ledger = locked(app)
    take_off = centre.sandbox.after("TransferContact", ledger.lock)
    app.cycle.run(until=None)
    [failed] = lines(events, "ledger.failed")
    assert failed["contact_id"] == contact
    assert failed["new_contact_id"] == centre.world.transfers[0].new_contact_id
    assert places(app) == 1
    take_off()
    ledger.release()
    assert len(app.ledger.open_intents()) == 1
    app.cycle.run(until=None)
    centre.land(app)
    assert outcomes(events) == ["acted"]
    assert moved(centre) == [contact]
    assert app.ledger.open_intents() == ()
    assert places(app) == 0


def test_a_landing_that_could_not_be_written_is_told_when_it_can_be(centre, events, locked):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router()
    app.cycle.run(until=None)
    ledger = locked(app)
    take_off = centre.sandbox.after("DescribeContact", ledger.lock)
    centre.clock.travel(timedelta(seconds=1))
    app.follower.look()
    assert "locked" in app.safety.ledger.problem
    assert places(app) == 1
    take_off()
    ledger.release()
    centre.land(app)
    assert len(lines(events, "contact.landed")) == 1
    assert places(app) == 0


def test_a_stray_that_could_not_be_written_is_told_when_it_can_be(centre, events, locked):
    centre.world.set_flow(FLOW, outcome="never")
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router()
    app.cycle.run(until=None)
    ledger = locked(app)
    take_off = centre.sandbox.after("DescribeContact", ledger.lock)
    centre.clock.travel(timedelta(minutes=3))
    app.follower.look()
    assert "locked" in app.safety.ledger.problem
    assert lines(events, "contact.stray") == []
    take_off()
    ledger.release()
    centre.clock.travel(timedelta(minutes=1))
    app.follower.look()
    assert len(lines(events, "contact.stray")) == 1


def test_an_intent_keeps_its_place_until_it_is_settled_and_gives_it_back_once(centre, events):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.world.faults.add("reset_before", "TransferContact", count=1)
    app = centre.router(**ONE_TRY)
    app.cycle.run(until=None)
    assert places(app) == 1
    centre.clock.travel(timedelta(minutes=11))
    centre.world.faults.add("error", "TransferContact", code="InvalidRequestException", count=5)
    app.cycle.run(until=None)
    assert outcomes(events) == ["never_sent"]
    assert places(app) == 0


@pytest.mark.parametrize("code", ["InvalidRequestException", "IdempotencyException"])
def test_a_refused_repeat_is_no_failure_and_is_not_repeated_again(centre, events, code):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.world.faults.add("reset_before", "TransferContact", count=1)
    app = centre.router(**ONE_TRY)
    app.cycle.run(until=None)
    centre.world.faults.add("error", "TransferContact", code=code, message="no", count=1)
    for _ in range(4):
        app.cycle.run(until=None)
    assert centre.sandbox.count("TransferContact") == 2
    assert len(lines(events, "contact.failed")) == 1
    centre.clock.travel(timedelta(minutes=11))
    app.cycle.run(until=None)
    assert outcomes(events) == ["never_sent"]
    assert moved(centre) == [contact]


def test_in_observe_mode_an_intent_of_an_earlier_run_is_settled_by_reading_only(centre, events):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.world.faults.add("reset_before", "TransferContact", count=1)
    first = centre.router(**ONE_TRY)
    first.cycle.run(until=None)
    centre.end(first)
    second = centre.router(mode=Mode.OBSERVE)
    second.cycle.run(until=None)
    assert centre.sandbox.count("TransferContact") == 1
    assert len(second.ledger.open_intents()) == 1
    centre.clock.travel(timedelta(minutes=11))
    second.cycle.run(until=None)
    assert outcomes(events) == ["never_sent"]
    assert moved(centre) == []


def test_an_intent_whose_rule_is_gone_is_settled_by_reading_only(centre, events):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.world.faults.add("reset_before", "TransferContact", count=1)
    first = centre.router(**ONE_TRY)
    first.cycle.run(until=None)
    centre.end(first)
    second = centre.router(LATE_RULE.replace('name = "late"', 'name = "other"').replace('"1h"', '"9h"'))
    second.cycle.run(until=None)
    assert centre.sandbox.count("TransferContact") == 1


@pytest.mark.parametrize(
    "over",
    [
        ('name = "late"', 'name = "late"\nuntil = 2020-01-01T00:00:00Z'),
        ('target = "1h"', 'target = "1h"\nhours = "Never"'),
        ('target = "1h"', 'target = "1h"\nhours = "queue"'),
    ],
)
def test_an_intent_whose_rule_is_over_or_whose_hours_are_closed_is_settled_by_reading_only(centre, events, over):
    centre.world.add_hours("Never", week={})
    centre.world.add_queue("Claims", hours="Never")
    centre.world.enqueue("TASK", "Claims", waited=2 * HOUR)
    rule = LATE_RULE.replace('"Billing"', '"Claims"')
    app = centre.router(rule, **ONE_TRY)
    centre.world.faults.add("reset_before", "TransferContact", count=1)
    app.cycle.run(until=None)
    centre.end(app)
    again = centre.router(rule.replace(*over))
    again.cycle.run(until=None)
    assert moved(centre) == []
    assert len(again.ledger.open_intents()) == 1
    assert outcomes(events) == []


def test_an_intent_of_a_contact_that_was_paused_where_it_was_does_not_stay_open_for_ever(centre, events):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.world.faults.add("reset_before", "TransferContact", count=1)
    app = centre.router(**ONE_TRY)
    app.cycle.run(until=None)
    centre.world.pause(contact)
    app.cycle.run(until=None)
    assert len(app.ledger.open_intents()) == 1
    assert centre.sandbox.count("TransferContact") == 1
    centre.clock.travel(timedelta(minutes=11))
    app.cycle.run(until=None)
    assert outcomes(events) == ["never_sent"]


def test_one_intent_that_cannot_be_read_does_not_keep_the_others_open(centre, events):
    contacts = [centre.world.enqueue("TASK", "Billing", waited=hours * HOUR) for hours in (9, 5, 3)]
    centre.world.faults.add("reset_after", "TransferContact", count=3)
    app = centre.router(**ONE_TRY)
    app.cycle.run(until=None)
    assert len(app.ledger.open_intents()) == 3
    centre.world.faults.add("garbage", "DescribeContact", contact_id=contacts[0])
    app.cycle.run(until=None)
    assert [intent.contact_id for intent in app.ledger.open_intents()] == [contacts[0]]


def test_repeats_that_hang_leave_the_cycle_time_for_what_else_is_due(centre, events):
    stuck = [centre.world.enqueue("TASK", "Billing", waited=9 * HOUR) for _ in range(8)]
    centre.world.faults.add("reset_before", "TransferContact", count=8)
    app = centre.router(**ONE_TRY, **{"execute.workers": 1})
    app.cycle.run(until=None)
    for contact in stuck:
        centre.world.faults.add("slow", "TransferContact", delay=timedelta(seconds=2), contact_id=contact)
    fresh = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    began = time.monotonic()
    app.cycle.run(until=began + 4)
    assert time.monotonic() - began < 10
    assert fresh in moved(centre)
    assert len(moved(centre)) == len(set(moved(centre)))


def test_an_intent_that_a_worker_is_on_is_nobody_else_s(centre, events):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router()
    met = []

    def recover_meanwhile(params):
        settled = threading.Thread(target=lambda: met.append(settle_open(app)))
        settled.start()
        settled.join(10)

    centre.sandbox.before("TransferContact", recover_meanwhile)
    app.cycle.run(until=None)
    assert met == [0]
    assert moved(centre) == [contact]
    assert outcomes(events) == []


BEHAVIOURS = {
    "answers again": Behaviours(repeated_token="answers_again"),
    "refused": Behaviours(repeated_token="refused"),
    "forgotten": Behaviours(repeated_token="unknown"),
    "same contact, forgotten": Behaviours(repeated_token="unknown", transfer="same_contact"),
    "old id, previous lost": Behaviours(answer_id="old", new_segment_previous_id="lost"),
}


@pytest.mark.parametrize("behaviours", BEHAVIOURS.values(), ids=BEHAVIOURS.keys())
@pytest.mark.parametrize("fault", ["reset_before", "reset_after", "error_500", "error_503", "garbage"])
def test_whatever_happens_to_an_answer_a_contact_is_moved_exactly_once(centre, events, fault):
    contacts = [centre.world.enqueue("TASK", "Billing", waited=hours * HOUR) for hours in (9, 5, 3)]
    centre.world.faults.add(fault, "TransferContact", count=4)
    app = centre.router(**{"execute.retry.attempts": 2})
    for _ in range(3):
        app.cycle.run(until=None)
        centre.land(app)
    assert sorted(moved(centre)) == sorted(contacts)
    assert app.ledger.open_intents() == ()
    assert places(app) == 0


def test_a_throttled_repeat_of_a_lost_answer_does_not_forget_that_it_may_have_moved(centre, events):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.world.faults.add("reset_before", "TransferContact", count=1)
    centre.world.faults.add("throttle", "TransferContact", count=9)
    app = centre.router(**{"execute.retry.attempts": 2})
    app.cycle.run(until=None)
    assert len(app.ledger.open_intents()) == 1
    centre.world.faults.clear()
    app.cycle.run(until=None)
    assert moved(centre) == [contact]
    assert outcomes(events) == ["repeated"]
