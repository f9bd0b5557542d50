"""Tests which destinations may receive a contact."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from router.decide.decide import decide
from router.decide.snapshot import Limits, LiveMetrics
from router.model import AgentState, Channel, HoldReason, Need, NeedKind, RoutingProfile
from tests.builders.contacts import act, after, contact, minutes, move
from tests.builders.instance import ANN, AWAY, BILLING, BOB, GENERAL, OVERFLOW, SUPERVISORS, free, metrics, to, to_agent
from tests.builders.rules import overflow, rules
from tests.builders.snapshots import by_contact, live, outcome, snapshot, the_hold

SLOT = "slots_available = { min = 1 }"


def moved_by(entries: str, *contacts, pick: str = "first", **others):
    """Returns the decisions of a rule with this ``to`` on contacts that are due in Billing."""
    rule = overflow(to=entries).replace('at = "10m"', f'at = "10m", pick = "{pick}"')
    given = contacts or (contact(waited=10),)
    return outcome(snapshot(*given, **others), rules(rule))


TO = "overflow 1: to"
NONE = ["overflow 1: no_eligible_destination"]
THREE = '{ queue = "Overflow" }, { queue = "General" }, { queue = "Supervisors" }'


def test_an_entry_without_conditions_is_always_eligible():
    assert moved_by('{ queue = "Overflow" }', metrics=LiveMetrics()) == [f"{TO} Overflow"]


def test_destinations_are_tried_in_order():
    entries = f'{{ queue = "Overflow", {SLOT} }}, {{ queue = "General", {SLOT} }}, {{ queue = "Supervisors" }}'
    assert moved_by(entries, metrics=live({OVERFLOW: metrics(slots=1), GENERAL: metrics(slots=1)})) == [
        f"{TO} Overflow"
    ]
    assert moved_by(entries, metrics=live({GENERAL: metrics(slots=1)})) == [f"{TO} General"]
    assert moved_by(entries) == [f"{TO} Supervisors"]


def test_a_destination_may_name_its_own_flow():
    rule = rules(overflow(to='{ queue = "Overflow", flow = "Another" }, { agent = "ann" }'))
    assert [entry.flow_id for entry in rule.rules[0].steps[0].entries] == ["flow-another", "flow-to-agent"]


@pytest.mark.parametrize(
    ("condition", "fits", "fails"),
    [
        ("slots_available = { min = 2 }", metrics(slots=2), metrics(slots=1)),
        ("agents_available = { min = 1 }", metrics(agents_available=1), metrics(agents_available=0)),
        ("agents_staffed = { min = 1 }", metrics(agents_staffed=1), metrics(agents_staffed=0)),
        ("agents_online = { min = 1, max = 3 }", metrics(agents_online=3), metrics(agents_online=4)),
        ("contacts_in_queue = { max = 5 }", metrics(waiting=5), metrics(waiting=6)),
        (
            'oldest_contact_age = { max = "1h" }',
            metrics(oldest_contact_age=minutes(60)),
            metrics(oldest_contact_age=minutes(60) + timedelta(seconds=1)),
        ),
        ('estimated_wait_time = { max = "5m" }', metrics(estimated_wait_time=minutes(5)), metrics()),
    ],
)
def test_conditions_on_live_metrics_are_inclusive_and_a_missing_metric_fails_its_own(condition, fits, fails):
    entries = f'{{ queue = "Overflow", {condition} }}'
    assert moved_by(entries, metrics=live({OVERFLOW: fits})) == [f"{TO} Overflow"]
    assert moved_by(entries, metrics=live({OVERFLOW: fails})) == NONE


def test_metrics_are_those_of_the_contacts_channel():
    email = contact(waited=10, channel=Channel.EMAIL)
    entries = f'{{ queue = "Overflow", {SLOT} }}'
    tasks_only = live({OVERFLOW: metrics(slots=1)})
    both = replace(tasks_only, rows={**tasks_only.rows, (OVERFLOW, Channel.EMAIL): metrics(slots=1)})
    assert moved_by(entries, email, metrics=tasks_only) == NONE
    assert moved_by(entries, email, metrics=both) == [f"{TO} Overflow"]


EMPTY = '{ queue = "Overflow", contacts_in_queue = { max = 0 } }'


def rows_without_overflow():
    given = live()
    return replace(given, rows={key: row for key, row in given.rows.items() if key[0] != OVERFLOW})


def test_a_queue_without_a_row_is_empty_and_unstaffed():
    assert moved_by(EMPTY, metrics=rows_without_overflow()) == [f"{TO} Overflow"]
    assert moved_by('{ queue = "Overflow", agents_staffed = { min = 1 } }', metrics=rows_without_overflow()) == NONE


def test_unless_the_router_itself_has_seen_contacts_there():
    due, seen = contact(waited=10), contact("seen", queue=OVERFLOW, waited=1)
    assert moved_by(EMPTY, due, seen, metrics=rows_without_overflow()) == NONE
    mail = replace(seen, channel=Channel.EMAIL)
    assert moved_by(EMPTY, due, mail, metrics=rows_without_overflow()) == [f"{TO} Overflow"]


def test_or_connect_gave_no_row_for_that_channel_in_any_queue():
    assert moved_by(EMPTY, contact(waited=10, channel=Channel.EMAIL)) == NONE


def test_the_contacts_own_queue_shows_whether_connect_has_metrics_of_the_channel():
    email, bound = contact(waited=10, channel=Channel.EMAIL), rules(overflow(to=EMPTY))
    destination = replace(live(), queues_read=frozenset({OVERFLOW}))
    needed = decide(snapshot(email, metrics=destination), bound)
    assert needed.needs == (Need(NeedKind.METRICS, BILLING),)
    assert the_hold(needed).reason is HoldReason.UNREADABLE
    both = replace(destination, queues_read=frozenset({OVERFLOW, BILLING}))
    with_email = replace(both, rows={**both.rows, (BILLING, Channel.EMAIL): metrics(waiting=1)})
    assert outcome(snapshot(email, metrics=with_email), bound) == [f"{TO} Overflow"]
    assert outcome(snapshot(email, metrics=both), bound) == NONE
    assert not decide(snapshot(email, metrics=both), bound).needs


def test_metrics_whose_answer_failed_are_not_known():
    failed = replace(rows_without_overflow(), queues_failed=frozenset({OVERFLOW}))
    assert moved_by(EMPTY, metrics=failed) == NONE


def test_shorter_wait_asks_whether_its_oldest_contact_waits_less_than_this_wait_has_waited():
    entry = '{ queue = "Overflow", shorter_wait = true }'
    assert moved_by(entry, metrics=live({OVERFLOW: metrics(oldest_contact_age=minutes(9))})) == [f"{TO} Overflow"]
    assert moved_by(entry, metrics=live({OVERFLOW: metrics(oldest_contact_age=minutes(10))})) == NONE
    assert moved_by(entry, metrics=live({OVERFLOW: metrics()})) == NONE


def test_shorter_wait_counts_the_whole_wait_and_not_only_the_queue_it_is_in():
    first = contact("c1", queue=SUPERVISORS, waited=30)
    here = after(first, queue=BILLING, waited=12)
    moved = move(first, here, "another")
    waits_less = live({OVERFLOW: metrics(oldest_contact_age=minutes(25))})
    assert moved_by('{ queue = "Overflow", shorter_wait = true }', here, history=(moved,), metrics=waits_less) == [
        f"{TO} Overflow"
    ]


AGENT = '{ agent = "ann" }'


def test_an_agent_is_eligible_only_while_routable_with_a_free_slot_for_the_channel():
    assert moved_by(AGENT, metrics=live(agents={ANN: free()})) == [f"{TO} agent {ANN}"]
    assert moved_by(AGENT, metrics=live(agents={ANN: free(0)})) == NONE
    assert moved_by(AGENT, metrics=live(agents={ANN: free(channel="EMAIL")})) == NONE
    assert moved_by(AGENT, metrics=live(agents={ANN: AWAY})) == NONE
    assert moved_by(AGENT, metrics=live()) == NONE


def test_and_with_fewer_than_ten_contacts_that_the_router_sent_there_and_nobody_answered():
    plenty = live(agents={ANN: free(30)})
    assert moved_by(AGENT, metrics=plenty, sent_to_agents={ANN: 9}) == [f"{TO} agent {ANN}"]
    assert moved_by(AGENT, metrics=plenty, sent_to_agents={ANN: 10}) == NONE


def test_require_available_waives_the_slot_and_nothing_else():
    waived = '{ agent = "ann", require_available = false }'
    assert moved_by(waived, metrics=live(agents={ANN: free(0)})) == [f"{TO} agent {ANN}"]
    assert moved_by(waived, metrics=live(agents={ANN: AWAY})) == NONE
    assert moved_by(waived, metrics=live(agents={ANN: free(0)}), sent_to_agents={ANN: 10}) == NONE


def test_a_tier_is_left_only_when_none_of_it_is_eligible():
    rule = rules(
        overflow().replace(
            '[{ queue = "Overflow" }]',
            f'[[{{ queue = "Overflow", {SLOT} }}, {{ queue = "General", {SLOT} }}], [{{ queue = "Supervisors" }}]],'
            ' pick = "most-slots"',
        )
    )
    waiting = contact(waited=10)
    first = live({OVERFLOW: metrics(slots=1), GENERAL: metrics(slots=2), SUPERVISORS: metrics(slots=9)})
    assert outcome(snapshot(waiting, metrics=first), rule) == [f"{TO} General"]
    assert outcome(snapshot(waiting, metrics=live({SUPERVISORS: metrics(slots=9)})), rule) == [f"{TO} Supervisors"]


def test_most_slots_picks_the_queue_with_the_most_free_slots_and_ties_go_to_the_order_in_the_file():
    assert moved_by(THREE, pick="most-slots") == [f"{TO} Overflow"]
    assert moved_by(THREE, pick="most-slots", metrics=live({GENERAL: metrics(slots=1)})) == [f"{TO} General"]


def test_shortest_wait_picks_the_queue_whose_oldest_contact_waits_least():
    ages = {OVERFLOW: 3, GENERAL: 1, SUPERVISORS: 2}
    seen = live({queue: metrics(oldest_contact_age=minutes(age)) for queue, age in ages.items()})
    assert moved_by(THREE, pick="shortest-wait", metrics=seen) == [f"{TO} General"]


def test_fewest_waiting_picks_the_shortest_queue_and_one_of_unknown_length_last():
    lengths = live({OVERFLOW: metrics(waiting=3), GENERAL: replace(metrics(), contacts_in_queue=None)})
    assert moved_by('{ queue = "General" }, { queue = "Overflow" }', pick="fewest-waiting", metrics=lengths) == [
        f"{TO} Overflow"
    ]


def test_a_pick_by_metrics_has_them_read_even_of_entries_without_conditions():
    rule = rules(overflow(to=THREE).replace('at = "10m"', 'at = "10m", pick = "most-slots"'))
    decided = decide(snapshot(contact(waited=10), metrics=LiveMetrics()), rule)
    assert set(decided.needs) == {Need(NeedKind.METRICS, queue) for queue in (OVERFLOW, GENERAL, SUPERVISORS)}


def test_an_unconditional_entry_stays_eligible_when_the_metrics_of_a_pick_cannot_be_read():
    nothing = LiveMetrics(queues_read=frozenset({OVERFLOW, GENERAL}), queues_failed=frozenset({OVERFLOW, GENERAL}))
    assert moved_by('{ queue = "Overflow" }, { queue = "General" }', pick="most-slots", metrics=nothing) == [
        f"{TO} Overflow"
    ]


def test_round_robin_goes_on_after_the_one_that_this_step_used_last():
    last = {("overflow", minutes(10)): to(OVERFLOW)}
    assert moved_by(THREE, pick="round-robin") == [f"{TO} Overflow"]
    assert moved_by(THREE, pick="round-robin", last_targets=last) == [f"{TO} General"]
    last = {("overflow", minutes(10)): to(SUPERVISORS)}
    assert moved_by(THREE, pick="round-robin", last_targets=last) == [f"{TO} Overflow"]


def test_round_robin_goes_round_within_one_cycle():
    four = [contact(f"c{number}", waited=20 - number) for number in range(4)]
    assert moved_by(THREE, *four, pick="round-robin") == [
        f"{TO} Overflow",
        f"{TO} General",
        f"{TO} Supervisors",
        f"{TO} Overflow",
    ]


def test_weighted_chooses_alike_for_the_same_wait_and_step_and_in_proportion_over_many():
    entries = '{ queue = "Overflow", weight = 3 }, { queue = "General", weight = 1 }'
    many = [contact(f"c{number}", waited=10) for number in range(400)]
    rule = rules(overflow(to=entries).replace('at = "10m"', 'at = "10m", pick = "weighted"'))
    generous = Limits(per_cycle=1000, per_hour=1000)
    chosen = by_contact(snapshot(*many, limits=generous), rule)
    assert chosen == by_contact(snapshot(*reversed(many), limits=generous), rule)
    counts = Counter(decisions[0] for decisions in chosen.values())
    assert 250 < counts[f"{TO} Overflow"] < 350


def test_ten_contacts_never_chase_one_free_slot():
    ten = [contact(f"c{number}", waited=20 - number) for number in range(10)]
    entries = f'{{ queue = "Overflow", {SLOT} }}'
    assert moved_by(entries, *ten, metrics=live({OVERFLOW: metrics(slots=1)})) == [f"{TO} Overflow", *(NONE * 9)]


def test_what_earlier_cycles_sent_counts_against_slots_and_length():
    slots = live({OVERFLOW: metrics(slots=2, waiting=3)})
    assert moved_by(
        f'{{ queue = "Overflow", {SLOT} }}', metrics=slots, sent_to_queues={(OVERFLOW, Channel.TASK): 1}
    ) == [f"{TO} Overflow"]
    assert (
        moved_by(f'{{ queue = "Overflow", {SLOT} }}', metrics=slots, sent_to_queues={(OVERFLOW, Channel.TASK): 2})
        == NONE
    )
    length = '{ queue = "Overflow", contacts_in_queue = { max = 4 } }'
    assert moved_by(length, metrics=slots, sent_to_queues={(OVERFLOW, Channel.TASK): 1}) == [f"{TO} Overflow"]
    assert moved_by(length, metrics=slots, sent_to_queues={(OVERFLOW, Channel.TASK): 2}) == NONE


def both_channels(**tasks):
    """Returns metrics of Overflow that are the same for both channels."""
    found = live({OVERFLOW: metrics(**tasks)})
    return replace(found, rows={**found.rows, (OVERFLOW, Channel.EMAIL): metrics(**tasks)})


LENGTH = '{ queue = "Overflow", contacts_in_queue = { max = 4 } }'


def test_contacts_of_another_channel_do_not_lengthen_the_queue():
    four = both_channels(slots=2, waiting=4)
    assert moved_by(LENGTH, metrics=four, sent_to_queues={(OVERFLOW, Channel.EMAIL): 2}) == [f"{TO} Overflow"]
    assert moved_by(LENGTH, metrics=four, sent_to_queues={(OVERFLOW, Channel.TASK): 1}) == NONE
    assert moved_by(LENGTH, metrics=four, sent_to_queues={(OVERFLOW, None): 1}) == NONE


@pytest.mark.parametrize(
    ("sent", "detail"),
    [
        ({Channel.TASK: 2}, "2 free, less 2 just sent there = 0"),
        ({None: 2}, "2 free, less 2 just sent there = 0"),
        ({Channel.TASK: 3}, "2 free, and 3 just sent there"),
        ({Channel.EMAIL: 2}, "2 free, less 2 of another channel just sent there, perhaps from the same slots = 0"),
        (
            {Channel.TASK: 1, Channel.EMAIL: 1},
            "2 free, less 1 just sent there, less 1 of another channel just sent there, "
            "perhaps from the same slots = 0",
        ),
        ({Channel.EMAIL: 5}, "2 free, and 5 of another channel just sent there, perhaps from the same slots"),
    ],
)
def test_the_hold_shows_the_figure_of_connect_and_what_was_subtracted(sent, detail):
    seen = snapshot(
        contact(waited=10),
        metrics=both_channels(slots=2),
        sent_to_queues={(OVERFLOW, channel): count for channel, count in sent.items()},
    )
    hold = the_hold(decide(seen, rules(overflow(to=f'{{ queue = "Overflow", {SLOT} }}'))))
    assert hold.detail == f'"Overflow": slots_available is 0, below 1 ({detail})'


ANY, ALONE = {Channel.TASK: False, Channel.EMAIL: False}, {Channel.TASK: True, Channel.EMAIL: True}


def profile(alone, *queues):
    return RoutingProfile(queue_ids=frozenset(queues or [OVERFLOW]), alone=alone)


SLOTS = f'{{ queue = "Overflow", {SLOT} }}'
MOVED, SUBTRACTED, UNSURE = "moved", "subtracted", "unsure"


@pytest.mark.parametrize(
    ("profiles", "result"),
    [
        ((profile(ANY),), MOVED),
        ((profile(ANY), profile({Channel.EMAIL: False, Channel.TASK: True})), MOVED),
        ((profile(ALONE),), SUBTRACTED),
        ((profile({Channel.EMAIL: True, Channel.TASK: False}),), SUBTRACTED),
        ((profile(ANY), profile(ALONE)), UNSURE),
        ((profile({Channel.EMAIL: None, Channel.TASK: False}),), UNSURE),
        ((profile(ANY), profile({Channel.EMAIL: None, Channel.TASK: None})), UNSURE),
        ((), UNSURE),
        ((profile(ANY, BILLING),), UNSURE),
        ((profile({Channel.EMAIL: True}), profile({Channel.TASK: True})), MOVED),
        ((profile(ALONE, BILLING), profile(ANY)), MOVED),
    ],
)
def test_the_routing_profiles_decide_whether_contacts_of_another_channel_take_slots(profiles, result):
    """Takes the behaviour of the other channel, because an agent works on a contact of that one."""
    seen = snapshot(
        contact(waited=10),
        metrics=both_channels(slots=2),
        sent_to_queues={(OVERFLOW, Channel.EMAIL): 2},
        routing_profiles=profiles,
    )
    decided = decide(seen, rules(overflow(to=SLOTS)))
    if result == MOVED:
        assert [type(one).__name__ for one in decided.decisions] == ["Transfer"]
        return
    detail = the_hold(decided).detail
    assert "2 free, less 2 of another channel just sent there" in detail
    assert ("perhaps from the same slots" in detail) is (result == UNSURE)


@pytest.mark.parametrize(
    ("slots", "sent", "needed"),
    [
        (2, {Channel.EMAIL: 2}, True),
        (3, {Channel.EMAIL: 2}, False),
        (2, {Channel.TASK: 2}, False),
        (2, {Channel.TASK: 2, Channel.EMAIL: 1}, False),
        (0, {Channel.EMAIL: 2}, False),
        (2, {None: 2}, False),
    ],
)
def test_routing_profiles_are_read_only_if_they_can_make_the_queue_eligible(slots, sent, needed):
    seen = snapshot(
        contact(waited=10),
        metrics=both_channels(slots=slots),
        sent_to_queues={(OVERFLOW, channel): count for channel, count in sent.items()},
        routing_profiles=None,
    )
    assert decide(seen, rules(overflow(to=SLOTS))).needs == ((Need(NeedKind.CHANNELS, OVERFLOW),) if needed else ())


def test_the_hold_shows_the_contacts_that_lengthen_a_queue():
    seen = snapshot(contact(waited=10), metrics=both_channels(waiting=3), sent_to_queues={(OVERFLOW, Channel.TASK): 2})
    hold = the_hold(decide(seen, rules(overflow(to=LENGTH))))
    assert hold.detail == '"Overflow": contacts_in_queue is 5, above 4 (3 waiting, and 2 just sent there = 5)'


def test_the_contacts_of_one_decision_count_by_channel_too():
    three = [
        contact("c1", waited=30, channel=Channel.EMAIL),
        contact("c2", waited=20),
        contact("c3", waited=10),
    ]
    assert moved_by(LENGTH, *three, metrics=both_channels(waiting=4)) == [f"{TO} Overflow", f"{TO} Overflow", *NONE]


def test_the_hold_shows_what_was_sent_to_an_agent():
    seen = snapshot(contact(waited=10), metrics=live(agents={ANN: free(1)}), sent_to_agents={ANN: 1})
    hold = the_hold(decide(seen, rules(overflow(to='{ agent = "ann" }'))))
    assert hold.detail == '"ann": the agent has no free slot for TASK (1 free, less 1 just sent there)'


def test_what_is_sent_to_an_agent_counts_against_the_free_slots():
    three = [contact(f"c{number}", waited=20 - number) for number in range(3)]
    agents = '{ agent = "ann" }, { agent = "bob" }'
    both = live(agents={ANN: free(1), BOB: free(1)})
    assert moved_by(agents, *three, metrics=both) == [f"{TO} agent {ANN}", f"{TO} agent {BOB}", *NONE]


def test_a_contact_is_never_moved_to_the_queue_it_is_in():
    assert moved_by('{ queue = "Billing" }') == NONE
    assert moved_by('{ queue = "Billing", revisit = true }') == NONE


def test_nor_back_to_a_queue_that_its_wait_has_been_moved_out_of_unless_the_entry_says_revisit():
    first = contact("c1", queue=SUPERVISORS, waited=30)
    here = after(first, queue=BILLING, waited=12)
    history = (move(first, here, "another"),)
    assert moved_by('{ queue = "Supervisors" }', here, history=history) == NONE
    assert moved_by('{ queue = "Supervisors", revisit = true }', here, history=history) == [f"{TO} Supervisors"]


def test_nor_to_an_agent_it_has_been_sent_to():
    first = contact("c1", queue=SUPERVISORS, waited=30)
    here = after(first, queue=BILLING, waited=12)
    sent = move(first, here, "another", target=to_agent(ANN))
    assert moved_by(AGENT, here, history=(sent,), metrics=live(agents={ANN: free()})) == NONE


def test_an_earlier_wait_of_the_chain_does_not_bar_a_queue():
    earlier = contact("c0", queue=OVERFLOW, waited=100)
    here = after(earlier, queue=BILLING, waited=12)
    someone_put_it_there = move(earlier, after(earlier, "c1", queue=GENERAL, waited=60), "another")
    assert moved_by('{ queue = "Overflow" }', here, history=(someone_put_it_there,)) == [f"{TO} Overflow"]


def test_what_must_be_read_is_asked_for_at_once_for_every_step_and_tier_that_may_come_to_matter():
    ladder = rules(
        overflow().replace(
            'step = [{ at = "10m", to = [{ queue = "Overflow" }] }]',
            f'step = [{{ at = "10m", to = [[{{ queue = "Overflow", {SLOT} }}], [{{ agent = "ann" }}]] }},'
            f' {{ at = "20m", to = [[{{ queue = "General", {SLOT} }}], [{{ queue = "Supervisors", {SLOT} }}]] }}]',
        )
    )
    decided = decide(snapshot(contact(waited=20), metrics=LiveMetrics()), ladder)
    assert the_hold(decided).reason == "unreadable"
    queues = {Need(NeedKind.METRICS, queue) for queue in (OVERFLOW, GENERAL, SUPERVISORS)}
    assert set(decided.needs) == {*queues, Need(NeedKind.AGENT, ANN)}


def test_nothing_is_read_that_comes_after_an_eligible_first_choice():
    entries = f'{{ queue = "Supervisors" }}, {{ queue = "General", {SLOT} }}'
    assert moved_by(entries, metrics=LiveMetrics()) == [f"{TO} Supervisors"]


def test_nothing_is_read_for_a_contact_that_a_guard_holds_anyway():
    here = after(contact("c1", queue=SUPERVISORS, waited=13), queue=BILLING, waited=12)
    recent = act(contact("c1", queue=SUPERVISORS, waited=13), "another")
    history = (move(contact("c1", queue=SUPERVISORS, waited=13), here, "another", settled_at=recent.decided_at),)
    held = decide(
        snapshot(here, history=history, metrics=LiveMetrics(), limits=Limits(cooldown=minutes(60))),
        rules(overflow(to=f'{{ queue = "Overflow", {SLOT} }}')),
    )
    assert (the_hold(held).reason, held.needs) == ("cooldown", ())


def test_an_agents_free_slots_count_for_most_slots():
    entries = '{ agent = "ann" }, { agent = "bob" }'
    seen = live(agents={ANN: free(1), BOB: AgentState(routable=True, slots_available={"TASK": 2})})
    assert moved_by(entries, pick="most-slots", metrics=seen) == [f"{TO} agent {BOB}"]
