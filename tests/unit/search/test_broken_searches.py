"""Searches that break, and what a sweep is for."""

from datetime import timedelta

import pytest

from router.decide.decide import decide
from router.model import Channel, ContactId
from router.search.waiting_list import NEVER
from tests.builders.contacts import NOW, contact, minutes
from tests.builders.rules import overflow, rules
from tests.builders.snapshots import snapshot
from tests.unit.search.test_planner import EVERY, Service


def test_a_search_that_broke_is_no_evidence_of_what_it_did_not_return(monkeypatch):
    service = Service(contact("a", waited=5), contact("b", waited=4), sweep=EVERY)
    service.poll()
    assert {"a", "b"} == set(service.waiting_list._entries)

    def broken(**asked):
        raise RuntimeError("a bug")
        yield

    monkeypatch.setattr(service.world, "search", broken)
    service.clock.at += EVERY
    with pytest.raises(RuntimeError):
        service.poll()
    monkeypatch.undo()
    service.clock.at += EVERY
    service.poll()
    assert {"a", "b"} == set(service.waiting_list._entries)


def test_a_sweep_looks_at_everything_again_whatever_its_rows_say():
    """Covers attributes, priorities and hours, which change without a row. Reading the names again makes all contacts
    due too, but may fail for days (IAM)."""
    service = Service(contact("a", waited=1))
    service.poll()
    [one] = service.waiting_list.take_due(service.clock.at)
    bound = rules(overflow(at="30m", to='{ queue = "General" }'))
    account = decide(snapshot(one), bound).accounts[ContactId("a")]
    service.waiting_list.record_decisions([(account, NEVER, False)])
    service.clock.at += minutes(5)
    service.poll()
    assert service.waiting_list.next_at <= service.clock.at


def test_a_contact_that_one_search_leaves_out_is_not_late_for_it():
    """Covers a contact without a row in the metrics (e-mail), 10 s before it falls due."""
    one = contact("a", waited=24)
    service = Service(one, contact("b", waited=5), silent=frozenset(Channel))
    service.poll()
    service.clock.at = NOW + minutes(5) + timedelta(seconds=50)
    hidden, service.world.arrivals = service.world.arrivals, service.world.arrivals[1:]
    service.poll()
    service.world.arrivals = hidden
    for _ in range(3):
        service.clock.at += EVERY
        service.poll()
    assert "a" in service.waiting_list, "late, and nobody knows of it"
