"""Tests which rule governs a contact."""

from dataclasses import replace

from router.decide.decide import decide
from router.decide.govern import trace
from router.decide.tried_rule import Role
from router.decide.waiting_contact import WaitingContact
from router.model import ActionKind, Landing, QueueId
from router.rules.rule import Mode
from tests.builders.contacts import NOW, act, after, contact, minutes, move
from tests.builders.instance import ANN, ANNS_QUEUE, GENERAL, OVERFLOW, to_agent
from tests.builders.rules import overflow, rules, unreadable
from tests.builders.snapshots import in_words, outcome, snapshot

LADDER = """
    [[rule]]
    name = "ladder"
    match = { queue = "Billing" }
    [[rule.step]]
    at = "10m"
    to = [{ queue = "Overflow" }]
    [[rule.step]]
    at = "30m"
    to = [{ queue = "Supervisors" }]
"""
EXCLUSION = """
    [[rule]]
    name = "exclusion-rule"
    match = { queue = "*" }
"""
WARNING = """
    [[rule]]
    name = "warning"
    match = { queue = "*" }
    step = [{ at = "5m", warn = "late" }]
"""


def moved_to_overflow(minutes_in_billing=10, waited=0, rule="overflow", **others):
    """Builds a contact that a rule has moved from Billing, and the move."""
    first = contact("c1", waited=minutes_in_billing + waited)
    second = after(first, waited=waited)
    return second, move(first, second, rule, at=minutes_in_billing, **others)


def test_the_first_rule_that_matches_governs_from_top_to_bottom():
    two = rules(overflow("first", to='{ queue = "Overflow" }') + overflow("second", to='{ queue = "General" }'))
    assert outcome(snapshot(contact(waited=10)), two) == ["first 1: to Overflow"]


def test_a_rule_that_matches_and_has_nothing_due_still_keeps_those_below_it_from_governing():
    two = rules(overflow("first", at="1h") + overflow("second", at="1m"))
    assert outcome(snapshot(contact(waited=10)), two) == []


def test_a_rule_that_has_acted_before_does_not_govern_while_one_above_it_matches():
    above = overflow("above", to='{ queue = "General" }').replace('queue = "Billing"', 'queue = "Overflow"')
    here, moved = moved_to_overflow(rule="ladder", waited=20)
    both = rules(above + LADDER)
    assert outcome(snapshot(here, history=(moved,)), both) == ["above 1: to General"]


def test_a_rule_that_has_moved_a_wait_also_matches_it_in_the_queues_that_it_moves_to():
    here, moved = moved_to_overflow(rule="ladder", waited=20)
    assert outcome(snapshot(here, history=(moved,)), rules(LADDER)) == ["ladder 2: to Supervisors"]


def test_a_rule_that_has_not_moved_a_wait_does_not_match_it_in_the_queues_that_it_moves_to():
    assert outcome(snapshot(contact(queue=OVERFLOW, waited=40)), rules(LADDER)) == []
    here, moved = moved_to_overflow(rule="another", waited=40)
    assert outcome(snapshot(here, history=(moved,)), rules(LADDER)) == []


def test_a_rule_that_has_moved_a_wait_does_not_match_it_in_a_queue_that_another_rule_moved_it_to():
    first, second = contact("c1", waited=60), contact("c2", queue=OVERFLOW, waited=40)
    third = after(second, "c3", queue=GENERAL, waited=20)
    moves = (move(first, second, "ladder"), move(second, third, "another", wait=move(first, second).wait))
    assert outcome(snapshot(third, history=moves), rules(LADDER)) == []


def test_its_other_conditions_must_still_hold():
    tagged = LADDER.replace('{ queue = "Billing" }', '{ queue = "Billing", tags.team = "blue" }')
    here, moved = moved_to_overflow(rule="ladder", waited=20)
    assert outcome(snapshot(here, history=(moved,)), rules(tagged)) == []
    tagged_contact = replace(here, tags={"team": "blue"})
    assert outcome(snapshot(tagged_contact, history=(moved,)), rules(tagged)) == ["ladder 2: to Supervisors"]


