"""Checks the main job under every plausible Connect: any two answers to any two questions that AWS leaves open.

Each row is one Connect. In it waits a crowd with everything that makes a router go wrong; the router runs on it for
some hours of its clock; and what it did is judged by what the sandbox itself recorded.
"""

from __future__ import annotations

import dataclasses
import typing
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import combinations
from typing import Any

import pytest

from router.daemon.router import Router
from router.model import HoldReason
from router.sandbox import Behaviours, FlowOutcome
from router.sandbox.lifecycle import Particulars
from router.settings.quotas import DOCUMENTED_QUOTAS
from tests.builders.all_pairs import all_pairs, pairs
from tests.e2e.centre import AGENT_FLOW, FLOW, Centre, open_centre

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

RULES = """
[defaults]
flow = "Overflow to queue"
agent_flow = "Escalate to agent"
guard = { cooldown = "0s" }

[[rule]]
name = "promised-in-an-hour"
[rule.match]
channel = ["TASK", "EMAIL"]
queue = "Billing"
attributes.line = "promised"
[rule.sla]
target = "1h"
[[rule.step]]
at = "50%"
routing = { age = "+10m" }
[[rule.step]]
at = "breach"
to = [{ queue = "Billing Overflow", contacts_in_queue = { max = 50 } }, { queue = "General" }]
[[rule.step]]
at = "breach + 1h"
warn = "an hour late"
to = [{ agent = "supervisor.one" }, { queue = "Supervisors" }]
"""

FATES = {
    "queued at once": FlowOutcome(),
    "queued after half a minute": FlowOutcome(after=30 * SECOND),
    "queued after minutes": FlowOutcome(after=5 * MINUTE),
    "queued elsewhere": FlowOutcome(queue="Elsewhere"),
    "put back where it was": FlowOutcome(queue="Billing"),
    "never queued": FlowOutcome(then="never"),
    "disconnected": FlowOutcome(then="disconnect"),
}

DURATIONS = {
    "index_lag": (timedelta(0), 30 * SECOND, 3 * MINUTE),
    "old_segment_lag": (timedelta(0), 10 * MINUTE),
    "metrics_lag": (timedelta(0), 2 * MINUTE),
    "routing_delay": (timedelta(0), 90 * SECOND),
    "flow_start_delay": (timedelta(0), 3 * SECOND),
}


def values(switch):
    hint = typing.get_type_hints(Behaviours)[switch]
    if hint is timedelta:
        return DURATIONS[switch]
    return (True, False) if hint is bool else typing.get_args(hint)


SELDOM_MET = (
    "archived_flow",
    "associated_segment",
    "contact_metrics",
    "flow_start_delay",
    "new_segment_expiry",
    "queue_id_reaches",
    "saved_flow",
    "scheduled_transfer",
    "token_memory",
)
"""Switches of calls that the router never makes, or of times that other axes have too: each row has one value of each,
in turn."""
SWITCHES = [each.name for each in dataclasses.fields(Behaviours)]
AXES = {"fate": tuple(FATES)} | {switch: values(switch) for switch in SWITCHES if switch not in SELDOM_MET}
ROWS = [
    row | {switch: values(switch)[number % len(values(switch))] for switch in SELDOM_MET}
    for number, row in enumerate(all_pairs(AXES))
]

QUICK: dict[str, Any] = {"execute.retry.max_delay": "1s"} | {
    f"quotas.{operation}": {"rate": 1000, "burst": 1000} for operation in DOCUMENTED_QUOTAS
}
"""No waiting for a quota: those have tests of their own."""

SECRET = "Zaphod Beeblebrox"
ATTRIBUTES = {"line": "promised", "customer": SECRET}

CROWD: dict[str, dict[str, Any]] = {
    "late task": {"waited": 70 * MINUTE},
    "late mail": {"waited": 80 * MINUTE, "channel": "EMAIL"},
    "urgent and late": {"waited": 65 * MINUTE, "priority": 2},
    "half an hour": {"waited": 35 * MINUTE},
    "chain of nine": {"waited": 75 * MINUTE, "channel": "EMAIL", "chain": 9},
    "full chain": {"waited": 90 * MINUTE, "chain": 12},
    "full of what cannot be seen": {"waited": 100 * MINUTE},
    "not ours": {"waited": 5 * HOUR, "queue": "Elsewhere"},
    "accepted": {"waited": 2 * HOUR},
    "put back": {"waited": 2 * HOUR},
    "paused": {"waited": 40 * MINUTE},
    "picked up": {"waited": 85 * MINUTE},
}
"""Late ones, those that become late, and everything that must be left alone."""


