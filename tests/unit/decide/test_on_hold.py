"""Tests rules with ``on_hold = "next"``: while such a rule holds a contact, the next matching rule governs it."""

from dataclasses import replace

import pytest

from router.decide.decide import decide
from router.decide.govern import trace
from router.decide.snapshot import Blocks
from router.decide.tried_rule import Role
from router.decide.waiting_contact import WaitingContact
from router.model import ActionState, HoldReason, Need, NeedKind, Pause, PauseKind, Pauses
from tests.builders.contacts import NOW, act, contact, minutes, move
from tests.builders.instance import ANOTHER_FLOW, BILLING, GENERAL, OVERFLOW, TO_QUEUE, metrics, to
from tests.builders.rules import overflow, rules, unreadable
from tests.builders.snapshots import by_contact, in_words, live, outcome, snapshot, the_hold

SLOT = '{ queue = "Overflow", slots_available = { min = 1 } }'
NEXT = 'on_hold = "next"'
WAITING = contact(waited=20)


def first(to: str = SLOT, *, on_hold: str = NEXT, **others: str) -> str:
    return overflow("first", to=to, **others).replace('name = "first"', f'name = "first"\n{on_hold}')


def second(**others: str) -> str:
    return overflow("second", **{"to": '{ queue = "General" }', **others})


BOTH = rules(first() + second())
WARN = '[[rule]]\nname = "first"\n{}\nmatch.queue = "Billing"\nstep = [{{ at = "5m", warn = "late" }}, {{ {} }}]\n'


def paused(kind: PauseKind, subject: str = "") -> Pauses:
    pause = Pause(kind=kind, subject=subject, name=subject, until=NOW + minutes(60), comment="x", who="ann", set_at=NOW)
    return Pauses((pause,))


def test_while_none_of_its_due_steps_can_act_the_next_matching_rule_governs():
    assert outcome(snapshot(WAITING), BOTH) == ["second 1: to General"]


def test_without_it_the_contact_is_held():
    for on_hold in ("", 'on_hold = "wait"'):
        assert outcome(snapshot(WAITING), rules(first(on_hold=on_hold) + second())) == [
            "first 1: no_eligible_destination"
        ]


def test_when_it_can_act_it_governs():
    free = live({OVERFLOW: metrics(slots=1)})
    assert outcome(snapshot(WAITING, metrics=free), BOTH) == ["first 1: to Overflow"]


def test_of_two_contacts_the_one_for_which_there_is_no_slot_goes_to_the_next_rule():
    free = live({OVERFLOW: metrics(slots=1)})
    both = (contact("c1", waited=30), contact("c2", waited=20))
    assert by_contact(snapshot(*both, metrics=free), BOTH) == {
        "c1": ["first 1: to Overflow"],
        "c2": ["second 1: to General"],
    }


def test_before_its_first_step_is_due_it_keeps_the_contact():
    assert outcome(snapshot(WAITING), rules(first(at="30m") + second())) == []


def test_if_the_next_rule_is_not_due_the_contact_is_held_by_the_first_and_the_next_instant_is_known():
    account = decide(snapshot(WAITING), rules(first() + second(at="30m"))).accounts[WAITING.id]
    assert [in_words(one) for one in account.decisions] == ["first 1: no_eligible_destination"]
    assert account.next_due_at == NOW + minutes(10)
    assert not account.ungoverned


def test_if_no_other_rule_matches_the_contact_is_held_by_the_first():
    account = decide(snapshot(WAITING), rules(first())).accounts[WAITING.id]
    assert [in_words(one) for one in account.decisions] == ["first 1: no_eligible_destination"]
    assert not account.ungoverned


def test_if_the_next_rule_holds_too_there_is_one_hold_and_the_steps_of_both_are_shown():
    both = rules(first() + second(to='{ queue = "General", slots_available = { min = 1 } }'))
    account = decide(snapshot(WAITING), both).accounts[WAITING.id]
    assert [in_words(one) for one in account.decisions] == ["first 1: no_eligible_destination"]
    assert [step.rule for step in account.steps] == ["first", "second"]


def test_several_rules_may_give_way_one_after_the_other():
    three = rules(first() + first().replace('"first"', '"between"') + second())
    assert outcome(snapshot(WAITING), three) == ["second 1: to General"]


def test_an_exclusion_rule_after_it_excludes_nothing_that_it_holds():
    excluding = rules(first() + '[[rule]]\nname = "none"\nmatch.queue = "*"\n' + second())
    assert outcome(snapshot(WAITING), excluding) == ["first 1: no_eligible_destination"]


def test_what_it_has_done_stays_done():
    ladder = first().replace(
        f"to = [{SLOT}] }}]", f'to = [{{ queue = "General" }}] }}, {{ at = "15m", to = [{SLOT}] }}]'
    )
    assert "15m" in ladder
    before = contact("c1", waited=40, queue=BILLING)
    here = contact("c2", waited=20, queue=GENERAL, previous_id="c1", initial_id="c1")
    moved = move(before, here, "first", at=10)
    others = second(to='{ queue = "Supervisors" }').replace('"Billing"', '"General"')
    seen = snapshot(here, history=(moved,))
    assert outcome(seen, rules(ladder + others)) == ["second 1: to Supervisors"]
    account = decide(seen, rules(ladder + others)).accounts[here.id]
    assert account.governance is not None
    (gives_way,) = account.governance.giving_way
    assert gives_way.progress is not None
    assert gives_way.progress.to == minutes(10)


