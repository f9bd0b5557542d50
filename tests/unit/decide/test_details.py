"""Tests conditions on values that only DescribeContact and ListAssociatedContacts return."""

from dataclasses import replace
from datetime import timedelta

import pytest

from router.decide.decide import decide
from router.decide.match_subject import conditions_still_hold
from router.model import ActionState, Channel, Details, HoldReason, Need, NeedKind, ProfileId, RoutingData
from router.rules.condition import Unread
from tests.builders.contacts import NOW, act, after, contact, move
from tests.builders.instance import ANN, BILLING, GENERAL, OVERFLOW, free, to, to_agent
from tests.builders.rules import overflow, rules
from tests.builders.snapshots import changed, live, outcome, snapshot, the_hold, the_transfer

ANY = 'match = { queue = "Billing" }'
PLAIN = overflow("plain", to='{ queue = "General" }')


def on(condition: str, name: str = "vip", *, at: str = "10m") -> str:
    """Writes a rule that moves contacts from Billing to Overflow if they meet the condition."""
    return overflow(name, at=at).replace(ANY, f'match = {{ queue = "Billing", {condition} }}')


VIP = on('attributes.tier = "vip"')
WAITING = contact(waited=20)


TEMPLATE = "2bb75b2b-3f4a-4e1c-9d55-3b8a4b0a4f10"
TEMPLATE_ARN = f"arn:aws:connect:us-east-1:111122223333:instance/{TEMPLATE}/task-template/{TEMPLATE}"


def told(**details):
    return {WAITING.id: Details(**details)}


@pytest.mark.parametrize(
    ("condition", "details"),
    [
        ('attributes.tier = "vip"', {"attributes": {"tier": "vip"}}),
        ("attributes.value = { min = 1000 }", {"attributes": {"value": "1000"}}),
        ("attributes.tier = { present = false }", {}),
        ('attributes.tier = { not = "gold" }', {"attributes": {"tier": "vip"}}),
        ("priority = { max = 2 }", {"priority": 2}),
        ("priority = 5", {}),
        ('task_template = "Refund*"', {"task_template": "Refunds"}),
        ('task_template = "Refunds"', {"task_template": "Refunds", "task_template_id": TEMPLATE}),
        (f'task_template = "{TEMPLATE}"', {"task_template": "Refunds", "task_template_id": TEMPLATE}),
        (f'task_template = "{TEMPLATE_ARN}"', {"task_template_id": TEMPLATE}),
        ('task_template = { not = "Returns" }', {"task_template": "Refunds", "task_template_id": TEMPLATE}),
        ("task_template = { present = false }", {}),
        ('to_address = "Billing@example.com"', {"to_address": "BILLING@EXAMPLE.COM"}),
        ('from_address = "*@example.com"', {"from_address": "Ann@Example.com"}),
    ],
)
def test_a_rule_matches_what_was_read_of_the_contact(condition, details):
    assert outcome(snapshot(WAITING, details=told(**details)), rules(on(condition) + PLAIN)) == ["vip 1: to Overflow"]


@pytest.mark.parametrize(
    ("condition", "details"),
    [
        ('attributes.tier = "vip"', {}),
        ('attributes.tier = "vip"', {"attributes": {"tier": "VIP"}}),
        ("attributes.value = { min = 1000 }", {"attributes": {"value": "1000 EUR"}}),
        ("priority = { max = 2 }", {}),
        ('task_template = "Refunds"', {}),
        ('task_template = { not = "Refunds" }', {"task_template": "Refunds", "task_template_id": TEMPLATE}),
        (f'task_template = {{ not = "{TEMPLATE_ARN}" }}', {"task_template": "Refunds", "task_template_id": TEMPLATE}),
        ('from_address = "*@example.com"', {"from_address": "ann@example.com.evil.test"}),
    ],
)
def test_and_does_not_match_what_it_says_not(condition, details):
    assert outcome(snapshot(WAITING, details=told(**details)), rules(on(condition) + PLAIN)) == ["plain 1: to General"]


