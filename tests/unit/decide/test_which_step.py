"""Checks that the right step of a rule acts."""

from dataclasses import replace

from router.decide.decide import decide
from router.model import ActionState, Landing
from router.rules.rule import Mode
from tests.builders.contacts import NOW, act, after, contact, minutes, move
from tests.builders.instance import GENERAL, OVERFLOW, SUPERVISORS, metrics, to
from tests.builders.rules import rules
from tests.builders.snapshots import live, outcome, snapshot, the_hold, the_transfer

LADDER = """
    [[rule]]
    name = "ladder"
    match = { queue = "Billing" }
    sla = { target = "40m" }
    [[rule.step]]
    at = "10m"
    to = [{ queue = "Overflow", slots_available = { min = 1 } }]
    [[rule.step]]
    at = "20m"
    to = [{ queue = "General", slots_available = { min = 1 } }]
    warn = "general"
    [[rule.step]]
    at = "30m"
    to = [{ queue = "Supervisors", slots_available = { min = 1 } }]
    [[rule.step]]
    at = "breach"
    warn = "breach"
"""
OPEN = live({OVERFLOW: metrics(slots=1), GENERAL: metrics(slots=1), SUPERVISORS: metrics(slots=1)})


def test_a_step_acts_at_its_time_and_not_before():
    ladder = rules(LADDER)
    assert outcome(snapshot(contact(waited=9.99), metrics=OPEN), ladder) == []
    assert outcome(snapshot(contact(waited=10), metrics=OPEN), ladder) == ["ladder 1: to Overflow"]


def test_of_the_due_to_steps_the_latest_that_has_an_eligible_destination_acts():
    waiting = contact(waited=35)
    some = live({OVERFLOW: metrics(slots=1), GENERAL: metrics(slots=1)})
    assert outcome(snapshot(waiting, metrics=OPEN), rules(LADDER)) == ["ladder 2: warns", "ladder 3: to Supervisors"]
    assert outcome(snapshot(waiting, metrics=some), rules(LADDER)) == ["ladder 2: warns", "ladder 2: to General"]


def test_those_before_it_are_skipped_and_those_after_it_are_not():
    waiting = contact(waited=35)
    some = snapshot(waiting, metrics=live({OVERFLOW: metrics(slots=1), GENERAL: metrics(slots=1)}))
    transfer = the_transfer(decide(some, rules(LADDER)))
    assert transfer.skipped == (1,)
    here = after(waiting, queue=GENERAL, waited=10)
    gone = move(replace(waiting, enqueued_at=NOW - minutes(35)), here, "ladder", at=20)
    assert outcome(
        snapshot(here, history=(gone, act(waiting, "ladder", at=20, kind="warn")), metrics=OPEN), rules(LADDER)
    ) == ["ladder 3: to Supervisors"]


def test_with_none_eligible_the_contact_holds_and_says_why_of_each_destination():
    decision = the_hold(decide(snapshot(contact(waited=35)), rules(LADDER)))
    assert (decision.reason, decision.step) == ("no_eligible_destination", 3)
    assert decision.detail == (
        '"Supervisors": slots_available is 0, below 1; '
        '"General": slots_available is 0, below 1; '
        '"Overflow": slots_available is 0, below 1'
    )


def test_all_due_to_steps_are_tried_again_each_cycle_latest_first():
    waiting, ladder = contact(waited=35), rules(LADDER)
    warned = (act(waiting, "ladder", at=20, kind="warn"),)
    assert outcome(snapshot(waiting, history=warned), ladder) == ["ladder 3: no_eligible_destination"]
    freed = live({OVERFLOW: metrics(slots=1)})
    assert outcome(snapshot(waiting, history=warned, metrics=freed), ladder) == ["ladder 1: to Overflow"]


def test_the_latest_due_warn_acts_and_those_before_it_do_not():
    assert outcome(snapshot(contact(waited=40)), rules(LADDER)) == [
        "ladder 4: warns",
        "ladder 3: no_eligible_destination",
    ]


