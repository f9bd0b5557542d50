"""Implements the part of Amazon Connect that the acceptance suite calls, a second time, in dictionaries.

It was written from botocore's model and AWS's documents, and shares no code with the sandbox: what the suite finds out
there cannot come from a mistake that both sides have in common. ``behaviours`` has the words of the profile.
"""

from __future__ import annotations

import copy
import json
import math
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from tests.acceptance.standin_wire import Refused

Row = dict[str, Any]

INSTANCE = "aaaaaaaa-0000-4000-8000-00000000000a"
ARN = f"arn:aws:connect:eu-west-2:444455556666:instance/{INSTANCE}"
SUITE_TAG = "connect-router:acceptance-run"
NOTHING = "00000000-0000-0000-0000-000000000000"
MEMORY = {"hours": math.inf, "minutes": 1800.0, "seconds": 60.0}
MOST_CONTACTS_OF_A_CHAIN = 12
PATHS = {"contact": "contact", "queue": "queue", "flow": "contact-flow", "hours": "operating-hours", "user": "agent"}


def new_id() -> str:
    return str(uuid.uuid4())


def arn(kind: str, thing_id: str) -> str:
    return f"{ARN}/{PATHS[kind]}/{thing_id}"


def invalid(message: str) -> Refused:
    return Refused("InvalidRequestException", message)


class Contacts:
    """Holds the contacts with all their earlier states, and what happens later."""

    def __init__(self, now: Callable[[], float], behaviours: Row) -> None:
        self._clock, self.is_ = now, behaviours
        self.now = now()
        self.all: dict[str, Row] = {}
        self.states: dict[str, list[tuple[float, Row]]] = {}
        self.later: list[tuple[float, int, Callable[[], object]]] = []
        self.flows: dict[str, Row] = {}

    def catch_up(self) -> None:
        """Lets happen what is due, in the order of time."""
        end = self._clock()
        while due := sorted((entry for entry in self.later if entry[0] <= end), key=lambda entry: entry[:2])[:1]:
            self.later.remove(due[0])
            self.now = due[0][0]
            due[0][2]()
        self.now = end

    def at(self, when: float, act: Callable[[], object]) -> None:
        if when <= self.now:
            act()
        else:
            self.later.append((when, len(self.later) + len(self.states), act))

    def put(self, contact: Row, **changes: Any) -> Row:
        contact.update(changes)
        self.all[contact["id"]] = contact
        self.states.setdefault(contact["id"], []).append((self.now, copy.deepcopy(contact)))
        return contact

    def state(self, contact_id: str, when: float) -> Row | None:
        return next((row for since, row in reversed(self.states[contact_id]) if since <= when), None)

    def find(self, contact_id: str) -> Row:
        if contact_id not in self.all:
            raise Refused("ResourceNotFoundException", "no such contact")
        return self.all[contact_id]

    def create(self, **fields: Any) -> Row:
        contact_id = new_id()
        usual: Row = dict.fromkeys(("previous", "queue", "enqueued", "ended", "agent", "paused", "resumed", "starts"))
        usual |= {"id": contact_id, "initial": contact_id, "root": contact_id, "started": self.now, "method": "API"}
        usual |= {"waiting": False, "halted": False, "priority": 5, "age": 0, "moved": False, "length": 1}
        usual |= {"tags": {}, "attributes": {}, "life": 7 * 24 * 60}
        contact = self.put(usual | fields)
        self.at(self.now + 60 * contact["life"], lambda: self.end(contact))
        return contact

    def end(self, contact: Row, *, moved: bool = False) -> None:
        if contact["ended"] is None:
            self.put(contact, ended=self.now, waiting=False, moved=moved)

    def run(self, contact: Row, flow: Row, working: str | None) -> None:
        """Runs the blocks of a flow: set the working queue, transfer to it, or end."""
        if contact["ended"] is not None:
            return
        blocks = {block["Identifier"]: block for block in json.loads(flow["content"])["Actions"]}
        block = blocks[json.loads(flow["content"])["StartAction"]]
        while True:
            if block["Type"] == "UpdateContactTargetQueue":
                working = block["Parameters"]["QueueId"].rpartition("/")[2]
            elif block["Type"] == "TransferContactToQueue" and working is not None:
                self.put(contact, queue=working, enqueued=self.now, waiting=True, starts=None)
                return
            elif block["Type"] == "DisconnectParticipant":
                self.end(contact)
                return
            following = block["Transitions"]
            failed = block["Type"] == "TransferContactToQueue"
            block = blocks[following["Errors"][-1]["NextAction"] if failed else following["NextAction"]]

    def start_flow(self, contact: Row, flow: Row, working: str | None) -> None:
        delay = self.is_["flow_start_delay"]
        self.at(self.now + delay, lambda: self.run(contact, flow, working))

    def follow(self, contact: Row, **fields: Any) -> Row:
        """Ends a contact, and returns the segment that continues it."""
        kept = {name: self.is_[f"new_segment_{name}"] == "kept" for name in ("tags", "attributes", "priority")}
        segment = self.create(
            channel=contact["channel"],
            name=contact["name"],
            root=contact["root"],
            length=contact["length"] + 1,
            tags=dict(contact["tags"]) if kept["tags"] else {},
            attributes=dict(contact["attributes"]) if kept["attributes"] else {},
            **({"priority": contact["priority"], "age": contact["age"]} if kept["priority"] else {}),
            previous=contact["id"] if self.is_["new_segment_previous_id"] == "kept" else None,
            **({"initial": contact["root"]} if self.is_["new_segment_initial_id"] == "kept" else {"initial": None}),
            life=contact["life"] - (self.now - contact["started"]) / 60 * (self.is_["new_segment_expiry"] == "kept"),
            method=self.is_["transfer_initiation_method"],
            **fields,
        )
        self.end(contact, moved=True)
        return segment

    def indexed(self, as_of: float) -> Iterator[Row]:
        """Yields the contacts as the search index shows them."""
        seen = as_of - self.is_["index_lag"]
        for contact_id in self.all:
            row = self.state(contact_id, seen)
            if row is not None and row["moved"] and row["ended"] > seen - self.is_["old_segment_lag"]:
                row = self.state(contact_id, row["ended"] - 1e-6)
            if row is not None:
                yield row

    def counted(self, queue_id: str, channel: str) -> int:
        seen = self.now - self.is_["metrics_lag"]
        rows = [self.state(contact_id, seen) for contact_id in self.all]
        return sum(
            1 for row in rows if row and row["waiting"] and row["queue"] == queue_id and row["channel"] == channel
        )