def test_it_is_asked_for_once_a_step_may_be_due_and_the_contact_is_held_meanwhile():
    decided = decide(snapshot(WAITING), rules(VIP + PLAIN))
    assert outcome(snapshot(WAITING), rules(VIP + PLAIN)) == ["vip: unreadable"]
    assert decided.needs == (Need(NeedKind.DETAILS, WAITING.id),)


def test_while_nothing_can_be_due_it_is_not_asked_for():
    early = rules(on('attributes.tier = "vip"', at="1h") + overflow("plain", at="2h"))
    decided = decide(snapshot(WAITING), early)
    assert (decided.decisions, decided.needs) == ((), ())


def test_it_is_asked_for_where_a_later_rule_that_could_match_is_due():
    decided = decide(snapshot(WAITING), rules(on('attributes.tier = "vip"', at="1h") + PLAIN))
    assert decided.needs == (Need(NeedKind.DETAILS, WAITING.id),)


def test_it_is_not_asked_for_where_the_search_tells_that_the_rule_does_not_match():
    email = on('channel = "EMAIL", attributes.tier = "vip"')
    assert outcome(snapshot(WAITING), rules(email + PLAIN)) == ["plain 1: to General"]


def test_what_could_not_be_read_is_not_a_no():
    seen = snapshot(WAITING, details={WAITING.id: Unread("Connect does not describe it")})
    decided = decide(seen, rules(VIP + PLAIN))
    assert outcome(seen, rules(VIP + PLAIN)) == ["vip: unreadable"]
    assert decided.needs == (), "asked in vain once, it is not asked for again in this look"
    assert "vip" not in the_hold(decided).detail, "no value of a customer's"


def test_an_exclusion_rule_that_depends_on_it_holds_until_it_is_read():
    excludes = """
        [[rule]]
        name = "exclusion-rule"
        match = { queue = "Billing", attributes.legal = "yes" }
    """
    assert outcome(snapshot(WAITING), rules(excludes + PLAIN)) == ["exclusion-rule: unreadable"]
    held = snapshot(WAITING, details=told(attributes={"legal": "yes"}))
    assert outcome(held, rules(excludes + PLAIN)) == ["exclusion-rule: excluded"]
    assert outcome(snapshot(WAITING, details=told()), rules(excludes + PLAIN)) == ["plain 1: to General"]


def test_how_often_the_chain_was_transferred_is_asked_for_and_counts():
    second = replace(contact("c2", waited=20), previous_id=WAITING.id, initial_id=WAITING.id)
    once = rules(on("transfers = { max = 1 }") + PLAIN)
    assert decide(snapshot(second, transfers={}), once).needs == (Need(NeedKind.TRANSFERS, second.id),)
    assert outcome(snapshot(second, transfers={second.id: 1}), once) == ["vip 1: to Overflow"]
    assert outcome(snapshot(second, transfers={second.id: 2}), once) == ["plain 1: to General"]
    assert outcome(snapshot(second, transfers={second.id: Unread("no answer")}), once) == ["vip: unreadable"]


def test_a_rule_that_has_moved_a_wait_sees_priority_and_transfers_as_when_it_first_acted():
    ladder = rules(
        """
        [[rule]]
        name = "ladder"
        match = { queue = "Billing", priority = 5, transfers = 0 }
        step = [{ at = "10m", to = [{ queue = "Overflow" }] }, { at = "30m", to = [{ queue = "Supervisors" }] }]
        """
    )
    first = contact("c1", waited=40)
    here = after(first, waited=25)
    moved = move(first, here, "ladder", at=10)
    moved = replace(moved, first=replace(moved.first, priority=5, transfers=0))
    seen = snapshot(here, history=(moved,), details={here.id: Details(priority=1)})
    assert outcome(seen, ladder) == ["ladder 2: to Supervisors"]


