"""Creates, pauses, resumes and expires contacts."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from router.sandbox.chains import length_of_chain
from router.sandbox.contacts import DEFAULT_PRIORITY, ChainPosition, ContactContent, ContactLife, SandboxContact
from router.sandbox.distribution import Distribution
from router.sandbox.flow_runs import FlowRuns
from router.sandbox.state import State

LONGEST_LIFE = timedelta(days=90)
"""The longest expiry of a task or an e-mail (admin guide, "feature-limits").

"connect:ContactExpiry", in minutes, shortens it. Connect's own defaults, 7 and 14 days, apply to instances that set
nothing."""

PAUSES = 10
"""The most pauses of a contact: TotalPauseCount is at most 10 (botocore service model)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Particulars(ContactContent):
    """Describes a new contact."""

    channel: str = "TASK"
    initiation_method: str | None = None
    """``None``: API for tasks, INBOUND for other channels."""
    priority: int = DEFAULT_PRIORITY
    adjustment: timedelta = timedelta(0)
    related_id: str | None = None
    scheduled_at: datetime | None = None

    @property
    def content(self) -> ContactContent:
        """Returns the part that is written on the contact, with the subtype of the channel."""
        written = {each.name: getattr(self, each.name) for each in fields(ContactContent)}
        subtype = {"connect:Subtype": f"connect:{_SUBTYPES[self.channel]}"}
        return ContactContent(**written | {"segment_attributes": subtype | dict(self.segment_attributes)})


class Lifecycle:
    def __init__(self, state: State, routing: Distribution) -> None:
        self._state = state
        self._routing = routing
        self.flows = FlowRuns(state, routing)
        self._armed: set[tuple[str, datetime]] = set()

    def create(
        self, what: Particulars, *, initiated_at: datetime | None = None, previous: SandboxContact | None = None
    ) -> SandboxContact:
        """Creates a contact that is in no queue yet. ``previous`` links it to a chain."""
        state = self._state
        at = initiated_at or state.now
        contact_id = state.new_id()
        contact = SandboxContact(
            id=contact_id,
            channel=what.channel,
            chain=self._link(contact_id, what.related_id, previous),
            content=what.content,
            life=ContactLife(
                initiated_at=at,
                initiation_method=what.initiation_method or ("API" if what.channel == "TASK" else "INBOUND"),
                connected_to_system_at=at,
                scheduled_at=what.scheduled_at,
                started=what.scheduled_at is None or what.scheduled_at <= at,
                updated_at=at,
                expires_at=_expiry(what, at),
            ),
            priority=what.priority,
            adjustment=what.adjustment,
        )
        state.contacts.put(contact, at)
        if contact.life.expires_at is not None:
            state.agenda.at(contact.life.expires_at, lambda: self._expire(contact_id))
        return contact

    def _link(self, contact_id: str, related_id: str | None, previous: SandboxContact | None) -> ChainPosition:
        if previous is None:
            return ChainPosition(root=contact_id, related_id=related_id)
        shares = self._state.behaviours.linked_tasks == "share_initial_id"
        return ChainPosition(
            root=previous.chain.root,
            position=1 + length_of_chain(self._state, previous),
            initial_id=previous.chain.root if shares else None,
            previous_id=previous.id,
            related_id=related_id,
        )

    def pause(self, contact: SandboxContact) -> SandboxContact:
        """Pauses the contact. Raises ``ValueError`` if it cannot be paused now."""
        channels = ("TASK",) if self._state.behaviours.email_pause == "refused" else ("TASK", "EMAIL")
        pausable = contact.channel in channels and contact.life.started
        if not pausable or contact.ended or contact.pause.paused:
            raise ValueError(f"contact {contact.id} cannot be paused")
        return self._state.change(
            contact,
            paused=True,
            paused_at=self._state.now,
            pauses=contact.pause.pauses + 1,
            dequeued_by_pause=contact.queued,
            queued=False,
        )

    def resume(self, contact: SandboxContact) -> SandboxContact:
        """Resumes the contact. Raises ``ValueError`` if it is not paused."""
        if not contact.pause.paused or contact.pause.paused_at is None:
            raise ValueError(f"contact {contact.id} is not paused")
        now = self._state.now
        paused_for = contact.pause.paused_for + (now - contact.pause.paused_at)
        contact = self._state.change(contact, paused=False, resumed_at=now, paused_for=paused_for)
        continued = self.flows.resume(contact.id)
        if continued is not None:
            return continued
        if not contact.pause.dequeued_by_pause:
            return contact
        queue = self._state.register.queues.get(contact.queue_id or "")
        if queue is None or self._state.behaviours.resume == "stays_out":
            return self._state.change(contact, queue_id=None, enqueued_at=None, dequeued_by_pause=False)
        keeps = self._state.behaviours.resume == "keeps_time"
        return self._routing.enqueue(contact, queue, at=contact.enqueued_at if keeps else now)

    def _expire(self, contact_id: str) -> None:
        """Ends the contact, or the segment of its chain that inherited its expiry. A later expiry is awaited."""
        expires_at, root = self._state.contact(contact_id).life.expires_at, self._state.contact(contact_id).chain.root
        for contact in self._state.contacts.chain(root):
            if not contact.ended and contact.life.expires_at == expires_at:
                self._routing.finish(contact, "EXPIRED")
            elif self._state.behaviours.new_segment_expiry == "renewed":
                self._await_expiry(contact)

    def _await_expiry(self, contact: SandboxContact) -> None:
        """Schedules the expiry that a transfer gave to a new segment, once."""
        expires_at, root = contact.life.expires_at, contact.chain.root
        if contact.ended or expires_at is None or (root, expires_at) in self._armed:
            return
        self._armed.add((root, expires_at))
        self._state.agenda.at(expires_at, lambda: self._expire(contact.id))


_SUBTYPES = {"TASK": "Task", "EMAIL": "Email", "CHAT": "Chat", "VOICE": "Telephony"}


def _expiry(what: Particulars, at: datetime) -> datetime | None:
    if what.channel not in ("TASK", "EMAIL"):
        return None
    minutes = what.segment_attributes.get("connect:ContactExpiry")
    life = timedelta(minutes=int(minutes)) if minutes is not None else LONGEST_LIFE
    return max(at, what.scheduled_at or at) + life
