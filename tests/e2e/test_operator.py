"""Checks what an operator's commands over the control socket do in Connect: what is paused is not sent."""

import threading
from datetime import timedelta

import pytest

from router.daemon.control.operator import Operator
from router.daemon.control.protocol import Peer, Request
from router.daemon.control.requests import Desk, Service
from router.model import ActionState, HoldReason, Landing, PauseKind
from router.rules.rule import Mode
from tests.e2e.centre import FLOW, LATE_RULE

HOUR = timedelta(hours=1)
ROOT = Peer(1, 0, 0)


def ask(app, command, **arguments):
    operator = Operator(app)
    services = {name: Service(answer=getattr(operator, name), changes=True) for name in ("pause", "resume", "retry")}
    return Desk(services).handle(Request(command=command, arguments=arguments), ROOT)


def pause(app, kind, name=None, *, for_s=600, comment="incident 4711"):
    answer = ask(app, "pause", kind=kind, name=name, for_s=for_s, comment=comment)
    assert answer.ok, answer.errors


def cycle(app):
    return app.cycle.run(until=None)


@pytest.mark.parametrize(
    ("kind", "name"),
    [("rule", "late"), ("queue", "Billing"), ("queue", "Billing Overflow"), ("flow", FLOW), ("all", None)],
)
def test_what_is_paused_is_held_until_it_is_resumed(centre, events, kind, name):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router()
    pause(app, kind, name)

    assert cycle(app).held == {"operator_pause": 1}
    assert not centre.world.transfers
    assert ask(app, "resume", kind=kind, name=name).ok
    cycle(app)

    assert [one.contact_id for one in centre.world.transfers] == [contact]
    assert [(one["event"], one["who"]) for one in events if one["event"].startswith("pause.")] == [
        ("pause.set", "root"), ("pause.cleared", "root"),
    ]  # fmt: skip


def test_a_contact_is_paused_alone(centre):
    one = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    other = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router()
    pause(app, "contact", one)

    cycle(app)

    assert [move.contact_id for move in centre.world.transfers] == [other]


def test_a_pause_survives_a_restart_and_ends_by_itself(centre, events):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    first = centre.router()
    pause(first, "all", for_s=600)
    centre.end(first)
    second = centre.router()
    assert cycle(second).held == {"operator_pause": 1}

    centre.clock.travel(timedelta(seconds=601))
    second.safety.pauses.expire()
    cycle(second)

    assert [move.contact_id for move in centre.world.transfers] == [contact]
    assert [one["who"] for one in events if one["event"] == "pause.cleared"] == ["expiry"]
    assert second.safety.pauses.now.all == ()


def test_observing_tells_a_pause_too(centre):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(mode=Mode.OBSERVE)
    pause(app, "rule", "late")

    assert cycle(app).held == {"operator_pause": 1}


def test_a_pause_that_comes_between_two_attempts_stops_the_second(centre):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.world.faults.add("throttle", "TransferContact", count=1)
    app = centre.router()
    sends = []
    original = app.executor.attempts.mover

    class Pausing:
        """Calls the real mover; the operator pauses right after its first call."""

        def transfer(self, **arguments):
            sends.append(arguments)
            answer = original.transfer(**arguments)
            pause(app, "all")
            return answer

        reroute = original.reroute

    app.executor.attempts.mover = Pausing()

    report = cycle(app)

    assert len(sends) == 1
    assert report.held == {"operator_pause": 1}
    assert not centre.world.transfers
    assert [one.state for one in app.ledger.history()] == [ActionState.NEVER_SENT]


def test_under_a_pause_an_intent_without_an_answer_is_settled_by_reading_only(centre):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.world.faults.add("error_500", "TransferContact", count=100)
    app = centre.router(**{"execute.retry.attempts": 1})
    cycle(app)
    assert [one.state for one in app.ledger.history()] == [ActionState.INTENDED]
    calls = app.connection.calls()["TransferContact"]
    pause(app, "all", for_s=3600)

    cycle(app)
    assert app.connection.calls()["TransferContact"] == calls
    assert [one.state for one in app.ledger.history()] == [ActionState.INTENDED]
    centre.clock.travel(timedelta(minutes=11))
    cycle(app)

    assert app.connection.calls()["TransferContact"] == calls
    assert [one.state for one in app.ledger.history()] == [ActionState.NEVER_SENT]


