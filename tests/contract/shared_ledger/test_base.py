"""A long log is shortened: who starts reads what it came to, and the entries since."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from router.ledger import LedgerBroken, LedgerUnavailable
from router.ledger.operator_records import OperatorRecords
from router.ledger.shared import ledger as module
from router.ledger.shared import log
from router.model import ActionState, ContactId, Landing

YEAR = timedelta(days=365)


@pytest.fixture
def ledger(shared):
    opened = shared.router("a")
    opened.take_over()
    return opened


def test_a_base_and_what_came_after_it_are_the_whole_ledger(shared, ledger, act, held):
    intents = [ledger.intend(act(f"c-{number}")) for number in range(20)]
    ledger.shorten()
    for intent in intents[:10]:
        ledger.settle(replace(intent, state=ActionState.ACTED, landing=Landing.QUEUED))

    opened = shared.router("b")

    assert held(opened) == held(ledger)
    assert opened.term == 1
    assert opened.began_at == shared.now


def test_a_base_with_nothing_after_it_tells_whose_turn_it_was(shared, ledger, act):
    last = ledger.intend(act())
    ledger.shorten()

    opened = shared.router("b")
    opened.take_over()

    assert (opened.term, opened.open_intents()) == (2, (last,))
    with pytest.raises(LedgerUnavailable):
        ledger.settle(replace(last, state=ActionState.ACTED))


def test_ids_of_removed_actions_are_not_given_again_after_a_base(shared, ledger, act):
    old = ledger.record(act("old", landing=Landing.QUEUED))
    newest = ledger.record(act("newest", decided_at=shared.now + YEAR, state=ActionState.REFUSED, landing=None))
    assert ledger.prune(shared.now + timedelta(days=1)) == 1
    ledger.shorten()

    opened = shared.router("b")
    opened.take_over()

    assert opened.history() == (newest,)
    assert opened.record(act("next")).id > newest.id > old.id


def test_entries_that_a_base_contains_are_kept_for_a_day(shared, ledger, act):
    """Checks that no number becomes free while a router that was stopped in mid-write could still take it."""
    for number in range(5):
        ledger.record(act(f"early-{number}"))
    ledger.shorten()
    shared.now += timedelta(hours=23)
    ledger.record(act("later"))
    ledger.shorten()
    assert len(shared.entries()) == 7

    shared.now += timedelta(hours=2)
    ledger.record(act("last"))
    ledger.shorten()

    assert [int(one["entry"][4:]) for one in shared.entries()] == [7, 8], "the others are a day old"
    assert len(shared.router("b").history()) == 7


def test_a_router_whose_turn_is_over_does_not_put_an_old_base_in_the_place_of_a_newer_one(shared, ledger, act, held):
    """Refuses it because some entries after the old base are removed: nobody could read the ledger any longer."""
    ledger.record(act("c-1"))
    other = shared.router("b")
    for number in range(3):
        other.take_over()
        other.record(act(f"more-{number}"))
        other.shorten()
        shared.now += timedelta(days=2)
    assert ledger.holding, "it does not know better"

    ledger.shorten()

    assert held(shared.router("c")) == held(other)


def test_a_log_that_has_grown_is_shortened_when_the_ledger_is_pruned(shared, ledger, act, monkeypatch):
    monkeypatch.setattr(module, "SMALLEST_TAIL", 2_000)
    ledger.record(act("c-1"))
    ledger.prune(shared.now - YEAR)
    assert ledger._log.head().base.number == 0

    for number in range(8):
        ledger.record(act(f"more-{number}"))
    ledger.prune(shared.now - YEAR)

    assert ledger._log.head().base.number == 10
    ledger.prune(shared.now - YEAR)
    assert ledger._log.head().base.number == 10, "nothing has come since"


def test_a_base_that_is_replaced_while_it_is_read_is_read_again(shared, ledger, act, held):
    for number in range(10):
        ledger.record(act(f"c-{number}"))
    ledger.shorten()
    replaced: list[bytes] = []

    def before(operation, body):
        """Runs when the head was read, and the parts are not yet."""
        if operation == "Query" and not replaced:
            replaced.append(body)
            ledger.record(act("meanwhile"))
            ledger.shorten()

    shared.proxy.before = before
    opened = shared.router("b")

    assert replaced
    assert held(opened) == held(ledger)


def test_a_router_that_has_slept_while_its_place_in_the_log_was_removed_begins_with_the_base(shared, ledger, act, held):
    sleeps = shared.router("b")
    for number in range(10):
        ledger.record(act(f"c-{number}"))
    ledger.shorten()
    shared.now += timedelta(days=2)
    ledger.record(act("later"))
    ledger.shorten()
    ledger.shorten()

    sleeps.catch_up()

    assert held(sleeps) == held(ledger)


def test_what_changes_much_at_once_is_one_entry_however_large(shared, ledger, act, held, monkeypatch):
    """Writes parts, because DynamoDB takes 400 KB in an item; here parts are made small."""
    monkeypatch.setattr(log, "INLINE", 5_000)
    monkeypatch.setattr(log, "PART", 700)
    count = 40
    for number in range(count):
        ledger.record(act(f"c-{number}", state=ActionState.REFUSED, landing=None))

    assert OperatorRecords(ledger).retry(rule="late", contact_id=None) == count

    (entry,) = [one for one in shared.entries() if "parts" in one]
    assert "changes" not in entry
    assert entry["parts"] > 1
    assert held(shared.router("b")) == held(ledger)


def test_a_newer_version_s_ledger_is_refused_in_one_line(shared, ledger, act):
    ledger.record(act())
    entry = shared.entries()[-1]
    shared.direct.replace({**entry, "schema": 99}, expected={"entry": entry["entry"]})

    with pytest.raises(LedgerBroken, match=r"newer connect-router \(schema 99, this one knows up to \d+\)"):
        shared.router("b")


@pytest.mark.parametrize(
    "change",
    [
        {"changes": "no JSON"},
        {"changes": '[["actions", [9], {"id": 9}]]'},
        {"changes": '[["no_table", [9], {"id": 9}]]'},
        {"changes": '[["actions", [9], {"id": 9, "no_column); --": 1}]]'},
        {"changes": '[["actions", [9, 9], null]]'},
        {"changes": '[["pauses", ["rule", "late"], ["no", "row"]]]'},
        {"changes": "[[]]"},
        {"changes": '{"a": 1}'},
        {"term": "many"},
        {"changes": '[["actions", [9], {"id": 99999999999999999999999}]]'},
    ],
)
def test_an_entry_that_nobody_wrote_so_is_one_located_line(shared, ledger, act, change, held):
    good = ledger.record(act())
    ledger.record(act("c-2"))
    entry = shared.entries()[-1]
    shared.direct.replace({**entry, **change}, expected={"entry": entry["entry"]})

    with pytest.raises(LedgerBroken, match=rf"dynamodb:{shared.name}: entry 3\b") as refused:
        shared.router("b")

    assert "\n" not in str(refused.value)
    assert ledger.history(contact_id=ContactId("c-1")) == (good,)


@pytest.mark.parametrize("change", [{"base_parts": "x"}, {"made_at": "never"}, {"base_number": b"x"}])
def test_a_head_that_nobody_wrote_so_is_one_line(shared, ledger, act, change):
    head = shared.direct.get(shared.instance, "head")
    shared.direct.replace({**head, **change}, expected={"entry": "head"})

    with pytest.raises(LedgerBroken, match=f"the head of instance {shared.instance} cannot be read"):
        shared.router("b")


def test_a_base_of_which_a_part_in_the_middle_has_just_been_removed_is_one_that_has_moved(
    shared, ledger, act, monkeypatch
):
    """Removes one part alone: BatchWriteItem removes its items in no order, and a reader may read in between."""
    monkeypatch.setattr(log, "PART", 300)
    for number in range(20):
        ledger.record(act(f"c-{number}"))
    ledger.shorten()
    head = log.TransactionLog(shared.direct, shared.instance).head()
    assert head is not None
    base = head.base
    assert base.parts > 2
    shared.direct.remove(shared.instance, [log._part(base.nonce, 2)])

    with pytest.raises(LedgerUnavailable, match="changed while it was read") as told:
        shared.router("b")
    assert not isinstance(told.value, LedgerBroken)
