"""Checks how the acts of two rule sets on one contact are compared, up to the first that differs."""

from datetime import UTC, datetime, timedelta

from router.backtest.difference import DecidedAct, DifferenceKind, Followed, compare
from router.history.world import DecisionRecord
from router.model import ContactId

NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ID = ContactId("c")


def act(minutes, to="overflow", *, rule="late", kind="transfer", step=1):
    record = DecisionRecord(kind=kind, contact_id=ID, rule=rule, step=step, to=None if kind == "warn" else to)
    return DecidedAct(NOON + minutes * MINUTE, record)


def difference(before, after, **after_that):
    found = compare(ID, Followed(acts=tuple(before)), Followed(acts=tuple(after), **after_that))
    return None if found is None else (found.kind, found.rule, found.by, found.at_least)


def test_the_same_acts_do_not_differ_not_even_by_another_rule_or_some_seconds():
    assert difference([], []) is None
    assert difference([act(1)], [act(1)]) is None
    assert difference([act(1)], [act(1.4, rule="renamed")]) is None


def test_an_act_that_only_the_second_rules_make_is_new():
    assert difference([], [act(5, rule="new")]) == (DifferenceKind.NOW, "new", None, False)
    assert difference([act(9, kind="warn")], [act(5)]) == (DifferenceKind.NOW, "late", None, False)


def test_an_act_that_the_second_rules_do_not_make_is_missing_or_due_later():
    assert difference([act(5)], []) == (DifferenceKind.NO_LONGER, "late", None, False)
    due = {"next_due_at": NOON + 9 * MINUTE}
    assert difference([act(5)], [], **due) == (DifferenceKind.LATER, "late", 4 * MINUTE, True)
    assert difference([act(5)], [], held="per_hour", **due) == (DifferenceKind.NO_LONGER, "late", None, False)


def test_the_same_act_at_another_time_is_earlier_or_later():
    assert difference([act(9)], [act(5)]) == (DifferenceKind.EARLIER, "late", 4 * MINUTE, False)
    assert difference([act(5)], [act(9)]) == (DifferenceKind.LATER, "late", 4 * MINUTE, False)


def test_an_act_with_another_destination_is_elsewhere_whenever_it_is():
    for minutes in (5, 9, 1):
        kind, rule, by, _ = difference([act(5)], [act(minutes, "general", rule="other")])
        assert (kind, rule, by) == (DifferenceKind.ELSEWHERE, "other", None)


def test_acts_of_one_moment_have_no_order_and_a_repeated_act_is_one():
    before, after = [act(1), act(1.1), act(2)], [act(1, kind="warn"), act(1)]
    assert difference(before, after) == (DifferenceKind.NOW, "late", None, False)
    assert difference([act(1), act(9)], [act(1)]) is None


def test_of_simultaneous_differences_a_move_counts_before_a_warning():
    half, breach = act(1, kind="warn", step=1), act(1, kind="warn", step=3)
    assert difference([half, act(9)], [breach, act(1)]) == (DifferenceKind.EARLIER, "late", 8 * MINUTE, False)
    assert difference([half], [breach, act(1)]) == (DifferenceKind.NOW, "late", None, False)
    assert difference([half, act(1)], [breach]) == (DifferenceKind.NO_LONGER, "late", None, False)
    found = compare(ID, Followed(acts=(half,)), Followed(acts=(breach, act(1))))
    assert found is not None
    assert found.act == "transfer"


def test_only_the_first_difference_counts():
    before, after = [act(1, kind="warn"), act(5), act(8)], [act(1, kind="warn"), act(5, "general"), act(7)]
    assert difference(before, after)[0] is DifferenceKind.ELSEWHERE
