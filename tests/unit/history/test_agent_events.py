"""Checks the reader of agent events."""

import gzip
import json
from datetime import UTC, datetime

import pytest

from router.history.agent_events import open_agent_events
from router.history.world import HistoryUnusable
from router.model import Channel, QueueId

ARN = "arn:aws:connect:eu-west-2:123456789012:instance/i"


def event(number=1, kind="STATE_CHANGE", *, status=None, upcoming=None, task=(10, 10), contacts=(), **more):
    return {
        "AgentARN": f"{ARN}/agent/a1",
        "EventId": f"event-{number}",
        "EventTimestamp": f"2026-03-02T09:00:{number:02}.000Z",
        "EventType": kind,
        "PreviousAgentSnapshot": None,
        "CurrentAgentSnapshot": {
            "AgentStatus": status or {"Type": "ROUTABLE", "Name": "Available"},
            "NextAgentStatus": upcoming,
            "Configuration": {
                "Username": "ana",
                "RoutingProfile": {
                    "ARN": f"{ARN}/routing-profile/p1",
                    "Concurrency": [
                        {"Channel": "VOICE", "MaximumSlots": 1, "AvailableSlots": 1},
                        {"Channel": "TASK", "MaximumSlots": task[1], "AvailableSlots": task[0]},
                    ],
                    "InboundQueues": [{"ARN": f"{ARN}/queue/q1"}, {"ARN": f"{ARN}/queue/agent/a1", "Name": None}],
                },
            },
            "Contacts": [{"Channel": one} for one in contacts],
        },
        **more,
    }


@pytest.fixture
def read(tmp_path):
    def read(*events, between=""):
        file = tmp_path / "events.json"
        file.write_text(between.join(one if isinstance(one, str) else json.dumps(one) for one in events))
        return open_agent_events(tmp_path)

    return read


def routable(found):
    return [one.routable for one in found.events]


def test_an_event_shows_profile_queues_and_slots(read):
    found = read(event())
    (one,) = found.events
    assert one.at == datetime(2026, 3, 2, 9, 0, 1, tzinfo=UTC)
    assert (one.agent_id, one.profile_id, one.queues) == ("a1", "p1", {QueueId("q1")})
    assert (one.slots, one.free) == ({Channel.TASK: 10}, {Channel.TASK: 10})
    assert [(agent.id, agent.name) for agent in found.agents.values()] == [("a1", "ana")]


def test_events_follow_one_another_with_or_without_line_breaks_in_any_order(read):
    assert [one.at.second for one in read(event(3), event(1), event(2)).events] == [1, 2, 3]
    assert len(read(event(1), event(2), between="\n").events) == 2


def test_compressed_events_are_read(tmp_path):
    (tmp_path / "events.gz").write_bytes(gzip.compress(json.dumps(event()).encode()))
    assert len(open_agent_events(tmp_path / "events.gz").events) == 1


def test_agents_take_contacts_in_a_routable_status_only(read):
    lunch = {"Type": "CUSTOM", "Name": "Lunch"}
    old = {"Name": "Available", "ARN": "x"}
    found = read(event(1, status=lunch), event(2, upcoming=lunch), event(3, status=old), event(4, "LOGOUT"))
    assert routable(found) == [False, False, True, False]


def test_an_agent_whom_a_call_blocks_takes_no_task(read):
    found = read(event(1, task=(0, 10), contacts=["VOICE"]), event(2, task=(0, 1), contacts=["TASK"]))
    assert routable(found) == [False, True]


def test_what_cannot_be_used_is_counted_by_its_reason(read):
    found = read(
        event(1),
        event(1),
        event(2, EventTimestamp="soon"),
        event(5, EventTimestamp="0001-01-01T00:00:00+12:00"),
        event(3, "SOMETHING"),
        [5],
        "{broken\n",
        event(4),
    )
    assert len(found.events) == 2
    assert found.rejected == {
        "delivered again": 1,
        "with a value that cannot be read": 2,
        "no agent event": 2,
        "no JSON": 1,
    }


@pytest.mark.parametrize("content", ["", "[]", '{"EventType": "LOGIN"}', "\x1f\x8b broken"])
def test_files_without_events_are_refused(read, content):
    with pytest.raises(HistoryUnusable, match="no agent event can be used"):
        read(content)