def test_waited_is_as_it_was_when_the_rule_first_acted():
    waiting = rules(
        LADDER.replace('{ queue = "Billing" }', '{ queue = "Billing", waited = { min = "9m", max = "11m" } }')
    )
    here, moved = moved_to_overflow(rule="ladder", waited=20)
    assert outcome(snapshot(here, history=(moved,)), waiting) == ["ladder 2: to Supervisors"]


def test_initiation_method_is_as_it_was_when_the_rule_first_acted():
    by_api = rules(LADDER.replace('{ queue = "Billing" }', '{ queue = "Billing", initiation_method = "API" }'))
    here, moved = moved_to_overflow(rule="ladder", waited=20)
    moved = replace(moved, first=replace(moved.first, initiation_method="API"))
    here = replace(here, initiation_method="TRANSFER")
    assert outcome(snapshot(here, history=(moved,)), by_api) == ["ladder 2: to Supervisors"]


def test_before_a_rule_has_moved_the_wait_it_sees_the_contact_as_it_is():
    short = rules(LADDER.replace('{ queue = "Billing" }', '{ queue = "Billing", waited = { max = "11m" } }'))
    waiting = contact(waited=30)
    warned = act(waiting, "ladder", at=5, kind="warn")
    assert outcome(snapshot(waiting, history=(warned,)), short) == []


def test_a_rule_in_observe_under_an_enforcing_service_acts_beside_the_governing_rule():
    observing = overflow("watching", to='{ queue = "General" }', mode="observe")
    both = rules(observing + overflow("acting"))
    assert outcome(snapshot(contact(waited=10)), both) == ["acting 1: to Overflow", "watching 1: to General (observed)"]


def test_a_rule_in_observe_takes_no_contact_from_the_governing_rule_when_it_cannot_be_decided():
    observing = overflow("watching", mode="observe")
    both = unreadable(rules(observing + overflow("acting")), "watching")
    assert outcome(snapshot(contact(waited=10)), both) == ["acting 1: to Overflow", "watching 1: unreadable (observed)"]


def test_what_a_rule_in_observe_would_move_uses_up_nothing():
    observing = overflow("watching", mode="observe", more="guard = { per_cycle = 1 }")
    limited = overflow("acting", more="guard = { per_cycle = 1 }")
    both = rules(observing + limited)
    assert outcome(snapshot(contact(waited=10)), both) == [
        "acting 1: to Overflow",
        "watching 1: to Overflow (observed)",
    ]


def test_an_exclusion_rule_in_observe_excludes_nothing_under_an_enforcing_service():
    watched = EXCLUSION.replace("match =", 'mode = "observe"\n    match =')
    assert outcome(snapshot(contact(waited=10)), rules(watched + overflow())) == [
        "overflow 1: to Overflow",
        "exclusion-rule: excluded (observed)",
    ]


def test_an_exclusion_rule_in_observe_shows_nothing_where_it_would_exclude_nothing():
    watched = EXCLUSION.replace("match =", 'mode = "observe"\n    match =')
    assert outcome(snapshot(contact(waited=10)), rules(overflow() + watched)) == ["overflow 1: to Overflow"]
    elsewhere = watched.replace('queue = "*"', 'queue = "General"')
    assert outcome(snapshot(contact(waited=10)), rules(elsewhere + overflow())) == ["overflow 1: to Overflow"]


def test_what_an_exclusion_rule_in_observe_would_exclude_is_shown_although_no_rule_matches():
    watched = EXCLUSION.replace("match =", 'mode = "observe"\n    match =')
    (account,) = decide(snapshot(contact(waited=10)), rules(watched)).accounts.values()
    assert [in_words(one) for one in account.decisions] == ["exclusion-rule: excluded (observed)"]
    assert account.ungoverned