@dataclass
class Trial:
    """Holds a centre, the router on it, and every line it wrote."""

    centre: Centre
    app: Router
    lines: list[dict[str, Any]]
    crowd: dict[str, str] = field(default_factory=dict)

    @property
    def world(self):
        return self.centre.world

    def poll(self, after):
        """Makes a poll that much later, and follows what was moved until it has landed, for up to 3 minutes."""
        self.centre.clock.travel(after)
        self.app.cycle.run(until=None)
        for span in (SECOND, 4 * SECOND, 25 * SECOND, *(30 * SECOND for _ in range(5))):
            if not self.app.follower.pending:
                break
            self.centre.clock.travel(span)
            self.app.follower.look()

    def called(self, event):
        return [line for line in self.lines if line["event"] == event]


def gather(world):
    crowd = {name: wait(world, name, **more) for name, more in CROWD.items()}
    world.change(crowd["full of what cannot be seen"], position=12)
    world.accept(crowd["accepted"], "worker.one")
    world.accept(crowd["put back"], "worker.two")
    world.pause(crowd["paused"])
    world.add_flow("Intake", type="CONTACT_FLOW", outcome=FlowOutcome(queue="Billing"))
    return crowd


def wait(world, name, channel="TASK", queue="Billing", **more):
    particulars = {"name": f"{SECRET} {name}", "attributes": ATTRIBUTES, **more}
    if channel == "EMAIL":
        particulars |= {"from_address": f"{SECRET.split()[0]}@example.com", "to_address": "billing@example.com"}
    return world.enqueue(channel, queue, **particulars)


def disturb(trial):
    """Lets an agent accept one between look and move, throttles one transfer, and loses the response of another."""
    victim = trial.crowd["picked up"]

    def pick_up(params):
        if params["ContactId"] == victim and trial.world.contact(victim).queued:
            trial.world.accept(victim, "worker.three")

    trial.centre.sandbox.before("DescribeContact", pick_up)
    trial.world.faults.add("throttle", "TransferContact", count=1, skip=1)
    trial.world.faults.add("reset_after", "TransferContact", count=1, skip=2)


def live(trial):
    """Runs three hours: agents put contacts back, resume and link them, and the ladder's second step is due."""
    world = trial.world
    trial.poll(4 * MINUTE)
    trial.crowd["waits again"] = world.put_back(trial.crowd["put back"])
    trial.poll(15 * SECOND)
    world.resume(trial.crowd["paused"])
    link(trial)
    trial.poll(5 * MINUTE)
    trial.poll(25 * MINUTE)
    trial.poll(45 * MINUTE)
    trial.poll(45 * MINUTE)
    trial.poll(45 * MINUTE)
    trial.poll(4 * MINUTE)


def link(trial):
    """Adds a task that continues one which has ended: of its chain, but not by the router."""
    world = trial.world
    world.finish(trial.crowd["accepted"])
    with world.present() as state:
        before = state.contact(trial.crowd["accepted"])
        task = world.lifecycle.create(Particulars(name=f"{SECRET} linked", attributes=ATTRIBUTES), previous=before)
        flow = next(flow for flow in state.register.flows.values() if flow.name == "Intake")
        trial.crowd["linked"] = world.lifecycle.flows.run(task, flow, None).id


def judge(trial, row):
    no_step_moved_a_contact_twice(trial)
    nobody_lost_a_contact(trial)
    every_late_one_was_moved_or_is_held(trial)
    where_moves_succeed_the_ladder_is_climbed(trial, row)
    what_became_of_the_moved_is_told(trial, row)
    no_chain_is_too_long(trial, row)
    nothing_of_a_customer_was_said(trial)
    nothing_broke(trial)


def no_step_moved_a_contact_twice(trial):
    """Checks that every transfer of Connect's is one act in the ledger, and no two acts are of one step and wait."""
    acted = [action for action in trial.app.ledger.history() if action.moved]
    carried_out = Counter(transfer.token for transfer in trial.world.transfers)
    assert carried_out == Counter(action.token for action in acted)
    steps = Counter((action.wait, action.rule, action.step) for action in acted)
    assert set(steps.values()) <= {1}, steps


def nobody_lost_a_contact(trial):
    """Checks that the router takes no contact from an agent: agents accept before the reading is returned."""
    assert trial.world.taken_from_agents == ()
    assert trial.crowd["picked up"] not in {transfer.contact_id for transfer in trial.world.transfers}
    assert trial.called("contact.taken_from_agent") == []


def every_late_one_was_moved_or_is_held(trial):
    """Checks it at the last poll, except for contacts without the attribute that the rule requires."""
    told = {line["contact_id"]: line["reason"] for line in trial.called("contact.held")}
    assert set(told.values()) <= {reason.value for reason in HoldReason}
    moved = {transfer.contact_id for transfer in trial.world.transfers}
    for contact in trial.world.waiting("Billing"):
        if contact.content.attributes and trial.world.now - contact.enqueued_at > 65 * MINUTE:
            assert contact.id in told, f"{known(trial, contact)}: late, and neither moved nor held"
    for name in ("late task", "late mail", "urgent and late", "half an hour", "chain of nine", "full chain"):
        assert trial.crowd[name] in moved | set(told), f"{name}: neither moved nor held"