def test_a_rule_that_has_changed_the_priority_sees_it_as_when_it_first_acted():
    moves = rules(on("priority = 5"))
    bump = act(WAITING, "vip", at=5, kind="routing")
    bump = replace(bump, first=replace(bump.first, priority=5))
    seen = snapshot(WAITING, history=(bump,), details=told(priority=2))
    assert outcome(seen, moves) == ["vip 1: to Overflow"]
    assert outcome(snapshot(WAITING, details=told(priority=2)), moves) == []


def test_what_is_recorded_of_the_first_act_is_what_was_read():
    decided = decide(snapshot(WAITING, details=told(priority=3, attributes={"tier": "vip"})), rules(VIP))
    assert the_transfer(decided).first.priority == 3


def test_a_priority_that_nobody_set_is_recorded_as_the_default():
    """Guards against a rule on the priority that loses the contact when its own routing step changes it."""
    bound = rules(on("priority = 5"))
    recorded = the_transfer(decide(snapshot(WAITING, details=told()), bound)).first
    assert recorded.priority == 5
    bump = replace(act(WAITING, "vip", at=5, kind="routing"), first=recorded)
    assert outcome(snapshot(WAITING, history=(bump,), details=told(priority=2)), bound) == ["vip 1: to Overflow"]


def test_a_priority_that_was_no_matter_when_the_rule_first_acted_is_known_as_it_was_read_then():
    """Guards against an edited rule that loses the contacts that it has moved."""
    first = contact("c1", waited=40)
    here = after(first, waited=25)
    edited = rules(
        """
        [[rule]]
        name = "ladder"
        match = { queue = "Billing", priority = 5 }
        step = [{ at = "10m", to = [{ queue = "Overflow" }] }, { at = "30m", to = [{ queue = "Supervisors" }] }]
        """
    )
    warned, moved = act(first, "ladder", at=5, kind="warn"), move(first, here, "ladder", at=10)
    for before, decided in ((RoutingData(), ["ladder 2: to Supervisors"]), (RoutingData(priority=2), [])):
        history = (warned, replace(moved, before=before))
        seen = snapshot(here, history=history, details={here.id: Details(priority=1)})
        assert outcome(seen, edited) == decided


def test_a_rule_that_has_only_warned_relies_on_the_priority_as_it_is_now():
    warned = replace(act(WAITING, "vip", at=5, kind="warn"))
    seen = snapshot(WAITING, history=(warned,), details=told(priority=5))
    (priority,) = the_transfer(decide(seen, rules(on("priority = 5")))).relied_on
    assert not conditions_still_hold((priority,), replace(WAITING, details=Details(priority=1)))


def test_a_rule_relies_no_more_on_the_priority_that_it_has_changed_itself():
    bump = act(WAITING, "vip", at=5, kind="routing")
    bump = replace(bump, first=replace(bump.first, priority=5))
    seen = snapshot(WAITING, history=(bump,), details=told(priority=2))
    assert the_transfer(decide(seen, rules(on("priority = 5")))).relied_on == ()


URGENT = overflow("urgent", at="10m").replace(
    ANY, 'match = { queue = "Billing", name = "urgent", attributes.tier = "vip" }'
)


def test_the_most_overdue_is_asked_for_first_by_its_rule_and_not_by_its_age():
    older, urgent = contact("older", waited=70), contact("urgent", waited=60, name="urgent")
    bound = rules(URGENT + on('attributes.tier = "vip"', at="1h"))
    for contacts in ((older, urgent), (urgent, older)):
        assert [need.id for need in decide(snapshot(*contacts), bound).needs] == [urgent.id, older.id]


def test_where_a_later_rule_may_govern_its_urgency_counts_too():
    first, second = contact("c1", waited=200), contact("c2", waited=190, name="urgent")
    slow = on('attributes.tier = "gold"', "gold", at="3h")
    bound = rules(slow + URGENT)
    assert [need.id for need in decide(snapshot(first, second), bound).needs] == [second.id, first.id]


