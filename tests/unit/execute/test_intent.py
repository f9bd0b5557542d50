"""Checks the intent of a move, and its token: the same for the same move in every process, another for any other."""

from dataclasses import replace
from datetime import timedelta

import pytest

from router.cycle_context import CycleContext
from router.decide.decide import decide
from router.decide.decision import Transfer, Warn
from router.execute.intent import client_token, intent_of, record_of
from router.model import SEND_BY, ActionState, AgentId, FlowId, QueueId, Target
from tests.builders.contacts import NOW, contact
from tests.builders.instance import DIRECTORY
from tests.builders.rules import overflow, rules
from tests.builders.snapshots import snapshot, the_transfer

RULES = rules(overflow())
CONTEXT = CycleContext(cycle=7, rules=RULES, directory=DIRECTORY)


@pytest.fixture
def decision():
    return the_transfer(decide(snapshot(contact(waited=20)), RULES))


def test_the_same_move_has_the_same_token_a_minute_later(decision):
    later = replace(decision, late=decision.late + timedelta(minutes=1), urgency=9.0, due_at=NOW, step=4)
    assert client_token(later, "i") == client_token(decision, "i")


@pytest.mark.parametrize(
    "other",
    [
        lambda one: replace(one, contact=contact("c2", waited=20)),
        lambda one: replace(one, contact=contact(waited=21)),
        lambda one: replace(one, rule="another"),
        lambda one: replace(one, at=one.at + timedelta(seconds=1)),
        lambda one: replace(one, series=one.series + 1),
        lambda one: replace(one, target=Target(flow_id=one.target.flow_id, queue_id=QueueId("elsewhere"))),
        lambda one: replace(one, target=Target(flow_id=FlowId("another"), queue_id=one.target.queue_id)),
        lambda one: replace(one, target=Target(flow_id=one.target.flow_id, agent_id=AgentId(one.target.queue_id))),
    ],
    ids=["contact", "wait", "rule", "step", "series", "queue", "flow", "an agent of that id"],
)
def test_another_move_has_another_token(decision, other):
    assert client_token(other(decision), "i") != client_token(decision, "i")


def test_another_instance_has_another_token(decision):
    assert client_token(decision, "i") != client_token(decision, "j")


def test_a_token_fits_into_the_500_characters_that_connect_takes(decision):
    assert len(client_token(replace(decision, rule="r" * 4000), "i")) <= 500


def test_an_intent_is_open_names_its_cycle_and_revision_and_ends_its_right_to_send_after_30_seconds(decision):
    intent = intent_of(decision, CONTEXT, instance_id="i", now=NOW)
    assert intent.state is ActionState.INTENDED
    assert intent.settled_at is None
    assert (intent.cycle, intent.revision) == (7, RULES.revision)
    assert intent.send_by == NOW + SEND_BY == NOW + timedelta(seconds=30)
    assert intent.token == client_token(decision, "i")
    assert intent.target == decision.target


def test_an_observed_record_is_marked_so_that_nothing_that_enforces_reads_it(decision):
    record = record_of(decision, CONTEXT, now=NOW, observed=True)
    assert record.observed
    assert not record.moved
    assert record.state is ActionState.ACTED


def test_a_record_of_a_warning_has_no_destination(decision):
    fields = {name: getattr(decision, name) for name in Warn.__dataclass_fields__ if name != "text"}
    assert isinstance(decision, Transfer)
    record = record_of(Warn(text="late", **fields), CONTEXT, now=NOW, observed=False)
    assert (record.target, record.kind) == (None, "warn")