def known(trial, contact):
    names = {contact_id: name for name, contact_id in trial.crowd.items()}
    return next((names[one.id] for one in trial.world.chain(contact.id) if one.id in names), contact.id)


def where_moves_succeed_the_ladder_is_climbed(trial, row):
    """Checks that it is climbed to its end, in its order, and that the contact has the place that it had."""
    if row["fate"] not in ("queued at once", "queued after half a minute"):
        return
    for name in ("late task", "late mail", "urgent and late", "half an hour"):
        contact_id = trial.crowd[name]
        chain = {contact.id for contact in trial.world.chain(contact_id)}
        went = [one.to_queue or one.to_agent for one in trial.world.transfers if one.contact_id in chain]
        assert went[0] in ("Billing Overflow", "General"), (name, went)
        if row["new_segment_attributes"] == "kept":
            assert went[1:] in (["supervisor.one"], ["Supervisors"]), (name, went)
        if name == "urgent and late":
            assert trial.world.latest(contact_id).priority == 2


def what_became_of_the_moved_is_told(trial, row):
    """Checks each landing by its event.

    A contact that retained its id and that the flow ended names no queue. It cannot be distinguished from a segment
    whose successor is not seen. Therefore it is reported, and does not count as landed.
    """
    ended_without_a_trace = row["fate"] == "disconnected" and row["transfer"] == "same_contact"
    lost = ended_without_a_trace or row["fate"] in ("never queued", "queued after minutes")
    assert trial.world.transfers, "nothing was moved"
    assert bool(trial.called("contact.stray")) == lost
    diverted = {line.get("diverted", False) for line in trial.called("contact.landed")}
    if ended_without_a_trace:
        assert diverted <= {False}, "one whose answer was lost is read as ended"
    elif row["fate"] == "queued after minutes":
        assert diverted <= {False}
        assert all(line.get("late") for line in trial.called("contact.landed")), "a stray that lands is late"
    else:
        assert diverted == (set() if lost else {row["fate"] in ("queued elsewhere", "put back where it was")})


def no_chain_is_too_long(trial, row):
    for contact_id in trial.crowd.values():
        assert max(contact.chain.position for contact in trial.world.chain(contact_id)) <= 12
    left_alone = {trial.crowd[name] for name in ("full chain", "full of what cannot be seen", "not ours")}
    assert left_alone.isdisjoint(transfer.contact_id for transfer in trial.world.transfers)
    tried = {call.params["ContactId"] for call in trial.centre.sandbox.calls if call.operation == "TransferContact"}
    if "kept" in (row["new_segment_initial_id"], row["new_segment_previous_id"]):
        assert trial.crowd["full chain"] not in tried, "Connect need not be asked what its records tell"


def nothing_of_a_customer_was_said(trial):
    for line in trial.lines:
        if line.get("log_level") != "debug":
            assert SECRET.split()[0] not in repr(line), line


def nothing_broke(trial):
    assert trial.centre.sandbox.problems == []
    assert [line for line in trial.lines if "exc_info" in line] == []
    assert trial.app.ledger.open_intents() == ()


def test_every_two_answers_to_any_two_questions_stand_together_in_a_row():
    numbered = [{axis: AXES[axis].index(row[axis]) for axis in AXES} for row in ROWS]
    covered = {frozenset(pair) for row in numbered for pair in combinations(row.items(), 2)}
    assert covered == set(pairs(AXES))


def named(row):
    return f"{ROWS.index(row) + 1:02}-{row['fate'].replace(' ', '-')}"


@pytest.mark.parametrize("row", ROWS, ids=named)
def test_every_late_contact_is_moved_once_or_held_with_a_reason(row, tmp_path, monkeypatch, events):
    switches = {switch: row[switch] for switch in SWITCHES}
    with open_centre(tmp_path, Behaviours(**switches)) as centre:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CONNECT", centre.sandbox.endpoint)
        centre.world.add_queue("Elsewhere")
        for flow in (FLOW, AGENT_FLOW):
            centre.world.set_flow(flow, outcome=FATES[row["fate"]])
        for worker in ("worker.one", "worker.two", "worker.three"):
            centre.world.add_user(worker, queues=["Billing"])
        crowd = gather(centre.world)
        trial = Trial(centre, centre.router(RULES, **QUICK), events, crowd)
        disturb(trial)
        live(trial)
        judge(trial, row)