def test_a_pause_counts_for_the_workers_from_the_moment_it_is_answered(centre):
    app = centre.router()
    asking = threading.Thread(target=pause, args=(app, "all"))
    asking.start()
    asking.join(10)
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)

    assert cycle(app).held == {"operator_pause": 1}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"kind": "rule", "name": "lat"}, "no rule is called 'lat' (did you mean 'late'?)"),
        ({"kind": "queue", "name": "Biling"}, "no queue is called 'Biling' (did you mean 'Billing'?)"),
        ({"kind": "flow", "name": "Overflow to que"}, "did you mean 'Overflow to queue'?"),
        ({"kind": "rule"}, "a rule needs its name"),
        ({"kind": "everything"}, "one of rule, queue, flow, contact, all"),
        ({"kind": "all", "for_s": 0}, "from 1 second"),
        ({"kind": "all", "for_s": True}, "from 1 second"),
        ({"kind": "all", "for_s": 1e300}, "365 days"),
        ({"kind": "all", "comment": "  "}, "needs a comment"),
        ({"kind": "all", "comment": "x" * 201}, "at most 200"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_paused(centre, arguments, told):
    app = centre.router()

    answer = ask(app, "pause", **{"for_s": 60, "comment": "why", **arguments})

    assert told in answer.errors[0]
    assert app.safety.pauses.now.all == ()


def test_resuming_what_is_not_paused_is_told_with_what_is(centre):
    app = centre.router()
    pause(app, "rule", "late")

    answer = ask(app, "resume", kind="queue", name="Billing")

    assert answer.errors == ("resume: queue 'Billing' is not paused; paused: rule late",)


def test_to_pause_again_sets_a_new_time(centre):
    app = centre.router()
    pause(app, "all", for_s=60)
    pause(app, "all", for_s=6000)

    (one,) = app.safety.pauses.now.all
    assert one.kind is PauseKind.ALL
    assert one.until - one.set_at == timedelta(seconds=6000)


def test_a_suspended_flow_is_used_again_after_resume_and_after_a_restart_too(centre, events):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(**{"guard.unlanded": 1, "execute.landing_timeout": "1s"})
    cycle(app)
    (moved,) = app.ledger.history()
    centre.clock.travel(timedelta(seconds=1))
    app.follower.look()
    _make_stray(app, moved)
    second = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    assert cycle(app).held == {"flow_suspended": 1}

    answer = ask(app, "resume", kind="flow", name=FLOW)
    again = cycle(app)

    assert answer.result["forgiven_strays"] == 1
    assert again.held == {}
    assert [one.contact_id for one in centre.world.transfers][-1] == second
    assert any(one["event"] == "flow.resumed" for one in events)
    centre.end(app)
    third = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    restarted = centre.router(**{"guard.unlanded": 2})
    cycle(restarted)
    assert [one.contact_id for one in centre.world.transfers][-1] == third


def _make_stray(app, moved):
    """Records a stray, as the follower does when a flow has lost a contact."""
    from dataclasses import replace

    stray = replace(app.ledger.history(contact_id=moved.contact_id)[0], landing=Landing.STRAY)
    app.ledger.land(stray)
    app.safety.slots.reset((stray,))
    app.follower.watch(stray, read_age=None)


def test_what_connect_refused_is_tried_again_after_retry_with_another_token(centre):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.world.faults.add("error", "TransferContact", code="InvalidRequestException", count=1)
    app = centre.router()
    cycle(app)
    assert cycle(app).held == {HoldReason.FAILED_BEFORE.value: 1}

    answer = ask(app, "retry", rule="late")
    cycle(app)

    assert answer.result == {"contacts": 1}
    assert [one.contact_id for one in centre.world.transfers] == [contact]
    first, second = app.ledger.history()
    assert first.token != second.token
    assert ask(app, "retry").result == {"contacts": 0}


def test_a_retry_of_an_unknown_rule_is_refused(centre):
    app = centre.router(LATE_RULE)

    assert ask(app, "retry", rule="lat").errors == ("no rule is called 'lat' (did you mean 'late'?)",)
