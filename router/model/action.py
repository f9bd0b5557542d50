"""Defines what the router did, or is about to do, to a contact: the rows of the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from router.model.contact import Channel, RoutingData
from router.model.ids import AgentId, ContactId, FlowId, QueueId
from router.model.wait_key import WaitKey


class ActionKind(StrEnum):
    TRANSFER = "transfer"
    ROUTING = "routing"
    WARN = "warn"
    RESTORE_PLACE = "restore_place"
    """Gives a moved contact its place in the queue back."""

    @property
    def follows(self) -> bool:
        """Returns whether it is a follow-up: an action after a move, with the transfer as its parent."""
        return self not in (ActionKind.TRANSFER, ActionKind.ROUTING, ActionKind.WARN)

    @property
    def is_routing(self) -> bool:
        """Returns whether its call is UpdateContactRoutingData."""
        return self in (ActionKind.ROUTING, ActionKind.RESTORE_PLACE)


class ActionState(StrEnum):
    """Names the states of an action. ``INTENDED`` is the only open one: committed before the call, its outcome not
    known."""

    INTENDED = "intended"
    ACTED = "acted"
    """Connect accepted the call, or reading the contact again showed that it had."""
    REFUSED = "refused"
    """Connect refused this entry for this contact."""
    NEVER_SENT = "never_sent"
    """The call was not made, or reading again showed that it had no effect. The contact is decided on again."""


class Landing(StrEnum):
    """Names what became of a contact after its move."""

    PENDING = "pending"
    QUEUED = "queued"
    DIVERTED = "diverted"
    ANSWERED = "answered"
    ENDED = "ended"
    STRAY = "stray"
    """Neither queued nor answered in time: looked at until it ends, and counted against its flow."""
    AT_AGENT = "at_agent"
    """Waiting in an agent's own queue, which no search covers: followed by id until answered, moved on or ended."""

    @property
    def followed(self) -> bool:
        """Returns whether the contact is still read by its id."""
        return self in (Landing.PENDING, Landing.STRAY, Landing.AT_AGENT)

    @property
    def unlanded(self) -> bool:
        """Returns whether it counts against its flow."""
        return self in (Landing.PENDING, Landing.STRAY)


SEND_BY = timedelta(seconds=30)
"""How long an intent permits its call. An intent is renewed in the ledger before that time is over, never after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Holds a destination with ids: a queue or an agent, never both, and the flow that does the move."""

    flow_id: FlowId
    queue_id: QueueId | None = None
    agent_id: AgentId | None = None

    def __post_init__(self) -> None:
        if (self.queue_id is None) == (self.agent_id is None):
            raise ValueError("a target is a queue or an agent, never both")


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstAct:
    """The contact as it was when a rule first acted on the wait: the router's own moves change these, and the rule is
    matched, and its clock read, as if they had not. ``clock_started_at`` is the queue clock's start, whichever the
    rule's clock is: a rule may be edited to go by the other."""

    clock_started_at: datetime
    queue_id: QueueId
    waited: timedelta
    initiation_method: str | None = None
    priority: int | None = None
    transfers: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Records one act of one step on one wait: a row of the ledger.

    ``at`` is the step's place on the rule's clock, because progress is recorded as that time. ``id`` is the ledger's, 0
    before it is written. ``target``, ``token``, ``series`` and the landing belong to transfers. ``parent`` is the id of
    the transfer that a follow-up belongs to; the follow-up has the transfer's contact and place, and acts on
    ``new_contact_id`` after that has landed. ``routing`` is what an update requests, ``None`` while that is not known
    or if nothing has to be sent. ``before`` is what the contact had before the call, and of a follow-up before its
    parent's call. ``fingerprint`` names the rule's content, so that a refusal is forgotten when the rule, or what its
    names mean, changes. ``channel`` is the contact's, ``None`` in rows of earlier versions.
    """

    id: int = 0
    kind: ActionKind
    wait: WaitKey
    chain_id: ContactId
    contact_id: ContactId
    queue_id: QueueId
    enqueued_at: datetime
    rule: str
    step: int
    at: timedelta
    first: FirstAct
    revision: str
    fingerprint: str
    cycle: int
    decided_at: datetime
    state: ActionState = ActionState.ACTED
    settled_at: datetime | None = None
    observed: bool = False
    target: Target | None = None
    token: str | None = None
    series: int = 0
    send_by: datetime | None = None
    attempts: int = 0
    request_id: str | None = None
    error: str | None = None
    new_contact_id: ContactId | None = None
    landing: Landing | None = None
    landed_at: datetime | None = None
    landed_queue_id: QueueId | None = None
    landed_enqueued_at: datetime | None = None
    routing: RoutingData | None = None
    before: RoutingData | None = None
    parent: int | None = None
    channel: Channel | None = None

    @property
    def moved(self) -> bool:
        """Returns whether this is a transfer that took effect."""
        return self.kind is ActionKind.TRANSFER and self.state is ActionState.ACTED and not self.observed

    @property
    def acts_on(self) -> ContactId:
        """Returns the contact that the call is about: of a follow-up the one that its parent's move led to."""
        return self.new_contact_id if self.kind.follows and self.new_contact_id is not None else self.contact_id

    @property
    def open(self) -> bool:
        return self.state is ActionState.INTENDED

    @property
    def open_move(self) -> bool:
        """Returns whether this is a transfer whose outcome is not known."""
        return self.open and self.kind is ActionKind.TRANSFER

    @property
    def sent_at(self) -> datetime | None:
        """Returns when an open intent's last call may have been made, ``None`` if none was: it is renewed then."""
        return self.send_by - SEND_BY if self.send_by is not None else None
