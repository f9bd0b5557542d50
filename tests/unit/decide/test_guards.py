"""Tests the guards of a move, and which of several reasons is reported."""

from dataclasses import replace

from router.decide.decide import decide
from router.decide.snapshot import Blocks, Limits
from router.model import ActionState, HoldReason, Need, NeedKind, earliest
from router.rules.condition import Unread
from router.rules.rule import Mode
from tests.builders.contacts import NOW, act, contact, minutes, move
from tests.builders.instance import ANOTHER_FLOW, GENERAL, OVERFLOW, SUPERVISORS, TO_QUEUE, to
from tests.builders.rules import overflow, rules
from tests.builders.snapshots import by_contact, changed, outcome, snapshot, the_hold

MOVED = "overflow 1: to Overflow"
HOLDS = "overflow 1: "
ONE = rules(overflow())
WAITING = contact(waited=10)
ROOM = Limits(cooldown=minutes(0), max_transfers=99)


def chain(moves: int, *, ago: float = 10, waited: float = 12):
    """Builds a contact in Billing whose chain was moved so often in earlier waits, last ``ago`` minutes ago."""
    segments = [contact(f"s{number}", queue=SUPERVISORS, waited=200 - number) for number in range(moves)]
    here = contact("here", waited=waited, previous_id="before", initial_id="s0")
    history = tuple(
        act(segment, "another", chain_id="s0", settled_at=NOW - minutes(ago + moves - number - 1), target=to(GENERAL))
        for number, segment in enumerate(segments)
    )
    return here, history


def test_a_chain_is_moved_by_the_router_at_most_max_transfers_times():
    here, history = chain(2)
    limits = replace(ROOM, max_transfers=3)
    assert outcome(snapshot(here, history=history, limits=limits), ONE) == [MOVED]
    here, history = chain(3)
    assert outcome(snapshot(here, history=history, limits=limits), ONE) == [f"{HOLDS}max_transfers"]


def test_a_rule_may_tighten_max_transfers_and_not_loosen_it():
    here, history = chain(2)
    tighter, looser = (rules(overflow(more=f"guard = {{ max_transfers = {count} }}")) for count in (2, 9))
    assert outcome(snapshot(here, history=history, limits=ROOM), tighter) == [f"{HOLDS}max_transfers"]
    three, of_three = chain(3)
    assert outcome(snapshot(three, history=of_three, limits=replace(ROOM, max_transfers=3)), looser) == [
        f"{HOLDS}max_transfers"
    ]


def test_transfers_are_kept_for_people_and_flows():
    here, _ = chain(0)
    limits = replace(ROOM, reserve_transfers=2)
    assert outcome(snapshot(here, transfers={here.id: 8}, limits=limits), ONE) == [MOVED]
    assert outcome(snapshot(here, transfers={here.id: 9}, limits=limits), ONE) == [f"{HOLDS}transfer_budget"]


def test_how_often_a_chain_was_transferred_is_read_first():
    here, _ = chain(0)
    decided = decide(snapshot(here, transfers={}), ONE)
    assert (the_hold(decided).reason, decided.needs) == (HoldReason.UNREADABLE, (Need(NeedKind.TRANSFERS, here.id),))
    unread = snapshot(here, transfers={here.id: Unread("Connect did not answer")})
    decided = decide(unread, ONE)
    assert (the_hold(decided).reason, decided.needs) == (HoldReason.UNREADABLE, ())


def test_the_first_contact_of_a_chain_has_no_transfers_behind_it_and_nothing_is_read():
    for first in (WAITING, replace(WAITING, initial_id=WAITING.id)):
        assert outcome(snapshot(first, transfers={}), ONE) == [MOVED]


def test_what_was_behind_a_chain_counts_where_the_new_segment_does_not_name_the_old_one():
    first = contact("c1", queue=SUPERVISORS, waited=60)
    here = contact("c2", waited=30)
    moved = move(first, here, "another")
    moved = replace(moved, first=replace(moved.first, transfers=8))
    assert outcome(snapshot(here, history=(moved,), transfers={}), ONE) == [f"{HOLDS}transfer_budget"]


