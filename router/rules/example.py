"""An example of a rule file as a typed value: a contact, the world around it, and what must come of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from router.model import Channel, HoldReason, QueueMetrics
from router.rules.place import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleContact:
    """``clock`` is what the rule's clock shows, ``progress`` the clock time of the last ``to`` step done, ``visited``
    the queues that the case has been moved out of; ``None`` is "not given". ``queue`` and ``visited`` are names, ids or
    ARNs. The file's ``subtype`` stands in ``segment_attributes`` as ``connect:Subtype``."""

    channel: Channel
    queue: str
    waited: timedelta | None = None
    age: timedelta | None = None
    initiation_method: str | None = None
    name: str | None = None
    segment_attributes: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    priority: int | None = None
    task_template: str | None = None
    to_address: str | None = None
    from_address: str | None = None
    transfers: int | None = None
    clock: timedelta | None = None
    progress: timedelta | None = None
    visited: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Expect:
    """What must come of it. Exactly one of ``queue``, ``agent``, ``routing``, ``hold``, ``due`` is set, or ``warn``
    alone; ``warn`` may come with any of the first four. ``step`` is given save with ``due``, and may lack with
    ``hold``."""

    rule: str
    step: int | None = None
    queue: str | None = None
    agent: str | None = None
    routing: bool = False
    warn: bool = False
    hold: HoldReason | None = None
    due: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """``expect`` is ``None`` for ``"nothing"``: no step acts and nothing is held. ``queues`` are by name, with 0 for
    every metric not given; ``agents`` are free slots by user name; agents not given are not routable.
    ``hours`` are by name, ``"queue"`` standing for every queue's own; ``open`` tells of the own hours of single queues.
    What neither names is open. ``moved`` is how many others the rule has moved out of the contact's queue within the
    hour."""

    name: str
    place: Place
    contact: ExampleContact
    expect: Expect | None
    queues: Mapping[str, QueueMetrics] = field(default_factory=dict)
    agents: Mapping[str, int] = field(default_factory=dict)
    hours: Mapping[str, Literal["open", "closed"]] = field(default_factory=dict)
    open: Mapping[str, bool] = field(default_factory=dict)
    now: datetime | None = None
    moved: int = 0
