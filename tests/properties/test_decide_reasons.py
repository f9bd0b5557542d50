"""Checks that the reason of a hold is the first of all obstacles in the order of the reasons."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from router.decide.decide import decide
from router.decide.snapshot import Limits, Snapshot
from router.model import ActionState, Channel, HoldReason, Landing, earliest
from router.rules.condition import Unread
from tests.builders.contacts import NOW, act, after, contact, minutes, move
from tests.builders.instance import BILLING, GENERAL, OVERFLOW, SUPERVISORS, TO_QUEUE, metrics, to
from tests.builders.rules import overflow, rules
from tests.builders.snapshots import changed, live, snapshot, the_hold

SLOT = '{ queue = "Overflow", slots_available = { min = 1 } }'
EXCLUSION = '[[rule]]\nname = "exclusion-rule"\nmatch = { queue = "*" }\n'

FIRST = contact("c1", queue=SUPERVISORS, waited=60)
HERE = after(FIRST, queue=BILLING, waited=30)
MOVED = move(FIRST, HERE, "another")
ROOM = Limits(max_transfers=9, cooldown=minutes(0))
FREE = snapshot(HERE, history=(MOVED,), limits=ROOM, metrics=live({OVERFLOW: metrics(slots=1)}))


def in_flight(seen: Snapshot) -> Snapshot:
    return changed(seen, in_progress=frozenset({HERE.id}))


def stray(seen: Snapshot) -> Snapshot:
    history = tuple(replace(one, landing=Landing.STRAY) if one.moved else one for one in seen.moves.histories[HERE.id])
    return changed(seen, histories={HERE.id: history})


def failed(fingerprint: str):
    refused = act(HERE, wait=MOVED.wait, state=ActionState.REFUSED, fingerprint=fingerprint, target=to(OVERFLOW))
    return lambda seen: changed(seen, histories={HERE.id: (*seen.moves.histories[HERE.id], refused)})


def blocked(**blocks):
    return lambda seen: replace(seen, blocks=replace(seen.blocks, **blocks))


def limited(**limits):
    return lambda seen: replace(seen, limits=replace(seen.limits, **limits))


def no_slot(seen: Snapshot) -> Snapshot:
    return changed(seen, metrics=live({OVERFLOW: metrics(slots=0), GENERAL: metrics(slots=9)}))


RULES = {
    (shielded, unresolved): rules(
        (EXCLUSION if shielded else "") + overflow(to='{ queue = "Oberflow" }' if unresolved else SLOT)
    )
    for shielded in (False, True)
    for unresolved in (False, True)
}
OBSTACLES = {
    HoldReason.IN_FLIGHT: in_flight,
    HoldReason.STRAY: stray,
    HoldReason.DENIED: blocked(denied=True),
    HoldReason.FLOW_SUSPENDED: blocked(suspended_flows=frozenset({TO_QUEUE})),
    HoldReason.INSTANCE_FULL: blocked(instance_full=True),
    HoldReason.CLOCK_SKEW: blocked(clock_skew=True),
    HoldReason.FAILED_BEFORE: failed(RULES[False, False].rules[0].fingerprint),
    HoldReason.TRANSFER_BUDGET: limited(reserve_transfers=10),
    HoldReason.MAX_TRANSFERS: limited(max_transfers=1),
    HoldReason.COOLDOWN: limited(cooldown=minutes(31)),
    HoldReason.NO_ELIGIBLE_DESTINATION: no_slot,
    HoldReason.PER_CYCLE: limited(per_cycle=0),
    HoldReason.PER_HOUR: limited(per_hour=0),
}


def test_nothing_stands_in_the_way_of_this_contact():
    assert [type(one).__name__ for one in decide(FREE, RULES[False, False]).decisions] == ["Transfer"]
    assert HERE.channel is Channel.TASK
    assert FREE.now == NOW


@given(st.sets(st.sampled_from([HoldReason.EXCLUDED, HoldReason.UNRESOLVED, *OBSTACLES]), min_size=1))
def test_the_reason_is_the_first_in_order_of_all_that_stand_in_the_way(reasons):
    seen = FREE
    for reason in reasons & OBSTACLES.keys():
        seen = OBSTACLES[reason](seen)
    unresolved = HoldReason.UNRESOLVED in reasons
    bound = RULES[HoldReason.EXCLUDED in reasons, unresolved]
    assert the_hold(decide(seen, bound)).reason is earliest(reasons)


@given(st.sets(st.sampled_from([*OBSTACLES]), max_size=4))
def test_transfers_that_could_not_be_read_hold_unless_something_before_that_does_already(reasons):
    """Checks that transfers are read only if no obstacle is known without a call."""
    seen = FREE
    for reason in reasons:
        seen = OBSTACLES[reason](seen)
    seen = changed(seen, transfers={HERE.id: Unread("Connect did not answer")})
    known = {reason for reason in reasons if reason.rank < HoldReason.TRANSFER_BUDGET.rank}
    expected = earliest(known) if known else HoldReason.UNREADABLE
    assert the_hold(decide(seen, RULES[False, False])).reason is expected