def test_in_an_observing_service_every_rule_plays_its_part_as_if_it_acted():
    both = rules(overflow("first") + overflow("second"))
    assert outcome(snapshot(contact(waited=10), mode=Mode.OBSERVE), both) == ["first 1: to Overflow (observed)"]
    assert outcome(snapshot(contact(waited=10), mode=Mode.OBSERVE), rules(EXCLUSION + overflow())) == [
        "exclusion-rule: excluded (observed)"
    ]


def test_a_rule_without_a_to_step_acts_beside_the_governing_rule_and_takes_no_contact_from_it():
    both = rules(WARNING + overflow())
    assert outcome(snapshot(contact(waited=10)), both) == ["overflow 1: to Overflow", "warning 1: warns"]
    behind = rules(overflow() + WARNING)
    assert outcome(snapshot(contact(waited=10)), behind) == ["overflow 1: to Overflow", "warning 1: warns"]


def test_off_is_as_if_absent():
    off = overflow("first", mode="off")
    assert outcome(snapshot(contact(waited=10)), rules(off + overflow("second"))) == ["second 1: to Overflow"]


def test_a_rule_exists_only_between_from_and_until():
    timed = overflow(more="from = 2026-03-02T12:00:00Z\nuntil = 2026-03-02T13:00:00Z")
    waiting = contact(waited=10)
    assert outcome(snapshot(waiting), rules(timed)) == ["overflow 1: to Overflow"]
    assert outcome(snapshot(waiting, now=NOW - minutes(0.1)), rules(timed)) == []
    assert outcome(snapshot(waiting, now=NOW + minutes(60)), rules(timed)) == []


def test_every_rule_below_an_exclusion_rule_leaves_its_contacts_alone():
    assert outcome(snapshot(contact(waited=10)), rules(EXCLUSION + overflow() + WARNING)) == [
        "exclusion-rule: excluded"
    ]


def test_an_exclusion_rule_excludes_from_the_moment_it_matches():
    later = EXCLUSION.replace('{ queue = "*" }', '{ queue = "*", waited = { min = "10m" } }')
    both = rules(later + overflow(at="5m"))
    assert outcome(snapshot(contact(waited=9)), both) == ["overflow 1: to Overflow"]
    assert outcome(snapshot(contact(waited=10)), both) == ["exclusion-rule: excluded"]


def test_an_exclusion_rule_below_the_governing_rule_keeps_the_contact_from_those_below_the_exclusion_rule_only():
    three = rules(overflow() + EXCLUSION + WARNING)
    assert outcome(snapshot(contact(waited=10)), three) == ["overflow 1: to Overflow"]


def test_a_warning_above_an_exclusion_rule_is_given():
    assert outcome(snapshot(contact(waited=10)), rules(WARNING + EXCLUSION + overflow())) == [
        "exclusion-rule: excluded",
        "warning 1: warns",
    ]


def test_a_rule_whose_to_steps_have_all_acted_hands_over_to_the_next_rule_that_matches():
    composed = rules(overflow() + overflow("next", to='{ queue = "General" }').replace('"Billing"', '"Overflow"'))
    here, moved = moved_to_overflow(waited=10)
    assert outcome(snapshot(here, history=(moved,)), composed) == ["next 1: to General"]


def test_a_rule_whose_to_steps_have_been_skipped_is_finished_too():
    here, moved = moved_to_overflow(minutes_in_billing=30, waited=10, rule="ladder")
    after_it = overflow("next", to='{ queue = "General" }').replace('"Billing"', '"Overflow"')
    assert outcome(snapshot(here, history=(moved,)), rules(LADDER + after_it)) == ["next 1: to General"]


