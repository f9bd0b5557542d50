"""Checks what the rules do to single contacts in a simulated centre."""

from dataclasses import replace
from datetime import timedelta

import pytest

from router.decide.snapshot import Limits
from router.model import Agent, AgentId, Channel, Directory, Flow, FlowId, FlowType, Queue, QueueId
from router.rules.bind import bind
from router.rules.load import parse_rules
from router.simulation.centre import Arrival, SimulatedCentre, Team
from router.simulation.engine import Engine
from router.simulation.first_looks import FirstLooks
from router.simulation.randomness import Fixed, RandomStreams
from router.simulation.trace import Trace
from router.simulation.wait_record import Ending
from tests.unit.simulation.models import START, contact

HOME, OTHER = QueueId("Home"), QueueId("Other")
RULE = """
[defaults]
flow = "Flow"
[[rule]]
name = "home"
match = { queue = "Home" }
sla.target = "10m"
[[rule.step]]
at = "breach"
to = [%s]
"""
ALWAYS, IF_FREE = '{ queue = "Other" }', '{ queue = "Other", slots_available = { min = 1 } }'


def team(queue, many=1, **of):
    names = tuple(f"{queue.lower()}-{number}" for number in range(many))
    return Team(name=queue, agents=names, served={queue: 1}, slots={Channel.TASK: 1}, **of)


def centre(*teams, **of) -> SimulatedCentre:
    agents = tuple(Agent(id=AgentId(name), name=name) for one in teams for name in one.agents)
    directory = Directory(
        queues=tuple(Queue(id=one, name=one) for one in (HOME, OTHER)),
        flows=(Flow(id=FlowId("Flow"), name="Flow", type=FlowType.INBOUND),),
        agents=agents,
    )
    handling = {(queue, Channel.TASK): Fixed(1200.0) for queue in (HOME, OTHER)}
    return SimulatedCentre(start=START, directory=directory, teams=teams, handling=handling, **of)


def arrival(number, at, queue=HOME, **of):
    return Arrival(contact=contact(number, at, queue=queue), at=at, **of)


def simulate(of, arrivals, rules=None, trace=None):
    bound = None
    if rules is not None:
        bound = bind(parse_rules([("rules.toml", rules.encode())]), of.directory, agents_known=True)
    return Engine(of, arrivals, bound, RandomStreams("1"), looks=FirstLooks(of, bound), trace=trace).run()


def test_a_contact_is_moved_when_its_step_is_due_and_lands_later():
    (wait,) = simulate(centre(team(OTHER), landing=Fixed(7.0)), [arrival(1, 0.0)], RULE % ALWAYS)
    assert wait.moves == [(600.0, OTHER)]
    assert (wait.ending, wait.ended, wait.late) == (Ending.ANSWERED, 607.0, 7.0)


def test_a_contact_that_is_answered_in_time_is_not_moved():
    (wait,) = simulate(centre(team(HOME), team(OTHER)), [arrival(1, 0.0)], RULE % ALWAYS)
    assert (wait.moves, wait.waited, wait.late) == ([], 0.0, -600.0)


def test_a_held_contact_is_moved_at_the_first_poll_after_a_slot_is_free():
    busy = arrival(1, 0.0, OTHER, work=700.0)
    _, wait = simulate(centre(team(OTHER)), [busy, arrival(2, 1.0)], RULE % IF_FREE)
    assert wait.moves == [(705.0, OTHER)]


def test_two_held_contacts_do_not_share_one_free_slot():
    busy = arrival(1, 0.0, OTHER, work=700.0)
    _, *waits = simulate(centre(team(OTHER)), [busy, arrival(2, 1.0), arrival(3, 2.0)], RULE % IF_FREE)
    first, second = (wait.moves[0][0] for wait in waits)
    assert first == 705.0
    assert second > first + 1200


@pytest.mark.parametrize(("keep_place", "first"), [(True, 2), (False, 1)])
def test_a_moved_contact_keeps_its_place_if_the_service_keeps_places(keep_place, first):
    arrivals = [arrival(1, 0.0, OTHER, work=900.0), arrival(2, 1.0), arrival(3, 100.0, OTHER)]
    waits = simulate(centre(team(OTHER), keep_place=keep_place), arrivals, RULE % ALWAYS)
    assert (min(waits[1:], key=lambda one: one.ended) is waits[1]) is (first == 2)


