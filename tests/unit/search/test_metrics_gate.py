"""Since when contacts that nobody knows of may wait, and whether one can fall due."""

from datetime import timedelta

import pytest

from router.decide.capacity import METRICS_LAG
from router.model import QueueMetrics
from router.search.metrics_gate import Earliest, falls_due, unknown_since
from router.search.waiting_list import INDEX_LAG
from tests.builders.contacts import NOW, minutes
from tests.builders.rules import overflow, rules


def row(age=None, waiting=None):
    return QueueMetrics(oldest_contact_age=None if age is None else minutes(age), contacts_in_queue=waiting)


def since(metrics, *, known=None, searched=None):
    return unknown_since(
        metrics,
        known=[] if known is None else [NOW - minutes(known)],
        searched_at=None if searched is None else NOW - minutes(searched),
        now=NOW,
    )


def test_a_queue_that_was_never_searched_and_has_no_metric_may_hold_anything():
    assert since(None) is None
    assert since(row()) is None


def test_a_search_has_seen_what_came_before_it_less_what_the_index_may_lag():
    assert since(None, searched=5) == NOW - minutes(5) - INDEX_LAG


def test_nothing_waits_longer_than_the_oldest_of_the_metrics():
    assert since(row(age=3)) == NOW - minutes(3) - METRICS_LAG
    assert since(row(age=3), known=3, searched=30) == NOW - minutes(3) - METRICS_LAG


def test_where_the_oldest_is_known_the_others_are_bound_by_the_last_search():
    assert since(row(age=60), known=60, searched=5) == NOW - minutes(5) - INDEX_LAG


def test_more_contacts_than_are_known_may_be_as_old_as_the_oldest():
    assert since(row(age=60, waiting=2), known=60, searched=5) == NOW - minutes(60) - METRICS_LAG


@pytest.mark.parametrize("known", [None, 10, 90])
def test_an_oldest_that_is_not_known_though_it_was_searched_for_is_searched_for_again(known):
    assert since(row(age=60), known=known, searched=1) == NOW - minutes(60) - METRICS_LAG


def test_an_empty_queue_holds_only_what_the_metrics_do_not_show_yet():
    assert since(row(waiting=0)) == NOW - METRICS_LAG


def earliest(text):
    return Earliest.of(rules(text).rules)


def test_the_earliest_step_of_any_rule_counts_and_rules_that_are_off_do_not():
    assert earliest(overflow(at="10m") + overflow("b", at="5m")) == Earliest(minutes(5), False)
    assert earliest(overflow(at="10m") + overflow("b", at="5m", mode="off")) == Earliest(minutes(10), False)


def test_under_a_rule_by_age_a_contact_may_be_due_as_it_arrives():
    found = earliest(overflow(at="10m", more='sla = { clock = "chain" }'))
    assert found.any_time
    assert falls_due(NOW, found, NOW)


def test_without_a_step_nothing_falls_due():
    assert not falls_due(None, Earliest(None, False), NOW)


def test_a_contact_can_be_due_once_the_first_step_s_time_is_over_since_it_may_have_come():
    first = Earliest(minutes(10), False)
    assert falls_due(NOW - minutes(10), first, NOW)
    assert not falls_due(NOW - minutes(10) + timedelta(seconds=1), first, NOW)
    assert falls_due(None, first, NOW)
