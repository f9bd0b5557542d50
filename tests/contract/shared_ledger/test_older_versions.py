"""Checks that a table which version 0.1 really wrote is read, taken over and upgraded, by every router alike."""

from dataclasses import replace

import pytest

from router.ledger import AlreadyIntended, LedgerBroken, LedgerUnavailable
from router.ledger.shared.log import TransactionLog, Writer
from router.model import ActionKind, ActionState
from tests.builders import old_ledgers

FILES = ("schema_3_log.json", "schema_3_base.json")
OLD = Writer(id="f" * 16, name="old-router:1", term=1)


@pytest.fixture(params=FILES)
def old(request, shared):
    shared.now = old_ledgers.WRITTEN_AT
    old_ledgers.write_table(shared.direct, shared.instance, request.param)
    return shared


def of_kind(ledger, kind):
    return [one for one in ledger.history() if one.kind is kind]


def places(ledger):
    return [
        (one.contact_id, one.state, one.open and one.sent_at is not None)
        for one in of_kind(ledger, ActionKind.RESTORE_PLACE)
    ]


def write_as_old(shared, ledger, changes=()):
    """Appends an entry of the old version after the last one that this router knows."""
    log = TransactionLog(shared.direct, shared.instance)
    log.append(ledger._number + 1, OLD, changes, schema=3, now=shared.now)


def test_a_router_that_stands_by_reads_what_the_old_version_wrote(old):
    ledger = old.router("new")

    found = [(one.contact_id, one.state, one.landing) for one in of_kind(ledger, ActionKind.TRANSFER)]
    assert found == list(old_ledgers.TRANSFERS)
    assert places(ledger) == list(old_ledgers.PLACES)
    assert (ledger.writer, ledger.holding, ledger.last_cycle()) == ("old-router:1", False, 44)


def test_it_reads_on_while_the_old_version_writes(old, act):
    ledger = old.router("new")
    segment = ("segments", ("late-one",), {"contact_id": "late-one", "chain_id": "late-one"})
    write_as_old(old, ledger, [segment])

    ledger.catch_up()
    write_as_old(old, ledger)
    ledger.catch_up()

    with ledger._alone() as connection:
        rows = connection.execute("SELECT count(*) FROM segments WHERE contact_id = 'late-one'").fetchone()
    assert rows[0] == 1
    assert places(ledger) == list(old_ledgers.PLACES)


def test_who_takes_over_goes_on_and_every_other_router_comes_to_the_same(old, act, held):
    first, second = old.router("a"), old.router("b")
    first.take_over()
    intent = first.intend(act("another"))
    (sent,) = [one for one in first.open_follow_ups() if one.contact_id == "sent"]
    first.settle(replace(sent, state=ActionState.ACTED, settled_at=old.now))

    second.catch_up()
    third = old.router("c")

    assert intent in second.open_intents()
    assert held(first) == held(second) == held(third)
    first.shorten()
    assert held(old.router("d")) == held(first)


def test_promises_of_the_old_version_are_kept(old, act):
    ledger = old.router("new")
    ledger.take_over()
    acted = of_kind(ledger, ActionKind.TRANSFER)[0]

    with pytest.raises(AlreadyIntended):
        ledger.intend(replace(acted, id=0))
    for one in ledger.open_intents():
        ledger.settle(replace(one, state=ActionState.NEVER_SENT, settled_at=old.now))
    assert ledger.open_intents() == ()


def test_an_old_router_that_goes_on_after_a_newer_one_is_refused(old):
    ledger, other = old.router("new"), old.router("other")
    ledger.take_over()
    write_as_old(old, ledger)

    with pytest.raises(LedgerBroken, match="older connect-router \\(schema 3\\) after a newer one \\(schema 7\\)"):
        other.catch_up()
    another = replace(of_kind(ledger, ActionKind.TRANSFER)[0], id=0, at=old.now - old.now)
    with pytest.raises(LedgerUnavailable):
        ledger.intend(another)


def test_the_first_entry_of_this_version_tells_an_older_router_that_it_is_newer(old):
    ledger = old.router("new")
    ledger.take_over()

    assert [entry["schema"] for entry in old.entries()][-2:] == [3, 7]
