"""Checks which contacts in agents' own queues are reported, how loudly, and how often."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from router.connect.answers import Unknown
from router.followup.stranded_contacts import StrandedContacts
from router.model import AgentState, ContactId, Landing
from tests.builders.contacts import NOW, act, contact
from tests.builders.fakes import FakeClock
from tests.builders.instance import ANN, AWAY, BOB, DIRECTORY, free, to_agent

TIMEOUT = timedelta(minutes=10)
SECOND = timedelta(seconds=1)
MOVE = act(
    contact("c1", waited=60),
    id=1,
    target=to_agent(ANN),
    new_contact_id=ContactId("c2"),
    landing=Landing.AT_AGENT,
    landed_at=NOW - TIMEOUT,
)


class FakeAgents:
    """Returns the states that a test sets, or a failure, and records the agents of each call."""

    def __init__(self, states):
        self.states, self.calls = states, []

    def agent_states(self, agent_ids):
        self.calls.append(set(agent_ids))
        return self.states


class Bench:
    """Reports on a few moves; ``late`` are the contacts whose promise is broken."""

    def __init__(self, states=None):
        self.agents, self.late = FakeAgents({ANN: AWAY} if states is None else states), set()
        self.clock = FakeClock(NOW)
        self.stranded = StrandedContacts(instance=cast(Any, self.agents), clock=self.clock, timeout=TIMEOUT)

    def report(self, *moves):
        with capture_logs() as lines:
            self.stranded.report(moves, DIRECTORY, is_late=lambda one: one in self.late)
        return [(line["event"], line["log_level"], line["contact_id"]) for line in lines]


@pytest.mark.parametrize(
    ("move", "states", "reported"),
    {
        "its agent is away": (MOVE, {ANN: AWAY}, True),
        "its agent is not among the states": (MOVE, {}, True),
        "its agent takes contacts": (MOVE, {ANN: free()}, False),
        "its agent is routable and full": (MOVE, {ANN: AgentState(routable=True, slots_available={})}, False),
        "the states cannot be read": (MOVE, Unknown(code="500", message=""), False),
        "it has not waited so long": (replace(MOVE, landed_at=NOW - TIMEOUT + SECOND), {ANN: AWAY}, False),
        "it is answered": (replace(MOVE, landing=Landing.ANSWERED), {ANN: AWAY}, False),
        "it has not landed": (replace(MOVE, landing=Landing.PENDING), {ANN: AWAY}, False),
    }.values(),
)
def test_a_contact_is_stranded_if_it_has_waited_too_long_for_an_agent_who_takes_none(move, states, reported):
    assert bool(Bench(states).report(move)) is reported


def test_it_is_a_warning_once_and_an_error_once_when_the_promise_is_broken():
    bench = Bench()
    reports = [bench.report(MOVE), bench.report(MOVE)]
    bench.late.add(ContactId("c2"))
    reports += [bench.report(MOVE), bench.report(MOVE)]

    assert reports == [
        [("contact.stranded", "warning", "c1")],
        [],
        [("contact.stranded", "error", "c1")],
        [],
    ]


def test_a_contact_whose_agent_came_and_went_is_reported_again():
    bench = Bench()
    first = bench.report(MOVE)
    bench.agents.states = {ANN: free()}
    between = bench.report(MOVE)
    bench.agents.states = {ANN: AWAY}

    assert (first, between, bench.report(MOVE)) == (first, [], first)
    assert len(first) == 1


def test_agents_are_read_in_one_call_and_only_if_somebody_waits_too_long():
    bench = Bench({ANN: AWAY, BOB: AWAY})
    other = replace(MOVE, id=2, target=to_agent(BOB))
    bench.report(replace(MOVE, landed_at=NOW))
    assert bench.agents.calls == []

    assert len(bench.report(MOVE, other)) == 2
    assert bench.agents.calls == [{ANN, BOB}]