def test_each_step_acts_at_most_once_per_wait():
    waiting = contact(waited=40)
    warned = act(waiting, "ladder", at=40, kind="warn")
    assert outcome(snapshot(waiting, history=(warned,)), rules(LADDER)) == ["ladder 3: no_eligible_destination"]
    here = after(waiting, queue=SUPERVISORS)
    gone = move(waiting, here, "ladder", at=30)
    assert outcome(snapshot(here, history=(warned, gone), metrics=OPEN), rules(LADDER)) == []


def test_the_to_and_the_warn_of_one_step_count_each_on_its_own():
    waiting = contact(waited=20)
    warned = act(waiting, "ladder", at=20, kind="warn")
    assert outcome(snapshot(waiting, history=(warned,), metrics=OPEN), rules(LADDER)) == ["ladder 2: to General"]


def test_progress_is_a_time_so_that_after_an_edit_only_later_steps_can_act():
    here = after(contact("c1", waited=50), waited=35)
    moved = move(contact("c1", waited=50), here, "ladder", at=15)
    seen = snapshot(here, history=(moved,), metrics=OPEN)
    assert outcome(seen, rules(LADDER)) == ["ladder 4: warns", "ladder 3: to Supervisors"]
    edited = rules(LADDER.replace('at = "20m"', 'at = "12m"').replace('at = "30m"', 'at = "14m"'))
    assert outcome(seen, edited) == ["ladder 4: warns"]


def test_the_clock_of_a_rule_that_has_moved_a_wait_goes_on_from_where_its_first_step_acted():
    first = contact("c1", waited=19)
    here = after(first, waited=9)
    moved = move(first, here, "ladder")
    assert outcome(snapshot(here, history=(moved,), metrics=OPEN), rules(LADDER)) == []
    assert decide(snapshot(here, history=(moved,)), rules(LADDER)).next_due_at == NOW + minutes(1)


def test_the_clock_of_another_rule_starts_anew_in_the_queue_it_was_moved_to():
    next_rule = (
        LADDER.replace('"ladder"', '"next"').replace('"Billing"', '"Overflow"').replace('"Overflow", s', '"Billing", s')
    )
    here = after(contact("c1", waited=19), waited=9)
    moved = move(contact("c1", waited=19), here, "another")
    assert outcome(snapshot(here, history=(moved,), metrics=OPEN), rules(next_rule)) == []


def test_a_step_has_acted_when_connect_accepted_its_call_and_not_when_it_refused_or_never_got_it():
    waiting, ladder = contact(waited=10), rules(LADDER)
    never = act(waiting, "ladder", state=ActionState.NEVER_SENT, target=to(OVERFLOW))
    decision = the_transfer(decide(snapshot(waiting, history=(never,), metrics=OPEN), ladder))
    assert (decision.target, decision.series) == (to(OVERFLOW), 1)


def refused(waiting, ladder, step, *queues):
    by_name = {rule.name: rule for rule in ladder.rules}["ladder"]
    at = by_name.steps[step - 1].step.at.total_seconds() / 60
    return tuple(
        act(waiting, "ladder", at=at, state=ActionState.REFUSED, fingerprint=by_name.fingerprint, target=to(queue))
        for queue in queues
    )


def test_a_refused_entry_is_settled_for_that_contact_and_the_next_entry_is_tried():
    two = rules(
        LADDER.replace('to = [{ queue = "Overflow", ', 'to = [{ queue = "Supervisors" }, { queue = "Overflow", ')
    )
    waiting = contact(waited=10)
    history = refused(waiting, two, 1, SUPERVISORS)
    assert outcome(snapshot(waiting, history=history, metrics=OPEN), two) == ["ladder 1: to Overflow"]
    assert outcome(snapshot(contact("c2", waited=10), metrics=OPEN), two) == ["ladder 1: to Supervisors"]


def test_a_step_of_which_every_entry_was_refused_has_failed_and_the_contact_is_held():
    waiting, ladder = contact(waited=19), rules(LADDER)
    history = refused(waiting, ladder, 1, OVERFLOW)
    assert outcome(snapshot(waiting, history=history, metrics=OPEN), ladder) == ["ladder 1: failed_before"]