def test_between_two_moves_of_one_chain_there_is_the_cooldown():
    limits = Limits(cooldown=minutes(5))
    here, history = chain(1, ago=4.9)
    assert outcome(snapshot(here, history=history, limits=limits), ONE) == [f"{HOLDS}cooldown"]
    here, history = chain(1, ago=5)
    assert outcome(snapshot(here, history=history, limits=limits), ONE) == [MOVED]


def test_a_rules_cooldown_stands_in_place_of_the_services():
    here, history = chain(1, ago=4)
    shorter = rules(overflow(more='guard = { cooldown = "3m" }'))
    assert outcome(snapshot(here, history=history, limits=Limits(cooldown=minutes(5))), shorter) == [MOVED]


def many(count):
    return [contact(f"c{number}", waited=20 - number) for number in range(count)]


def test_no_more_are_moved_in_a_cycle_than_per_cycle():
    assert outcome(snapshot(*many(3), limits=replace(ROOM, per_cycle=2)), ONE) == [MOVED, MOVED, f"{HOLDS}per_cycle"]
    earlier = act(contact("gone"), cycle=7)
    seen = snapshot(*many(2), limits=replace(ROOM, per_cycle=2), recent=(earlier,))
    assert outcome(seen, ONE) == [MOVED, f"{HOLDS}per_cycle"]


def test_no_more_are_moved_in_an_hour_than_per_hour():
    earlier = act(contact("gone"), decided_at=NOW - minutes(59.9))
    too_old = act(contact("gone"), decided_at=NOW - minutes(60))
    limits = replace(ROOM, per_hour=2)
    assert outcome(snapshot(*many(2), limits=limits, recent=(earlier,)), ONE) == [MOVED, f"{HOLDS}per_hour"]
    assert outcome(snapshot(*many(2), limits=limits, recent=(too_old,)), ONE) == [MOVED, MOVED]


def test_a_rule_has_its_own_limits_a_cycle_and_an_hour_which_count_its_own_moves():
    other = act(contact("gone"), "another", cycle=7, decided_at=NOW)
    own = act(contact("gone"), cycle=6, decided_at=NOW - minutes(1))
    per_cycle = rules(overflow(more="guard = { per_cycle = 1 }"))
    per_hour = rules(overflow(more="guard = { per_hour = 2 }"))
    assert outcome(snapshot(*many(2), recent=(other,)), per_cycle) == [MOVED, f"{HOLDS}per_cycle"]
    assert outcome(snapshot(*many(2), recent=(other, own)), per_hour) == [MOVED, f"{HOLDS}per_hour"]


HALF = rules(overflow(more="guard = { percent_of_queue = 50 }"))
SHARE_IS_GONE = f"{HOLDS}percent_of_queue"


def gone(count, rule="overflow", **others):
    """Builds moves out of Billing of contacts that no longer wait."""
    given = {"decided_at": NOW - minutes(5), **others}
    return tuple(act(contact(f"gone{number}", waited=30), rule, **given) for number in range(count))


def test_a_rule_moves_its_share_of_a_queue_in_an_hour_rounded_up():
    assert outcome(snapshot(*many(5)), HALF) == [MOVED] * 3 + [SHARE_IS_GONE] * 2
    assert outcome(snapshot(*many(1)), rules(overflow(more="guard = { percent_of_queue = 1 }"))) == [MOVED]


def test_the_share_neither_shrinks_nor_grows_while_the_queue_is_drained():
    for already in range(1, 5):
        seen = snapshot(*many(10 - already), recent=gone(already))
        assert outcome(seen, HALF).count(MOVED) == 5 - already
    assert outcome(snapshot(*many(5), recent=gone(5)), HALF) == [SHARE_IS_GONE] * 5


def test_what_left_an_hour_ago_belongs_no_more_to_the_share_nor_to_the_whole():
    seen = snapshot(*many(4), recent=gone(6, decided_at=NOW - minutes(60)))
    assert outcome(seen, HALF).count(MOVED) == 2


def test_what_another_rule_moved_is_of_the_whole_and_not_of_this_rules_share():
    assert outcome(snapshot(*many(4), recent=gone(4, "another")), HALF).count(MOVED) == 4


def test_a_share_is_of_each_queue_by_itself():
    both = rules(overflow(more="guard = { percent_of_queue = 50 }").replace('"Billing"', '["Billing", "General"]'))
    elsewhere = [contact(f"g{number}", queue=GENERAL, waited=15 - number) for number in range(2)]
    found = by_contact(snapshot(*many(2), *elsewhere), both)
    assert found == {"c0": [MOVED], "c1": [SHARE_IS_GONE], "g0": [MOVED], "g1": [SHARE_IS_GONE]}


