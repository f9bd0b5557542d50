"""Checks replays of histories that have no looks of a router: both rule sets are followed on their own."""

from datetime import UTC, datetime, timedelta

import pytest

from router.backtest.difference import DifferenceKind
from router.backtest.replay import HistoryReplay
from router.history.contact_rows import ContactRows, row_of_record
from router.history.world import Gap
from router.prove.example_instance import directory_of
from router.rules.load import parse_rules
from tests.unit.history.test_contact_rows import record

RULE = """
[defaults]
flow = "To queue"

[[rule]]
name = "late"
match = { queue = "Billing" }
[[rule.step]]
at = "20m"
to = [{ queue = "General" }]
"""
SINCE, UNTIL = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
NINE = datetime(2026, 11, 2, 9, tzinfo=UTC)


def replayed(before, after, *, gap=None):
    a, b = (parse_rules([("rules.toml", text.encode())]) for text in (before, after))
    rows = ContactRows()
    for contact_id, minutes in (("short", 5), ("middle", 25), ("long", 60)):
        left = (NINE + timedelta(minutes=minutes)).isoformat()
        rows.add(row_of_record(record(contact_id, Queue={**record()["Queue"], "DequeueTimestamp": left})))
    replay = HistoryReplay.of(a=a, b=b, since=SINCE, until=UNTIL)
    replay.use_names(rows.directory([directory_of(one, ()) for one in (a, b)]))
    events = list(rows.events())
    if gap is not None:
        events = sorted([*events, gap], key=lambda event: event.at)
    return replay.run(iter(events))


def differences(*rules, **more):
    found = replayed(*rules, **more)
    return {(one.contact_id, one.kind, one.by) for one in found.differences}


@pytest.mark.parametrize("act", ['warn = "soon"', "routing = { priority = 3 }"])
def test_an_act_after_the_same_warning_or_update_is_compared_in_a_history_without_acts(act):
    warned = RULE.replace("[[rule.step]]", f'[[rule.step]]\nat = "10m"\n{act}\n[[rule.step]]', 1)
    alone = warned[: warned.rindex("[[rule.step]]")]
    assert {kind for _, kind, _ in differences(warned, alone)} == {DifferenceKind.NO_LONGER}
    assert {kind for _, kind, _ in differences(alone, warned)} == {DifferenceKind.NOW}
    later = warned.replace("20m", "40m")
    assert ("long", DifferenceKind.LATER, timedelta(minutes=20)) in differences(warned, later)
    assert not differences(warned, warned)


def test_the_same_rules_do_not_differ():
    found = replayed(RULE, RULE)
    assert (found.contacts, found.differences, found.unjudged.total()) == (3, [], 0)


def test_a_step_at_another_time_is_later_or_missing_where_the_contact_had_left():
    assert differences(RULE, RULE.replace("20m", "30m")) == {
        ("long", DifferenceKind.LATER, timedelta(minutes=10)),
        ("middle", DifferenceKind.LATER, timedelta(minutes=10)),
    }
    assert differences(RULE.replace("20m", "30m"), RULE) == {
        ("long", DifferenceKind.EARLIER, timedelta(minutes=10)),
        ("middle", DifferenceKind.NOW, None),
    }


def test_a_condition_on_a_figure_that_records_do_not_have_is_not_judged():
    found = replayed(RULE, RULE.replace('"General" }', '"General", slots_available = { min = 1 } }'))
    assert found.unjudged == {"the history lacks values that the rules need": 2}
    assert found.differences == []


def test_a_contact_that_was_due_in_a_gap_is_not_judged():
    gap = Gap(at=NINE + timedelta(minutes=10), until=NINE + timedelta(minutes=24), why="a reason")
    found = replayed(RULE, RULE.replace("20m", "50m"), gap=gap)
    assert found.gap_count == 1
    assert found.unjudged.total() == 2
