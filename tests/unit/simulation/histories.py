"""Makes histories with a known true effect: a scenario is simulated, and recorded as Amazon Connect would record it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from router.history.world import Leaving, Staffed, Stay
from router.model import AgentId
from router.rules.bind import bind
from router.rules.load import parse_rules
from router.simulation.centre import SimulatedCentre
from router.simulation.engine import Engine
from router.simulation.first_looks import FirstLooks
from router.simulation.randomness import RandomStreams
from router.simulation.recorded_centre import KnownCentre, RecordedCentre
from router.simulation.scenario import SimulationScenario
from router.simulation.scenario_tables import parse_simulation
from router.simulation.wait_record import WaitState


class Recording(Engine):
    """Records when each contact entered a queue, when it left, and who answered it."""

    def __init__(self, *given, **named):
        super().__init__(*given, **named)
        self.stays: list[Stay] = []

    def leave(self, contact, state):
        if contact.state is not WaitState.MOVING:
            self.stays.append(
                Stay(
                    contact=contact.seen,
                    enqueued_at=contact.seen.enqueued_at,
                    left_at=self.centre.instant(self.now),
                    how=Leaving.ENDED,
                )
            )
        super().leave(contact, state)

    def _answer(self, contact, agent):
        if contact.state is WaitState.MOVING:
            contact.state = WaitState.ARRIVING
        super()._answer(contact, agent)
        answered = replace(
            self.stays[-1],
            how=Leaving.ANSWERED,
            agent_id=AgentId(agent.name),
            connected_at=self.centre.instant(self.now),
            handle_time=timedelta(seconds=self._work_of(contact, agent)),
        )
        self.stays[-1] = answered


def scenario_of(text: bytes, days: int | None = None) -> SimulationScenario:
    return SimulationScenario(parse_simulation("scenario.toml", text)).with_days(days)


def recorded(scenario: SimulationScenario, rules: bytes | None, seed: int) -> tuple[SimulatedCentre, list[Stay]]:
    """Simulates the scenario once under these rules, and returns the stays of its contacts."""
    ruleset = None if rules is None else parse_rules((("rules.toml", rules),))
    centre, streams = scenario.centre(ruleset), RandomStreams(f"{seed} 1")
    bound = None if ruleset is None else bind(ruleset, centre.directory, agents_known=True)
    looks = None if bound is None else FirstLooks(centre, bound)
    engine = Recording(centre, scenario.arrivals(streams), bound, streams, looks=looks)
    engine.run()
    return centre, engine.stays


def agent_events(centre: SimulatedCentre, until: datetime) -> Iterator[Staffed]:
    """Yields when the agents came and left, with a heartbeat every five minutes."""
    for team in centre.teams:
        last = centre.since_start(until)
        for name in team.agents:
            for begins, ends in team.presence or ((0.0, last),):
                at = begins
                while at < min(ends, last):
                    yield _staffed(centre, team, name, at, routable=True)
                    at += 300.0
                yield _staffed(centre, team, name, min(ends, last), routable=False)


def _staffed(centre, team, name, at, *, routable):
    return Staffed(
        at=centre.instant(at),
        agent_id=AgentId(name),
        slots=team.slots,
        queues=frozenset(team.served),
        routable=routable,
    )


def history(scenario: SimulationScenario, rules: bytes | None, seed: int, *, events: bool = False) -> RecordedCentre:
    """Returns what ``backtest --effects`` makes of a simulated history."""
    centre, stays = recorded(scenario, rules, seed)
    until = centre.start + timedelta(days=scenario.document.days)
    staffed = tuple(sorted(agent_events(centre, until), key=lambda one: one.at)) if events else ()
    known = KnownCentre(directory=centre.directory, hours=centre.hours, staffed=staffed)
    return RecordedCentre.of(stays, known, centre.start, until)


COLUMNS = (
    "contact_id", "previous_contact_id", "channel", "queue_id", "queue_name", "queue_enqueue_timestamp",
    "queue_duration_ms", "agent_id", "agent_connected_to_agent_timestamp", "agent_interaction_duration_ms",
    "disconnect_timestamp", "initiation_timestamp",
)  # fmt: skip


def write_records(stays: Sequence[Stay], path: Path) -> None:
    """Writes the stays as an export of contact records."""
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(COLUMNS)
        for stay in stays:
            assert stay.left_at is not None
            seen, began, worked = stay.contact, stay.enqueued_at.isoformat(), stay.handle_time or timedelta()
            out.writerow(
                [seen.id, seen.previous_id, seen.channel.value, seen.queue_id, seen.queue_id, began,
                 (stay.left_at - stay.enqueued_at).total_seconds() * 1000, stay.agent_id,
                 stay.connected_at.isoformat() if stay.connected_at else "", worked.total_seconds() * 1000,
                 (stay.left_at + worked).isoformat(), began]
            )  # fmt: skip


def write_agent_events(events: Iterable[Staffed], path: Path) -> None:
    """Writes agent events as Kinesis has them, one after the other without line breaks."""
    path.write_text("".join(json.dumps(_event(number, one)) for number, one in enumerate(events)), encoding="utf-8")


def _event(number: int, one: Staffed) -> dict[str, object]:
    concurrency = [
        {"Channel": each, "MaximumSlots": slots, "AvailableSlots": slots} for each, slots in one.slots.items()
    ]
    status = ("ROUTABLE", "Available") if one.routable else ("OFFLINE", "Offline")
    return {
        "AgentARN": f"arn:aws:connect:eu-west-2:123456789012:instance/i/agent/{one.agent_id}",
        "EventId": f"event-{number}",
        "EventTimestamp": one.at.isoformat(),
        "EventType": "HEART_BEAT",
        "CurrentAgentSnapshot": {
            "AgentStatus": {"Type": status[0], "Name": status[1]},
            "NextAgentStatus": None,
            "Configuration": {
                "Username": f"user of {one.agent_id}",
                "RoutingProfile": {
                    "ARN": "arn:aws:connect:eu-west-2:123456789012:instance/i/routing-profile/p",
                    "Concurrency": [*concurrency, {"Channel": "VOICE", "MaximumSlots": 1, "AvailableSlots": 1}],
                    "InboundQueues": [
                        {"ARN": f"arn:aws:connect:eu-west-2:123456789012:instance/i/queue/{queue_id}"}
                        for queue_id in sorted(one.queues or ())
                    ],
                },
            },
            "Contacts": [],
        },
    }
