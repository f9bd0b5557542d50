"""Checks what a snapshot holds of the router's own work, and that deciding reads what it needs."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from router.decide.capacity import METRICS_LAG
from router.decide.decide import decide
from router.decide.snapshot import Blocks, Limits
from router.ledger.sqlite import SqliteLedger
from router.lookup import snapshot as module
from router.lookup.background import Background
from router.lookup.snapshot import Lookup
from router.model import ActionState, AgentId, Channel, Landing, Need, NeedKind, Target
from router.rules.rule import Mode
from tests.builders.contacts import NOW, act, after, contact, minutes, move
from tests.builders.instance import BILLING, DIRECTORY, OVERFLOW, to
from tests.builders.rules import overflow, rules
from tests.builders.watched import SetClock

ONE, TWO = contact("c1", waited=20), contact("c2", waited=5)
RULES = rules(overflow(at="10m"))


class Reading:
    """Replaces the fetcher: it records the needs, and reads nothing."""

    def __init__(self):
        self.needs = []
        self.background = Background()

    def read(self, look, needs):
        self.needs.append(tuple(needs))
        return look


@pytest.fixture
def ledgers():
    both = [SqliteLedger.in_memory(instance_id="instance") for _ in range(2)]
    yield both
    for ledger in both:
        ledger.close()


@pytest.fixture
def lookup(ledgers):
    ledger, observed = ledgers
    return Lookup(fetcher=cast(Any, Reading()), ledger=ledger, observed=observed, clock=SetClock(NOW), limits=Limits())


def look(lookup, *contacts, **others):
    return lookup.snapshot(contacts, DIRECTORY, mode=Mode.ENFORCE, cycle=1, **others)


def record(ledger, action):
    """Writes a move as the service does: intent, settlement, landing."""
    intended = ledger.intend(replace(action, state=ActionState.INTENDED, landing=None, token=action.contact_id))
    landing = None if action.landing is None else Landing.PENDING
    settled = replace(
        intended,
        state=action.state,
        settled_at=action.settled_at,
        landing=landing,
        new_contact_id=action.new_contact_id,
    )
    ledger.settle(settled)
    if action.landing is not None:
        ledger.land(replace(action, id=settled.id))


def test_it_has_the_histories_of_both_ledgers(lookup, ledgers):
    record(ledgers[0], move(ONE, after(ONE, "moved"), decided_at=NOW))
    ledgers[1].record(act(ONE, "watched", kind="warn"))
    history = look(lookup, ONE, TWO).moves.histories
    assert {(one.rule, one.contact_id) for one in history[ONE.id]} == {("overflow", "c1"), ("watched", "c1")}
    assert history.get(TWO.id, ()) == ()


def test_it_has_the_moves_of_the_last_hour_and_the_last_target_of_each_step_ever(lookup, ledgers):
    record(ledgers[0], move(ONE, after(ONE, "m1"), decided_at=NOW - minutes(59)))
    record(ledgers[0], move(TWO, after(TWO, "m2"), "old", decided_at=NOW - minutes(61), target=to(BILLING)))
    moves = look(lookup, ONE).moves
    assert [one.rule for one in moves.recent] == ["overflow"]
    assert moves.last_targets == {("overflow", minutes(10)): to(OVERFLOW), ("old", minutes(10)): to(BILLING)}


@pytest.mark.parametrize(
    ("landing", "landed_ago", "counts"),
    [
        (Landing.PENDING, None, True),
        (Landing.STRAY, None, True),
        (Landing.QUEUED, METRICS_LAG, True),
        (Landing.QUEUED, METRICS_LAG + timedelta(seconds=1), False),
    ],
)
def test_a_move_counts_for_its_queue_until_the_metrics_show_it(lookup, ledgers, landing, landed_ago, counts):
    landed = NOW - landed_ago if landed_ago is not None else None
    for channel in (Channel.EMAIL, None):
        moved = move(ONE, after(ONE, "m1"), landing=landing, decided_at=NOW, landed_at=landed, channel=channel)
        record(ledgers[0], replace(moved, at=minutes(10 if channel else 20)))
    expected = {(OVERFLOW, Channel.EMAIL): 1, (OVERFLOW, None): 1}
    assert look(lookup).moves.sent_to_queues == (expected if counts else {})


def test_it_counts_followed_moves_to_agents_and_contacts_that_wait_in_addition(lookup):
    agent = AgentId("ann")
    sent = act(ONE, target=Target(flow_id=to(OVERFLOW).flow_id, agent_id=agent))
    others = {(BILLING, Channel.TASK): 2, (BILLING, Channel.EMAIL): 1}
    found = look(lookup, followed=(sent, sent, move(TWO, after(TWO))), others=others)
    assert found.moves.sent_to_agents == {agent: 2}
    assert (found.unseen, found.occupied_by_others) == ({BILLING: 3}, frozenset(others))


def test_a_call_without_a_known_outcome_counts_for_its_agent(lookup, ledgers):
    agent = AgentId("ann")
    sent = act(ONE, target=Target(flow_id=to(OVERFLOW).flow_id, agent_id=agent), decided_at=NOW)
    ledgers[0].intend(replace(sent, state=ActionState.INTENDED, token="token"))
    assert look(lookup).moves.sent_to_agents == {agent: 1}


def test_it_has_the_blocks_and_limits(lookup):
    assert look(lookup).blocks == Blocks()
    assert look(lookup, blocks=Blocks(denied=True)).blocks.denied
    assert look(lookup).limits == lookup.limits


def test_deciding_reads_what_it_needs_and_ends_if_that_never_comes(lookup):
    text = overflow(at="10m", to='{ queue = "Overflow", slots_available = { min = 1 } }')
    decided, _ = lookup.decide(look(lookup, ONE), rules(text))
    assert len(lookup.fetcher.needs) == 1, "reads again what is still being read"
    assert decided.needs
    assert {type(need) for needs in lookup.fetcher.needs for need in needs} == {Need}
    assert {need.kind for needs in lookup.fetcher.needs for need in needs} <= set(NeedKind)


def test_a_contact_on_which_deciding_fails_is_logged_and_the_others_are_decided_on(lookup, monkeypatch):
    def broken(seen, bound, **_):
        if any(one.id == ONE.id for one in seen.contacts):
            raise RuntimeError("a bug")
        return decide(seen, bound)

    monkeypatch.setattr(module, "decide", broken)
    with capture_logs() as lines:
        decided, seen = lookup.decide(look(lookup, ONE, TWO), RULES)
    assert [(line["event"], line["contact_id"]) for line in lines] == [("contact.broken", ONE.id)]
    assert (list(decided.accounts), seen.contacts) == ([TWO.id], (TWO,))


def test_a_bug_that_no_single_contact_shows_is_raised(lookup, monkeypatch):
    def broken(seen, bound, **_):
        if len(seen.contacts) > 1:
            raise RuntimeError("a bug")

    monkeypatch.setattr(module, "decide", broken)
    with pytest.raises(RuntimeError):
        lookup.decide(look(lookup, ONE, TWO), RULES)