def test_what_warn_steps_a_finished_rule_has_left_still_act_beside():
    warned = LADDER + '[[rule.step]]\nat = "1h"\nwarn = "an hour"\n'
    here, moved = moved_to_overflow(minutes_in_billing=30, waited=30, rule="ladder")
    after_it = overflow("next", to='{ queue = "General" }').replace('"Billing"', '"Overflow"')
    assert outcome(snapshot(here, history=(moved,)), rules(warned + after_it)) == [
        "next 1: to General",
        "ladder 3: warns",
    ]


def test_contacts_in_an_agents_own_queue_are_matched_by_no_rule_but_the_one_that_sent_them_there():
    in_anns_queue = contact("c2", queue=ANNS_QUEUE, waited=20)
    everything = rules(LADDER.replace('"Billing"', '"*"') + WARNING)
    assert outcome(snapshot(in_anns_queue), everything) == []
    first = contact("c1", waited=30)
    sent = move(first, in_anns_queue, "ladder", landing=Landing.AT_AGENT, target=to_agent(ANN))
    assert outcome(snapshot(in_anns_queue, history=(sent,)), everything) == ["ladder 2: to Supervisors"]


def test_contacts_in_a_queue_that_the_directory_does_not_know_are_matched_by_no_rule():
    assert (
        outcome(
            snapshot(contact(queue=QueueId("made-a-moment-ago"), waited=20)), rules(LADDER.replace('"Billing"', '"*"'))
        )
        == []
    )


def test_older_contacts_than_enqueued_after_do_not_match():
    guarded = rules(overflow(more="guard = { enqueued_after = 2026-03-02T11:45:00Z }"))
    assert outcome(snapshot(contact(waited=16)), guarded) == []
    assert outcome(snapshot(contact(waited=15)), guarded) == ["overflow 1: to Overflow"]


def test_a_condition_whose_value_could_not_be_read_is_not_false_and_no_later_rule_is_tried():
    both = unreadable(rules(overflow("first") + overflow("second")), "first")
    assert outcome(snapshot(contact(waited=10)), both) == ["first: unreadable"]


def test_nobody_is_held_as_unreadable_before_a_step_may_be_due():
    both = unreadable(rules(overflow("first", at="20m") + overflow("second", at="30m")), "first")
    waiting = contact(waited=10)
    account = decide(snapshot(waiting), both).accounts[waiting.id]
    assert account.decisions == ()
    assert account.next_due_at == NOW + minutes(10)
    assert not account.ungoverned


def test_a_contact_is_held_as_unreadable_when_a_step_of_a_later_rule_that_could_match_is_due():
    both = unreadable(rules(overflow("first", at="20m") + overflow("second", at="10m")), "first")
    assert outcome(snapshot(contact(waited=10)), both) == ["first: unreadable"]


def test_an_edited_rule_sees_no_progress_of_steps_that_come_later_and_a_renamed_one_none_at_all():
    here, moved = moved_to_overflow(rule="ladder", waited=20)
    assert moved.kind is ActionKind.TRANSFER
    renamed = rules(LADDER.replace('"ladder"', '"renamed"'))
    assert outcome(snapshot(here, history=(moved,)), renamed) == []


def test_the_trace_says_what_every_rule_is_to_the_contact():
    off = overflow("off", mode="off")
    several = rules(
        off + overflow("elsewhere").replace('"Billing"', '"General"') + WARNING
        + overflow("first") + overflow("second") + EXCLUSION + overflow("below")
    )  # fmt: skip
    waiting = contact(waited=10)
    seen = snapshot(waiting)
    wait = decide(seen, several).accounts[waiting.id].wait
    assert wait is not None
    assert [(one.rule.name, one.role) for one in trace(WaitingContact(waiting, wait, seen), several.rules)] == [
        ("off", Role.NOT_IN_FORCE),
        ("elsewhere", Role.NO_MATCH),
        ("warning", Role.SIDE_RULE),
        ("first", Role.GOVERNS),
        ("second", Role.BEHIND),
        ("exclusion-rule", Role.EXCLUSION),
    ]
