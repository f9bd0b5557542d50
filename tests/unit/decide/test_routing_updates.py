"""Tests which ``routing`` steps act on one contact in one decision, and what rules match after them."""

from dataclasses import replace

import pytest

from router.decide.decide import decide
from router.model import ActionState, Details, RoutingData
from router.rules.rule import Mode
from tests.builders.contacts import NOW, act, after, contact, minutes, move
from tests.builders.instance import OVERFLOW
from tests.builders.rules import overflow, rules
from tests.builders.snapshots import changed, outcome, snapshot, the_hold, the_transfer

WAITING = contact(waited=20)


UP = '[{ queue = "Supervisors" }]'


def bump(name: str, routing: str = "priority = 2", *, at: str = "10m", more: str = "") -> str:
    """Writes a rule that changes the place of the contacts of Billing."""
    return f"""
        [[rule]]
        name = "{name}"
        match.queue = "Billing"
        {more}
        step = [{{ at = "{at}", routing = {{ {routing} }} }}]
    """


def on(condition: str, name: str = "vip") -> str:
    """Writes a rule that moves contacts from Billing to Overflow if they meet the condition."""
    return overflow(name).replace('match = { queue = "Billing" }', f'match = {{ queue = "Billing", {condition} }}')


TWO = rules(bump("first") + bump("second", 'age = "+10m"'))


@pytest.mark.parametrize("mode", [Mode.ENFORCE, Mode.OBSERVE])
def test_one_decision_makes_one_update_of_a_contact(mode):
    observed = " (observed)" if mode is Mode.OBSERVE else ""
    seen = snapshot(WAITING, mode=mode)
    assert outcome(seen, TWO) == [f"first 1: bumps{observed}", f"second 1: in_flight{observed}"]
    assert the_hold(decide(seen, TWO)).detail == "another rule changes its routing now"


def test_each_contact_has_an_update_of_its_own():
    both = (contact("c1", waited=30), contact("c2", waited=20))
    assert outcome(snapshot(*both), rules(bump("first"))) == ["first 1: bumps", "first 1: bumps"]


def test_a_rule_that_only_observes_takes_the_update_from_no_rule_that_enforces():
    observing = rules(bump("first", more='mode = "observe"') + bump("second"))
    assert outcome(snapshot(WAITING), observing) == ["first 1: bumps (observed)", "second 1: bumps"]


def test_the_governing_rule_and_a_side_rule_make_one_update():
    mover = bump("mover").replace(" } }]", ' } }, { at = "1h", to = [{ queue = "Overflow" }] }]')
    assert outcome(snapshot(WAITING), rules(bump("side") + mover)) == ["mover 1: bumps", "side 1: in_flight"]


@pytest.mark.parametrize(("ago", "decided"), [(0.5, "in_flight"), (1.5, "bumps")])
@pytest.mark.parametrize("mode", [Mode.ENFORCE, Mode.OBSERVE])
def test_the_next_update_follows_a_minute_later_in_either_mode(mode, ago, decided):
    observed = mode is Mode.OBSERVE
    at = NOW - minutes(ago)
    done = act(WAITING, "first", kind="routing", decided_at=at, settled_at=at, observed=observed)
    done = replace(done, routing=RoutingData(priority=2), before=RoutingData(priority=5))
    seen = snapshot(WAITING, history=(done,), mode=mode)
    assert outcome(seen, TWO) == [f"second 1: {decided}{' (observed)' if observed else ''}"]


def test_a_new_segment_is_updated_although_the_old_one_was_just_updated():
    first = contact("c1", waited=20)
    here = after(first, waited=0.1)
    just_now = NOW - minutes(0.2)
    moved = move(first, here, decided_at=just_now, settled_at=just_now)
    steps = rules(bump("first") + bump("next", at="0s").replace('"Billing"', '"Overflow"'))
    for state in (ActionState.ACTED, ActionState.INTENDED):
        update = updated(first, "first", decided_at=just_now, settled_at=just_now, send_by=NOW, state=state)
        assert outcome(snapshot(here, history=(update, moved)), steps) == ["next 1: bumps"]