def test_a_contact_that_is_there_again_is_counted_once():
    back = contact("back", waited=20, initial_id="gone0", previous_id="x")
    seen = snapshot(back, contact("other", waited=19), recent=gone(1), limits=ROOM)
    assert outcome(seen, HALF) == [SHARE_IS_GONE] * 2


def test_contacts_of_the_queue_that_are_not_due_belong_to_the_whole():
    assert outcome(snapshot(*many(2), contact("new", waited=1), contact("newer")), HALF) == [MOVED, MOVED]


def test_a_rule_that_observes_has_its_share_of_what_it_only_watches():
    watching = rules(overflow(mode="observe", more="guard = { percent_of_queue = 50 }"))
    assert outcome(snapshot(*many(4)), watching) == [f"{MOVED} (observed)"] * 2 + [f"{SHARE_IS_GONE} (observed)"] * 2


def test_the_share_of_a_queue_is_told_before_the_limits_of_a_cycle_and_an_hour():
    seen = snapshot(*many(2), limits=replace(ROOM, per_cycle=1, per_hour=1))
    assert outcome(seen, HALF) == [MOVED, SHARE_IS_GONE]


def test_the_most_overdue_get_what_the_limits_leave():
    target = overflow("long", more='sla = { target = "2h" }', to='{ queue = "General" }').replace(
        '"Billing"', '"Overflow"'
    )
    late, later = contact("late", queue=OVERFLOW, waited=90), contact("later", waited=15)
    found = by_contact(snapshot(late, later, limits=replace(ROOM, per_cycle=1)), rules(overflow() + target))
    assert found == {"later": [MOVED], "late": ["long 1: per_cycle"]}


def test_ties_go_to_the_older_and_then_to_the_smaller_id():
    older = contact("z", waited=20, initiated_at=NOW - minutes(50))
    younger = [contact(name, waited=20) for name in ("b", "a")]
    assert [one.contact.id for one in decide(snapshot(*younger, older), ONE).decisions] == ["z", "a", "b"]


def test_two_contacts_of_one_chain_are_not_moved_in_one_cycle():
    tasks = (contact("a", waited=30, initial_id="root"), contact("b", waited=20, initial_id="root"))
    seen = snapshot(*tasks, transfers={"a": 1, "b": 1})
    assert outcome(seen, ONE) == [MOVED, f"{HOLDS}in_flight"]


def test_an_open_intent_anywhere_in_the_chain_holds_its_contacts():
    here, _ = chain(0)
    intent = act(contact("s0", queue=SUPERVISORS), "another", state=ActionState.INTENDED, chain_id="s0")
    assert outcome(snapshot(here, history=(intent,)), ONE) == [f"{HOLDS}in_flight"]
    assert outcome(snapshot(here, in_progress=frozenset({here.id})), ONE) == [f"{HOLDS}in_flight"]


def test_destinations_that_the_instance_does_not_have_hold_the_contacts_of_the_rule_if_it_has_none_of_them():
    missing = overflow(to='{ queue = "Oberflow" }')
    hold = the_hold(decide(snapshot(WAITING), rules(missing + overflow("next"))))
    assert (hold.rule, hold.reason) == ("overflow", "unresolved")
    assert 'queue "Oberflow" does not exist' in hold.detail


def test_blocks_hold_every_contact():
    for blocks, reason in (
        (Blocks(denied=True), "denied"),
        (Blocks(instance_full=True), "instance_full"),
        (Blocks(clock_skew=True), "clock_skew"),
    ):
        assert outcome(snapshot(WAITING, blocks=blocks), ONE) == [f"{HOLDS}{reason}"]


def test_a_flow_that_is_denied_or_suspended_holds_only_where_no_destination_is_left_without_it():
    two_flows = rules(overflow(to='{ queue = "Overflow" }, { queue = "General", flow = "Another" }'))
    one, both = frozenset({TO_QUEUE}), frozenset({TO_QUEUE, ANOTHER_FLOW})
    for blocks, all_blocked, reason in (
        (Blocks(denied_flows=one), Blocks(denied_flows=both), "denied"),
        (Blocks(suspended_flows=one), Blocks(suspended_flows=both), "flow_suspended"),
    ):
        assert outcome(snapshot(WAITING, blocks=blocks), two_flows) == ["overflow 1: to General"]
        assert outcome(snapshot(WAITING, blocks=all_blocked), two_flows) == [f"{HOLDS}{reason}"]