def test_the_hold_says_why_it_could_not_be_read():
    seen = snapshot(WAITING, details={WAITING.id: Unread("DescribeContact failed (Missing)")})
    assert the_hold(decide(seen, rules(VIP))).detail.endswith("read: DescribeContact failed (Missing)")


def test_a_decision_carries_what_it_relies_on_the_rules_above_included():
    decided = decide(snapshot(WAITING, details=told(attributes={"tier": "gold"})), rules(VIP + PLAIN))
    transfer = the_transfer(decided)
    assert transfer.target == to(GENERAL)
    relied_on = transfer.relied_on
    assert [seen.test.key for seen in relied_on] == ["attributes.tier"]
    assert conditions_still_hold(relied_on, replace(WAITING, details=Details(attributes={"tier": "silver"})))
    assert not conditions_still_hold(relied_on, replace(WAITING, details=Details(attributes={"tier": "vip"})))


TIERS = [Details(attributes={"tier": tier}) for tier in ("bronze", "silver", "gold")]


def test_a_decision_relies_on_no_rule_behind_an_exclusion_rule_that_ends_the_search():
    excludes = '[[rule]]\nname = "exclusion-rule"\nmatch = { queue = "Billing" }\n'
    gold = on('attributes.tier = "gold"', "gold").replace('to = [{ queue = "Overflow" }]', 'warn = "late"')
    bronze, silver, golden = (replace(WAITING, details=details) for details in TIERS)
    for between, holds in ((excludes, True), ("", False)):
        seen = snapshot(WAITING, details={WAITING.id: bronze.details})
        relied_on = the_transfer(decide(seen, rules(VIP + PLAIN + between + gold))).relied_on
        assert conditions_still_hold(relied_on, silver)
        assert conditions_still_hold(relied_on, golden) is holds


def test_a_decision_without_such_conditions_relies_on_nothing():
    assert the_transfer(decide(snapshot(WAITING), rules(PLAIN))).relied_on == ()


PREFERRED = overflow("preferred", to='{ agent_from = "attributes.last" }, { queue = "General" }')
PROFILE = ProfileId("sales")
ANNS = told(attributes={"last": "ann"})
FREE = replace(free(), profile_id=PROFILE)


def at_anns(state=FREE, serves=frozenset({(BILLING, Channel.TASK)}), details=ANNS):
    known = live(agents={ANN: state})
    return snapshot(WAITING, details=details, metrics=replace(known, profiles={PROFILE: serves}))


def test_an_agent_that_the_contact_names_by_user_name_or_id_is_a_destination():
    bound = rules(PREFERRED)
    assert outcome(at_anns(), bound) == [f"preferred 1: to agent {ANN}"]
    assert outcome(at_anns(details=told(attributes={"last": ANN})), bound) == [f"preferred 1: to agent {ANN}"]


def test_one_who_does_not_serve_its_queue_and_channel_is_not():
    bound = rules(PREFERRED)
    assert outcome(at_anns(serves=frozenset({(OVERFLOW, Channel.TASK)})), bound) == ["preferred 1: to General"]
    assert outcome(at_anns(serves=frozenset({(BILLING, Channel.EMAIL)})), bound) == ["preferred 1: to General"]
    assert outcome(at_anns(serves=None), bound) == ["preferred 1: to General"]
    assert outcome(at_anns(state=free()), bound) == ["preferred 1: to General"], "of no known profile"


def test_what_the_profile_serves_is_asked_for_when_the_agent_is_free():
    seen = snapshot(WAITING, details=ANNS, metrics=live(agents={ANN: FREE}))
    assert decide(seen, rules(PREFERRED)).needs == (Need(NeedKind.PROFILE, PROFILE),)
    busy = snapshot(WAITING, details=ANNS, metrics=live(agents={ANN: replace(FREE, routable=False)}))
    assert decide(busy, rules(PREFERRED)).needs == ()


