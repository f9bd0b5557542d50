"""Defines the words of the domain as frozen, typed values, without I/O, clock or types of AWS."""

from router.model.action import (
    SEND_BY,
    Action,
    ActionKind,
    ActionState,
    FirstAct,
    Landing,
    Target,
)
from router.model.contact import DEFAULT_PRIORITY, Channel, Contact, Details, RoutingData, Standing, transfers_behind
from router.model.contact_event import ContactEvent, IgnoredReason, Phase
from router.model.directory import Agent, Directory, Flow, FlowType, Hours, Queue
from router.model.hold_reason import HoldReason, earliest
from router.model.ids import (
    ANYWHERE,
    AgentId,
    ContactId,
    FlowId,
    Home,
    HoursId,
    ProfileId,
    QueueId,
    bare_id,
    contact_id_of,
)
from router.model.metrics import (
    EMPTY_QUEUE,
    METRICS,
    AgentState,
    Metric,
    OpeningHours,
    QueueMetrics,
    RoutingProfile,
    TimeSlice,
)
from router.model.need import Need, NeedKind
from router.model.notice import Notice
from router.model.pause import Pause, PauseKind, Pauses
from router.model.wait_key import WaitKey, same_instant

__all__ = [
    "ANYWHERE",
    "DEFAULT_PRIORITY",
    "EMPTY_QUEUE",
    "METRICS",
    "SEND_BY",
    "Action",
    "ActionKind",
    "ActionState",
    "Agent",
    "AgentId",
    "AgentState",
    "Channel",
    "Contact",
    "ContactEvent",
    "ContactId",
    "Details",
    "Directory",
    "FirstAct",
    "Flow",
    "FlowId",
    "FlowType",
    "HoldReason",
    "Home",
    "Hours",
    "HoursId",
    "IgnoredReason",
    "Landing",
    "Metric",
    "Need",
    "NeedKind",
    "Notice",
    "OpeningHours",
    "Pause",
    "PauseKind",
    "Pauses",
    "Phase",
    "ProfileId",
    "Queue",
    "QueueId",
    "QueueMetrics",
    "RoutingData",
    "RoutingProfile",
    "Standing",
    "Target",
    "TimeSlice",
    "WaitKey",
    "bare_id",
    "contact_id_of",
    "earliest",
    "same_instant",
    "transfers_behind",
]