def test_while_another_contact_of_the_chain_is_moved_none_is_updated():
    first, second = contact("c1", waited=30), contact("c2", waited=20, initial_id="c1", name="second")
    two = rules(
        overflow("moves").replace("queue =", 'name = { not = "second" }, queue =', 1)
        + bump("bumps").replace('match.queue = "Billing"', 'match = { queue = "Billing", name = "second" }')
    )
    seen = snapshot(first, second)
    assert outcome(seen, two) == ["moves 1: to Overflow", "bumps 1: in_flight"]


def updated(of=WAITING, rule: str = "first", *, priority: int | None = 2, before: int | None = 5, **others):
    """Builds the action of a ``routing`` step; without a priority it has added age."""
    routing = RoutingData(priority=priority) if priority is not None else RoutingData(age=minutes(10))
    done = act(of, rule, at=5, kind="routing", **others)
    return replace(done, routing=routing, before=RoutingData(priority=before))


def shows(priority: int | None):
    return {WAITING.id: Details(priority=priority)}


NORMAL, HIGH = rules(on("priority = 5")), rules(on("priority = { max = 2 }"))


@pytest.mark.parametrize(
    ("history", "shown"),
    [
        pytest.param((updated(),), 2, id="the router set it"),
        pytest.param((updated(),), None, id="the update does not show yet"),
        pytest.param((updated(priority=3), updated(rule="other", before=3)), 2, id="two rules set it"),
        pytest.param((updated(priority=3), updated(rule="other", before=3)), 3, id="the second does not show yet"),
        pytest.param((updated(state=ActionState.INTENDED),), 2, id="its outcome is not known"),
    ],
)
def test_every_rule_matches_the_priority_that_others_have_set(history, shown):
    seen = snapshot(WAITING, history=history, details=shows(shown))
    assert outcome(seen, NORMAL) == ["vip 1: to Overflow"]
    assert outcome(seen, HIGH) == []


@pytest.mark.parametrize(
    "history",
    [
        pytest.param((updated(priority=3),), id="somebody has changed it since"),
        pytest.param((updated(state=ActionState.REFUSED),), id="Connect refused the update"),
        pytest.param((updated(state=ActionState.NEVER_SENT),), id="the update was never sent"),
        pytest.param((updated(observed=True),), id="the update was only observed"),
        pytest.param((updated(before=2),), id="it was so before"),
    ],
)
def test_what_others_have_set_is_what_every_rule_matches(history):
    seen = snapshot(WAITING, history=history, details=shows(2))
    assert outcome(seen, HIGH) == ["vip 1: to Overflow"]
    assert outcome(seen, NORMAL) == []


def test_an_age_that_resets_the_priority_changes_no_match():
    seen = snapshot(WAITING, history=(updated(priority=None, before=7),), details=shows(5))
    assert outcome(seen, rules(on("priority = 7"))) == ["vip 1: to Overflow"]


def test_in_the_queue_of_its_move_a_contact_has_the_priority_that_others_have_set():
    first = contact("c1", waited=40)
    here = after(first, waited=25)
    second = rules(on("priority = 5", "on").replace('"Billing"', '"Overflow"').replace('[{ queue = "Overflow" }]', UP))
    seen = snapshot(here, history=(updated(first), move(first, here)), details={here.id: Details(priority=2)})
    assert here.queue_id == OVERFLOW
    assert outcome(seen, second) == ["on 1: to Supervisors"]


def test_what_is_recorded_of_the_first_act_is_what_others_have_set():
    seen = snapshot(WAITING, history=(updated(),), details=shows(2))
    assert the_transfer(decide(seen, NORMAL)).first.priority == 5


def test_a_priority_that_the_router_has_changed_is_not_checked_again_right_before_the_move():
    unchanged = snapshot(WAITING, details=shows(5))
    assert the_transfer(decide(unchanged, NORMAL)).relied_on
    for seen in (changed(unchanged, histories={WAITING.id: (updated(),)}, details=shows(2)), unchanged):
        both = rules(on("priority = 5") + bump("now", at="15m"))
        assert the_transfer(decide(seen, both)).relied_on == ()


def test_nor_is_it_in_a_rule_that_requires_an_attribute_which_the_contact_lacks():
    both = rules(on('attributes.tier = "vip", priority = 5') + overflow("plain"))
    seen = snapshot(WAITING, history=(updated(),), details=shows(2))
    assert [one.test.key for one in the_transfer(decide(seen, both)).relied_on] == ["attributes.tier"]