def test_a_failed_step_is_skipped_by_the_next_to_step_that_falls_due():
    waiting, ladder = contact(waited=20), rules(LADDER)
    history = refused(waiting, ladder, 1, OVERFLOW)
    assert outcome(snapshot(waiting, history=history, metrics=OPEN), ladder) == [
        "ladder 2: warns",
        "ladder 2: to General",
    ]


def test_a_failed_step_has_itself_skipped_those_before_it():
    waiting, ladder = contact(waited=20), rules(LADDER)
    history = refused(waiting, ladder, 2, GENERAL)
    assert outcome(snapshot(waiting, history=history, metrics=OPEN), ladder) == [
        "ladder 2: warns",
        "ladder 2: failed_before",
    ]


def test_a_rule_whose_last_to_has_failed_is_not_finished():
    behind = (
        LADDER
        + '[[rule]]\nname = "behind"\nmatch = { queue = "*" }\nstep = [{ at = "1m", to = [{ queue = "General" }] }]'
    )
    waiting, ladder = contact(waited=35), rules(behind)
    warned = act(waiting, "ladder", at=20, kind="warn")
    history = (warned, *refused(waiting, ladder, 3, SUPERVISORS))
    assert outcome(snapshot(waiting, history=history, metrics=OPEN), ladder) == ["ladder 3: failed_before"]


def test_a_refusal_is_forgotten_when_the_rule_or_the_contact_changes():
    waiting, ladder = contact(waited=10), rules(LADDER)
    history = refused(waiting, ladder, 1, OVERFLOW)
    edited = rules(LADDER.replace('"40m"', '"41m"'))
    assert outcome(snapshot(waiting, history=history, metrics=OPEN), edited) == ["ladder 1: to Overflow"]


def test_warnings_do_not_wait_for_what_holds_a_move():
    unknown = LADDER.replace('"Overflow"', '"Oberflow"').replace('"General"', '"Genral"')
    assert outcome(snapshot(contact(waited=20)), rules(unknown)) == ["ladder 2: warns", "ladder 2: unresolved"]


def test_no_warning_is_given_of_a_contact_whose_whereabouts_are_not_known():
    unknown = LADDER.replace('"Overflow"', '"Oberflow"').replace('"General"', '"Genral"')
    waiting = contact(waited=20)
    open_intent = act(waiting, "ladder", state=ActionState.INTENDED, target=to(OVERFLOW))
    assert outcome(snapshot(waiting, history=(open_intent,)), rules(LADDER)) == ["ladder 2: in_flight"]
    assert outcome(snapshot(waiting, history=(open_intent,)), rules(unknown)) == ["ladder 2: unresolved"]


def test_ladders_advance_on_what_was_only_observed_where_they_observe():
    waiting = contact(waited=20)
    watched = act(waiting, "ladder", observed=True, target=to(OVERFLOW), decided_at=NOW - minutes(10))
    seen = snapshot(waiting, history=(watched,), metrics=OPEN, mode=Mode.OBSERVE)
    assert outcome(seen, rules(LADDER)) == ["ladder 2: warns (observed)", "ladder 2: to General (observed)"]


def test_enforcing_reads_nothing_of_what_was_only_observed():
    waiting = contact(waited=10)
    watched = act(waiting, "ladder", observed=True, target=to(OVERFLOW))
    assert outcome(snapshot(waiting, history=(watched,), metrics=OPEN), rules(LADDER)) == ["ladder 1: to Overflow"]


def test_a_moved_contact_that_has_landed_pending_is_in_flight_and_a_stray_is_never_moved():
    ladder = rules(LADDER)
    first = contact("c1", waited=40)
    here = after(first, waited=20)
    for landing, reason in ((Landing.PENDING, "in_flight"), (Landing.STRAY, "stray")):
        moved = move(first, here, "ladder", landing=landing)
        assert outcome(snapshot(here, history=(moved,), metrics=OPEN), ladder) == [f"ladder 3: {reason}"]