def test_a_contact_that_names_nobody_goes_to_the_next_destination():
    bound = rules(PREFERRED)
    for details in (told(), told(attributes={"last": ""}), told(attributes={"last": "no such agent"})):
        assert outcome(at_anns(details=details), bound) == ["preferred 1: to General"]


def test_whom_it_names_is_asked_for_and_while_that_could_not_be_read_nobody_else_gets_it():
    bound = rules(PREFERRED)
    assert decide(at_anns(details={}), bound).needs == (Need(NeedKind.DETAILS, WAITING.id),)
    in_vain = at_anns(details={WAITING.id: Unread("no answer")})
    assert outcome(in_vain, bound) == ["preferred 1: unreadable"]
    assert decide(in_vain, bound).needs == (), "asked in vain once, it is not asked for again in this look"


def test_a_destination_before_the_one_that_could_not_be_read_is_taken():
    bound = rules(overflow("preferred", to='{ queue = "General" }, { agent_from = "attributes.last" }'))
    in_vain = at_anns(details={WAITING.id: Unread("no answer")})
    assert outcome(in_vain, bound) == ["preferred 1: to General"]


@pytest.mark.parametrize("says", ["ann", "nobody", "", None])
def test_a_decision_relies_on_whom_the_contact_names(says):
    before = {} if says is None else {"last": says}
    (named,) = the_transfer(decide(at_anns(details=told(attributes=before)), rules(PREFERRED))).relied_on
    assert conditions_still_hold((named,), replace(WAITING, details=Details(attributes={**before, "other": "x"})))
    for after_it in ({"last": "bob"}, {} if says is not None else {"last": "ann"}):
        assert not conditions_still_hold((named,), replace(WAITING, details=Details(attributes=after_it)))


def test_the_value_is_not_told():
    alone = rules(overflow("preferred", to='{ agent_from = "attributes.last" }'))
    hold = the_hold(decide(at_anns(details=told(attributes={"last": "secret.person"})), alone))
    assert hold.reason is HoldReason.NO_ELIGIBLE_DESTINATION
    assert "secret" not in hold.detail


def test_an_agent_that_connect_refused_for_the_contact_is_passed_by():
    bound = rules(PREFERRED)
    (fingerprint,) = (rule.fingerprint for rule in bound.rules)
    refused = act(WAITING, "preferred", at=10, state=ActionState.REFUSED, target=to_agent(ANN), fingerprint=fingerprint)
    assert outcome(changed(at_anns(), histories={WAITING.id: (refused,)}), bound) == ["preferred 1: to General"]


def test_of_two_rules_that_observe_the_next_shows_its_move_while_the_first_is_not_decided():
    first = VIP.replace('mode = "enforce"', 'mode = "observe"')
    both = rules(first + overflow("next", mode="observe"))
    read, unread = told(attributes={"tier": "vip"}), {WAITING.id: Unread("no answer")}
    assert outcome(snapshot(WAITING, details=read), both) == [
        "vip 1: to Overflow (observed)",
        "next 1: in_flight (observed)",
    ]
    assert outcome(snapshot(WAITING, details=unread), both) == [
        "vip 1: unreadable (observed)",
        "next 1: to Overflow (observed)",
    ]


def test_of_undecided_rules_that_are_due_at_the_same_instants_only_the_first_is_tried():
    many = [on(f'attributes.tier = "{n}"', f"rule-{n}", at="30m" if n % 2 else "40m") for n in range(50)]
    timed = on('attributes.tier = "vip", waited = { min = "1m" }', "timed", at="40m")
    account = decide(snapshot(WAITING), rules("".join([*many, timed]))).accounts[WAITING.id]
    assert account.governance is not None
    assert [one.rule.name for one in account.governance.undecided] == ["rule-0", "rule-1", "timed"]
    assert account.next_due_at == NOW + timedelta(minutes=10)
