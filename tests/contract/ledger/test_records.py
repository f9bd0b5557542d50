"""Checks that exactly what is written is read, and that warnings and observed acts are found next to what was done."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from router.ledger import AlreadyIntended
from router.model import (
    Action,
    ActionKind,
    ActionState,
    AgentId,
    ContactId,
    FirstAct,
    FlowId,
    Landing,
    QueueId,
    RoutingData,
    Target,
    WaitKey,
)

# No NUL: SQLite's JSON ends a text there, and no id of Connect's (UUIDs) has one.
IDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40)
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45)), timezone(timedelta(hours=-11))])
# A day from either end, where another zone's time would be out of range.
INSTANTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=ZONES)  # noqa: DTZ001 - zones are drawn
DURATIONS = st.timedeltas(timedelta(days=-100_000), timedelta(days=100_000))
WHOLE = st.integers(-(2**63), 2**63 - 1)
CODES = st.from_regex(r"[A-Za-z0-9_.:-]{1,100}", fullmatch=True)
TARGETS = st.builds(Target, flow_id=IDS.map(FlowId), queue_id=IDS.map(QueueId)) | st.builds(
    Target, flow_id=IDS.map(FlowId), agent_id=IDS.map(AgentId)
)
FIRST = st.builds(
    FirstAct,
    clock_started_at=INSTANTS,
    queue_id=IDS.map(QueueId),
    waited=DURATIONS,
    initiation_method=st.none() | IDS,
    priority=st.none() | WHOLE,
    transfers=st.none() | WHOLE,
)
ROUTING = st.builds(RoutingData, priority=WHOLE, age=st.none() | DURATIONS) | st.builds(RoutingData, age=DURATIONS)
ACTIONS = st.builds(
    Action,
    kind=st.sampled_from(ActionKind),
    wait=st.builds(WaitKey, IDS.map(ContactId), INSTANTS),
    chain_id=IDS.map(ContactId),
    contact_id=IDS.map(ContactId),
    queue_id=IDS.map(QueueId),
    enqueued_at=INSTANTS,
    rule=IDS,
    step=WHOLE,
    at=DURATIONS,
    first=FIRST,
    revision=IDS,
    fingerprint=IDS,
    cycle=WHOLE,
    decided_at=INSTANTS,
    state=st.sampled_from([state for state in ActionState if state is not ActionState.INTENDED]),
    settled_at=st.none() | INSTANTS,
    observed=st.booleans(),
    target=st.none() | TARGETS,
    token=st.none() | IDS,
    series=WHOLE,
    send_by=st.none() | INSTANTS,
    attempts=WHOLE,
    request_id=st.none() | IDS,
    error=st.none() | CODES,
    new_contact_id=st.none() | IDS.map(ContactId),
    landing=st.none() | st.sampled_from(Landing),
    landed_at=st.none() | INSTANTS,
    landed_queue_id=st.none() | IDS.map(QueueId),
    landed_enqueued_at=st.none() | INSTANTS,
    routing=st.none() | ROUTING,
    before=st.none() | ROUTING,
    parent=st.integers(1, 2**62),
).map(lambda action: action if action.kind.follows else replace(action, parent=None))

numbers = count()


def of_its_own(action: Action) -> Action:
    """Returns the same action on a chain, in a wait and with a parent that no other example has used."""
    number = next(numbers)
    chain_id = ContactId(f"{number} {action.chain_id}")
    own = replace(action, chain_id=chain_id, contact_id=chain_id, wait=replace(action.wait, wait_id=chain_id))
    own = replace(own, new_contact_id=None if action.new_contact_id is None else ContactId(f"{number} new"))
    return own if action.parent is None else replace(own, parent=number + 1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(action=ACTIONS)
def test_an_action_comes_back_exactly_as_it_was_recorded(ledger, action):
    recorded = ledger.record(of_its_own(action))

    (read,) = ledger.history(contact_id=recorded.chain_id, limit=1)

    assert read == recorded
    assert {field.name: type(getattr(read, field.name)) for field in fields(read)} == {
        field.name: type(getattr(recorded, field.name)) for field in fields(recorded)
    }
    assert read.decided_at.tzinfo is UTC


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(action=ACTIONS, outcome=ACTIONS)
def test_a_settled_intent_is_what_was_intended_with_what_came_of_it(ledger, action, outcome):
    intent = ledger.intend(of_its_own(replace(action, observed=False)))
    settled = replace(
        intent,
        state=outcome.state,
        settled_at=outcome.settled_at,
        attempts=outcome.attempts,
        request_id=outcome.request_id,
        error=outcome.error,
        new_contact_id=None,
        landing=outcome.landing,
        landed_at=outcome.landed_at,
        landed_queue_id=outcome.landed_queue_id,
        landed_enqueued_at=outcome.landed_enqueued_at,
    )

    ledger.settle(settled)

    assert ledger.history(contact_id=intent.chain_id, limit=1) == (settled,)


def test_a_time_without_a_zone_is_refused_and_nothing_is_written(ledger, act):
    with pytest.raises(TypeError):
        ledger.record(act(decided_at=datetime(2026, 1, 1)))  # noqa: DTZ001 - that is the fault

    assert ledger.history() == ()


def test_a_warning_is_recorded_once_per_wait(ledger, act):
    warning = act(kind=ActionKind.WARN, target=None)
    recorded = ledger.record(warning)

    with pytest.raises(AlreadyIntended):
        ledger.record(warning)
    assert ledger.history() == (recorded,)


def test_what_was_observed_and_what_was_done_do_not_stand_in_each_others_way(ledger, act):
    seen = ledger.record(act(observed=True))
    done = ledger.record(act())

    assert ledger.history() == (seen, done)
    with pytest.raises(AlreadyIntended):
        ledger.record(act(observed=True))


def test_an_observed_transfer_is_neither_open_nor_followed(ledger, act, now):
    seen = ledger.record(act(observed=True))

    assert ledger.open_intents() == ledger.followed() == ()
    assert ledger.moves_since(now) == (seen,)


@pytest.mark.parametrize("kind", ActionKind)
@pytest.mark.parametrize("state", [state for state in ActionState if state is not ActionState.INTENDED])
@pytest.mark.parametrize("landing", [None, *Landing])
def test_every_kind_state_and_landing_of_the_model_can_be_written(ledger, act, kind, state, landing):
    parent = 1 if kind.follows else None
    recorded = ledger.record(act(kind=kind, state=state, landing=landing, parent=parent))

    assert ledger.history() == (recorded,)


@pytest.mark.parametrize(
    "error", ["Invalid request: jane@example.org has no mailbox", "mail from 'Jane Doe'\n", "é", "", "x" * 101]
)
def test_an_error_that_is_free_text_is_not_stored(ledger, act, error):
    intent = ledger.intend(act())

    ledger.settle(replace(intent, state=ActionState.REFUSED, error=error))

    assert ledger.history() == (replace(intent, state=ActionState.REFUSED, error="unspecified"),)