def test_where_several_flows_are_stopped_in_different_ways_the_first_reason_in_order_is_told():
    two_flows = rules(overflow(to='{ queue = "Overflow" }, { queue = "General", flow = "Another" }'))
    blocks = Blocks(denied_flows=frozenset({ANOTHER_FLOW}), suspended_flows=frozenset({TO_QUEUE}))
    assert outcome(snapshot(WAITING, blocks=blocks), two_flows) == [f"{HOLDS}denied"]


def test_a_refused_entry_beside_a_suspended_one_is_held_by_what_will_pass():
    two_flows = rules(overflow(to='{ queue = "Overflow" }, { queue = "General", flow = "Another" }'))
    refused = act(WAITING, state=ActionState.REFUSED, fingerprint=two_flows.rules[0].fingerprint, target=to(OVERFLOW))
    blocks = Blocks(suspended_flows=frozenset({ANOTHER_FLOW}))
    assert outcome(snapshot(WAITING, history=(refused,), blocks=blocks), two_flows) == [f"{HOLDS}flow_suspended"]


def test_a_stopped_flow_beside_a_full_queue_is_told_in_the_detail():
    slots = '{ queue = "General", flow = "Another", slots_available = { min = 1 } }'
    blocks = Blocks(suspended_flows=frozenset({TO_QUEUE}))
    hold = the_hold(decide(snapshot(WAITING, blocks=blocks), rules(overflow(to=f'{{ queue = "Overflow" }}, {slots}'))))
    assert hold.reason == "no_eligible_destination"
    assert '"Overflow": its flow is suspended' in hold.detail
    assert '"General": slots_available is 0, below 1' in hold.detail


def test_in_observe_the_limits_count_what_would_have_been_moved():
    ladder = overflow().replace(
        'step = [{ at = "10m", to = [{ queue = "Overflow" }] }]',
        'step = [{ at = "10m", to = [{ queue = "Overflow" }] }, { at = "12m", to = [{ queue = "General" }] }]',
    )
    waiting = contact(waited=12)
    watched = act(waiting, observed=True, target=to(OVERFLOW), settled_at=NOW - minutes(2))
    seen = snapshot(waiting, history=(watched,), mode=Mode.OBSERVE)
    assert outcome(seen, rules(ladder)) == ["overflow 2: cooldown (observed)"]
    fresh = contact("c2", waited=10)
    seen = snapshot(waiting, fresh, mode=Mode.OBSERVE, limits=replace(ROOM, per_hour=1))
    seen = changed(seen, histories={waiting.id: (watched,)})
    assert outcome(seen, ONE) == ["overflow 1: per_hour (observed)"]


def test_the_reasons_stand_in_the_order_in_which_they_are_tried():
    documented = """
        excluded operator_pause closed unreadable unresolved in_flight stray ledger denied flow_suspended instance_full
        clock_skew failed_before transfer_budget max_transfers cooldown no_eligible_destination percent_of_queue
        per_cycle per_hour not_sent picked_up left_queue not_found contact_paused
        no_longer_matches disconnected
    """
    assert [reason.value for reason in sorted(HoldReason, key=lambda one: one.rank)] == documented.split()
    assert earliest([HoldReason.PER_HOUR, HoldReason.DENIED]) is HoldReason.DENIED


def test_late_is_the_time_since_the_breach_or_since_the_step_fell_due():
    with_target = rules(overflow(more='sla = { target = "1h" }'))
    (early,) = decide(snapshot(contact(waited=12)), with_target).decisions
    (due,) = decide(snapshot(contact(waited=12)), ONE).decisions
    assert (early.late, early.due_at) == (minutes(-48), NOW - minutes(2))
    assert (due.late, due.due_at) == (minutes(2), NOW - minutes(2))


def test_contacts_elsewhere_are_not_held():
    assert outcome(snapshot(contact(queue=GENERAL, waited=60)), ONE) == []