def test_its_warning_is_given_and_the_next_rule_moves():
    warned = rules(WARN.format(NEXT, f'at = "10m", to = [{SLOT}]') + second())
    assert outcome(snapshot(WAITING), warned) == ["first 1: warns", "second 1: to General"]


def test_both_change_the_place_of_a_contact_once():
    bump = "routing = { priority = 2 } }"
    two = WARN.format(NEXT, f'at = "10m", to = [{SLOT}]').replace('warn = "late" }', bump)
    after = second().replace("step = [", f'step = [{{ at = "5m", {bump}, ')
    assert outcome(snapshot(WAITING), rules(two + after)) == [
        "first 1: bumps",
        "second 1: in_flight",
        "second 2: to General",
    ]


@pytest.mark.parametrize(
    ("rule", "others"),
    [
        pytest.param(first('{ queue = "Nowhere" }'), {}, id="unresolved"),
        pytest.param(
            first('{ queue = "Overflow" }'),
            {"history": (act(WAITING, "first", state=ActionState.REFUSED, target=to(OVERFLOW), fingerprint=""),)},
            id="failed_before",
        ),
        pytest.param(
            first('{ queue = "Overflow", flow = "Another" }'),
            {"blocks": Blocks(suspended_flows=frozenset({ANOTHER_FLOW}))},
            id="flow_suspended",
        ),
        pytest.param(
            first(more="guard = { per_hour = 1 }"), {"recent": (act(WAITING, "first", decided_at=NOW),)}, id="per_hour"
        ),
        pytest.param(
            first('{ queue = "Overflow" }'),
            {"paused": paused(PauseKind.QUEUE, OVERFLOW)},
            id="operator_pause of its queue",
        ),
    ],
)
def test_it_gives_way_whatever_keeps_its_steps_from_acting(rule, others):
    both = rules(rule + second())
    if "history" in others:
        refused = replace(others["history"][0], fingerprint=both.rules[0].fingerprint)
        others = {"history": (refused,)}
    assert outcome(snapshot(WAITING, **others), rules(rule))[0].startswith("first 1: ")
    assert outcome(snapshot(WAITING, **others), both) == ["second 1: to General"]


def test_it_keeps_a_contact_of_which_it_is_not_known_whether_it_can_act():
    unread = live()
    unread = replace(unread, queues_read=frozenset())
    decided = decide(snapshot(WAITING, metrics=unread), BOTH)
    assert [in_words(one) for one in decided.decisions] == ["first 1: unreadable"]
    assert decided.needs == (Need(NeedKind.METRICS, OVERFLOW),)


def test_what_the_next_rule_needs_is_read():
    conditional = rules(
        first('{ queue = "Overflow", slots_available = { min = 1 } }') + second(to=SLOT.replace("Overflow", "General"))
    )
    unread = replace(live(), queues_read=frozenset({OVERFLOW}))
    decided = decide(snapshot(WAITING, metrics=unread), conditional)
    assert decided.needs == (Need(NeedKind.METRICS, GENERAL),)
    assert [in_words(one) for one in decided.decisions] == ["first 1: no_eligible_destination"]


def test_behind_it_a_rule_of_which_it_is_not_known_whether_it_matches_moves_nothing():
    both = unreadable(BOTH, "second")
    decided = decide(snapshot(WAITING), both)
    assert [in_words(one) for one in decided.decisions] == ["first 1: no_eligible_destination"]
    assert decided.needs


@pytest.mark.parametrize(
    "pauses", [paused(PauseKind.RULE, "first"), paused(PauseKind.ALL), paused(PauseKind.CONTACT, "c1")]
)
def test_a_contact_that_an_operator_paused_goes_to_no_other_rule(pauses):
    seen = snapshot(WAITING, paused=pauses)
    assert the_hold(decide(seen, BOTH)).reason is HoldReason.OPERATOR_PAUSE


def test_a_contact_under_way_goes_to_no_other_rule():
    open_move = act(WAITING, "first", state=ActionState.INTENDED, target=to(OVERFLOW, TO_QUEUE))
    assert outcome(snapshot(WAITING, history=(open_move,)), BOTH) == ["first 1: in_flight"]


def test_the_trace_shows_that_it_gives_way():
    seen = snapshot(WAITING)
    account = decide(seen, BOTH).accounts[WAITING.id]
    assert account.wait is not None
    tried = trace(WaitingContact(WAITING, account.wait, seen), BOTH.rules, account.governance)
    assert [(one.rule.name, one.role) for one in tried] == [("first", Role.GIVES_WAY), ("second", Role.GOVERNS)]


def test_a_rule_that_only_observes_gives_way_to_nothing_because_it_governs_nothing():
    observing = rules(first(mode="observe") + second())
    assert outcome(snapshot(WAITING), observing) == [
        "second 1: to General",
        "first 1: no_eligible_destination (observed)",
    ]
