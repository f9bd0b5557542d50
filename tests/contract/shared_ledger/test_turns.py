"""Checks several routers on one ledger: one writes, whatever the others believe, and all see one history."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from router.ledger import AlreadyIntended, LedgerUnavailable
from router.ledger.operator_records import OperatorRecords
from router.model import ActionState, ContactId, Landing, Pause, PauseKind


def test_a_router_that_has_not_taken_over_writes_nothing(shared, act, held):
    watching = shared.router("b")

    for write in (
        lambda: watching.intend(act()),
        lambda: watching.record(act()),
        lambda: OperatorRecords(watching).clear_pause(a_pause(shared)),
    ):
        with pytest.raises(LedgerUnavailable, match="only observes"):
            write()

    assert watching.prune(shared.now) == 0
    assert held(watching) == []
    assert list(shared.direct.between(shared.instance, "!", "~")) == []


def a_pause(shared):
    return Pause(
        kind=PauseKind.RULE, subject="late", name="late", until=shared.now + timedelta(hours=1),
        comment="why", who="me", set_at=shared.now,
    )  # fmt: skip


def test_what_one_router_writes_another_reads(shared, act, held):
    works, watches = shared.router("a"), shared.router("b")
    works.take_over()
    intent = works.intend(act())
    works.settle(replace(intent, state=ActionState.ACTED, new_contact_id=ContactId("c-2")))
    works.land(replace(intent, state=ActionState.ACTED, landing=Landing.QUEUED, landed_at=shared.now))
    OperatorRecords(works).set_pause(a_pause(shared))
    assert watches.history() == ()

    watches.catch_up()

    assert held(watches) == held(works) != []
    assert watches.history() == works.history()
    assert OperatorRecords(watches).pauses() == (a_pause(shared),)
    assert (watches.writer, watches.term, watches.began_at) == ("a", 1, shared.now)


def test_from_the_moment_another_has_taken_over_nothing_more_of_the_first_is_written(shared, act, held):
    first, second = shared.router("a"), shared.router("b")
    first.take_over()
    open_intent, renewed = first.intend(act("c-1")), first.intend(act("c-2"))
    second.take_over()
    written = shared.entries()

    for write in (
        lambda: first.intend(act("c-3")),
        lambda: first.settle(replace(open_intent, state=ActionState.ACTED)),
        lambda: first.renew(replace(renewed, attempts=2)),
        lambda: first.record(act("c-4")),
    ):
        with pytest.raises(LedgerUnavailable):
            write()

    assert shared.entries() == written
    assert (first.holding, first.writer) == (False, "b")
    assert second.open_intents() == (open_intent, renewed)
    second.settle(replace(open_intent, state=ActionState.ACTED))
    first.catch_up()
    assert held(first) == held(second)


def test_a_router_with_an_old_copy_does_not_intend_a_step_that_another_has_done(shared, act):
    """Stops a router, or suspends its machine: by its own copy nothing was done yet, and it is its turn."""
    stopped, other = shared.router("a"), shared.router("b")
    stopped.take_over()
    other.take_over()
    other.settle(replace(other.intend(act()), state=ActionState.ACTED, landing=Landing.QUEUED))
    assert stopped.holding, "it does not know better"

    with pytest.raises(LedgerUnavailable):
        stopped.intend(act())

    stopped.take_over()
    with pytest.raises(AlreadyIntended):
        stopped.intend(act())


def test_turns_are_counted_over_all_routers_and_may_come_back(shared, act):
    first, second = shared.router("a"), shared.router("b")
    for number, router in enumerate((first, second, first, first, second), 1):
        router.take_over()
        assert (router.term, router.holding) == (number, True)
        router.record(act(f"c-{number}"))

    assert [one.contact_id for one in shared.router("c").history()] == [f"c-{number}" for number in range(1, 6)]


def test_a_router_that_starts_anew_finds_open_intents_and_goes_on_counting(shared, act):
    first = shared.router("a")
    first.take_over()
    assert first.created
    intent = first.intend(act())
    first.close()

    again = shared.router("a")
    again.take_over()

    assert not again.created
    assert again.open_intents() == (intent,)
    assert again.intend(act("c-2")).id > intent.id


def test_the_lease_that_was_not_renewed_stops_calls_and_not_what_is_known_of_them(shared, act):
    ledger = shared.router("a")
    ledger.take_over()
    intent = ledger.intend(act())
    ledger.require_turn()

    ledger.trusted = lambda: False

    with pytest.raises(LedgerUnavailable, match="not renewed in time"):
        ledger.require_turn()
    ledger.settle(replace(intent, state=ActionState.ACTED))


def test_moves_of_the_last_hour_are_those_of_every_router(shared, act):
    first, second = shared.router("a"), shared.router("b")
    first.take_over()
    one = first.record(act("c-1"))
    assert first.moves_since(shared.now) == (one,)
    second.take_over()
    two = second.record(act("c-2"))

    assert second.moves_since(shared.now) == (one, two)
    first.catch_up()
    assert first.moves_since(shared.now) == (one, two)


def test_instances_share_a_table_and_know_nothing_of_each_other(shared, act):
    one, two = shared.router("a"), shared.router("b", instance=f"{shared.instance}-other")
    one.take_over()
    two.take_over()
    one.intend(act())
    two.intend(act())
    two.catch_up()

    assert one.holding
    assert two.holding
    assert len(two.history()) == 1