def test_the_service_limits_hold_moves_in_the_simulation():
    limits = replace(Limits(), per_hour=1)
    waits = simulate(centre(team(OTHER, many=2), limits=limits), [arrival(1, 0.0), arrival(2, 0.0)], RULE % ALWAYS)
    moved = sorted(wait.moves[0][0] for wait in waits)
    assert moved[0] == 600.0
    assert moved[1] >= 4200.0


def test_a_contact_may_be_moved_to_an_agent():
    of = centre(team(HOME, presence=()), team(OTHER, many=2))
    rule = RULE.replace("[[rule]]", 'agent_flow = "Flow"\n[[rule]]') % '{ agent = "other-1" }'
    (wait,) = simulate(of, [arrival(1, 0.0)], rule)
    assert wait.moves == [(600.0, "agent/other-1")]
    assert wait.ended == 605.0


def test_a_change_of_priority_takes_the_contact_to_the_front():
    rule = RULE.replace("to = [%s]", "routing = { priority = 1 }").replace('"Home" }', '"Home", name = "urgent" }')
    late = arrival(3, 50.0)
    late = replace(late, contact=replace(late.contact, name="urgent"))
    waits = simulate(centre(team(HOME)), [arrival(1, 0.0), arrival(2, 10.0), late], rule)
    assert waits[2].ended < waits[1].ended


def test_an_observed_rule_moves_nothing():
    rule = RULE.replace("sla.target", 'mode = "observe"\nsla.target') % ALWAYS
    (wait,) = simulate(centre(team(OTHER)), [arrival(1, 0.0)], rule)
    assert (wait.moves, wait.ending) == ([], Ending.OPEN)


def test_a_contact_without_patience_ends_also_on_its_way():
    of = centre(team(OTHER), landing=Fixed(60.0))
    (wait,) = simulate(of, [arrival(1, 0.0, patience=630.0)], RULE % ALWAYS)
    assert (wait.ending, wait.ended) == (Ending.EXPIRED, 630.0)


def test_two_teams_can_serve_one_queue():
    shared = [Team(name=one, agents=(one,), served={HOME: 1}, slots={Channel.TASK: 1}) for one in ("a", "b")]
    assert [one.waited for one in simulate(centre(*shared), [arrival(1, 0), arrival(2, 1)])] == [0.0, 0.0]


def test_a_contact_that_is_put_back_waits_again():
    waits = simulate(centre(team(HOME, put_back=0.5)), [arrival(number, number) for number in range(40)])
    assert len(waits) > 45
    assert {wait.turn for wait in waits} >= {0, 1}
    assert all(wait.ending is Ending.ANSWERED for wait in waits)


def test_agents_take_nothing_outside_their_shift_and_finish_what_they_have():
    of = centre(team(HOME, presence=((100.0, 1000.0), (5000.0, 9000.0))))
    waits = simulate(of, [arrival(1, 0.0), arrival(2, 1.0)])
    assert [wait.ended for wait in waits] == [100.0, 5000.0]


def test_a_queue_with_priority_in_the_profile_is_served_first():
    both = replace(team(HOME), served={HOME: 2, OTHER: 1})
    waits = simulate(centre(both), [arrival(1, 0.0), arrival(2, 1.0), arrival(3, 2.0, OTHER)])
    assert [wait.ended for wait in waits] == [0.0, 2400.0, 1200.0]


def test_a_contact_that_nobody_answers_counts_as_open():
    (wait,) = simulate(centre(), [arrival(1, 0.0)], RULE % ALWAYS)
    assert wait.ending is Ending.OPEN
    assert wait.late > 86_400


def test_a_trace_has_the_lengths_of_the_queues_and_the_moves():
    trace = Trace(300.0)
    simulate(centre(team(OTHER)), [arrival(1, 0.0), arrival(2, 0.0)], RULE % ALWAYS, trace)
    assert trace.lengths[HOME][:4] == [0, 2, 0, 0]
    assert trace.lengths[OTHER][3] == 1
    assert trace.moves == [(600.0, HOME, OTHER), (600.0, HOME, OTHER)]


def test_the_promise_of_a_queue_wins_over_that_of_a_rule():
    of = centre(team(OTHER), promises={HOME: timedelta(minutes=5)})
    (wait,) = simulate(of, [arrival(1, 0.0)], RULE % ALWAYS)
    assert wait.late == 305.0
