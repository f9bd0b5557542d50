"""Holds switches for what AWS does not document: software that rests on Connect must work under each of them.

The classes group the switches by what they are about. ``Behaviours`` is all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class TransferBehaviours:
    """Holds the switches of TransferContact and of the segment that a transfer makes."""

    answer_id: Literal["new", "old"] = "new"
    """The contact whose id TransferContact returns. It is documented only as "the identifier of the contact"."""

    transfer: Literal["new_segment", "same_contact"] = "new_segment"
    """``new_segment``: a transfer ends the contact and starts another, linked to it. ``same_contact``: the contact
    retains its id; only its queue and its time in the queue change."""

    repeated_token: Literal["answers_again", "refused", "unknown"] = "answers_again"
    """The result of a second call with the ClientToken and the parameters of one that succeeded. It is the first
    response again, or IdempotencyException (409), or the token is forgotten and the call is *executed again*. With
    other parameters the token is refused, except under ``unknown``."""

    twelfth_contact: Literal["402", "400"] = "402"
    """The error of a transfer that would give a chain 13 contacts; 12 is the most. It is ServiceQuotaExceededException
    (402) or InvalidRequestException (400)."""

    paused_transfer: Literal["allowed", "refused"] = "allowed"
    """Whether a paused contact may be transferred. If it may, the new segment is not paused."""

    new_segment_priority: Literal["kept", "lost"] = "lost"
    """Whether the new segment has the priority and the routing age of the old one."""

    new_segment_initial_id: Literal["kept", "lost"] = "kept"
    """Whether the new segment's InitialContactId is the chain's first contact. ``lost``: it has none."""

    new_segment_previous_id: Literal["kept", "lost"] = "kept"
    """Whether the new segment's PreviousContactId names the contact that was transferred."""

    new_segment_attributes: Literal["kept", "lost"] = "kept"
    """Whether the new segment has the user-defined attributes of the old one."""

    new_segment_tags: Literal["kept", "lost"] = "kept"
    """Whether the new segment has the tags of the old one."""

    new_segment_expiry: Literal["kept", "renewed"] = "kept"
    """Whether the new segment expires when the old one would have, or a whole life after the transfer."""

    transfer_initiation_method: Literal["TRANSFER", "QUEUE_TRANSFER", "API"] = "TRANSFER"
    """The new segment's InitiationMethod."""


@dataclass(frozen=True, kw_only=True)
class FlowBehaviours:
    """Holds the switches of flows and of contacts that a transfer may not suit."""

    token_memory: Literal["hours", "minutes", "seconds"] = "hours"
    """How long a ClientToken is remembered: ``seconds`` is one minute, ``minutes`` half an hour, ``hours`` always."""

    scheduled_transfer: Literal["refused", "allowed"] = "refused"
    """Whether a scheduled task may be transferred before its time. If it may, it starts at once."""

    archived_flow: Literal["refused", "not_found", "runs"] = "refused"
    """A transfer with an archived flow: InvalidRequestException, ResourceNotFoundException, or the flow runs."""

    saved_flow: Literal["refused", "not_found", "runs"] = "refused"
    """A transfer with a flow that is saved and not published, in the same words."""

    queue_id_reaches: Literal["every_flow", "transfer_flows"] = "every_flow"
    """The flows whose working queue is the QueueId of TransferContact at first. An inbound flow may have none."""

    flow_start_delay: timedelta = timedelta(0)
    """How long after the call a flow begins to run."""


@dataclass(frozen=True, kw_only=True)
class ReadingBehaviours:
    """Holds the switches of SearchContacts, of the ids in rows, and of the metrics."""

    index_lag: timedelta = timedelta(0)
    """How far the search index is behind: rows show the contacts as they were that long ago."""

    old_segment_lag: timedelta = timedelta(0)
    """How much longer than the rest of the index an ended segment still looks as it did before its transfer. For that
    time the old and the new segment both look queued."""

    not_exists: Literal["honoured", "ignored", "refused"] = "honoured"
    """The NOT_EXISTS condition of AdditionalTimeRange: it filters, does nothing, or is InvalidParameterException."""

    search_pages: Literal["snapshot", "live"] = "snapshot"
    """``snapshot``: the pages of one search show one moment. ``live``: each page is cut from the index at the time of
    its request. Contacts that leave in between shift the rest, and rows are missed."""

    queue_info: Literal["id", "arn"] = "id"
    """The form of QueueInfo.Id in SearchContacts and DescribeContact."""

    agent_queue_id: Literal["user_id", "own_id", "arn"] = "user_id"
    """The content of QueueInfo.Id for an agent's own queue: the user's id, an id of its own, or the queue's ARN."""

    email_in_metrics: Literal["yes", "no_rows", "refused"] = "yes"
    """EMAIL in GetCurrentMetricData: the documentation's prose names three channels, the enum four."""

    metrics_lag: timedelta = timedelta(0)
    """How far the real-time metrics are behind, for contacts and used slots. An agent's status shows at once."""

    unknown_id: Literal["not_found", "invalid", "left_out"] = "not_found"
    """The result of one unknown queue or user in the list of a GetCurrentMetricData, GetCurrentUserData or
    SearchContacts call: ResourceNotFoundException, InvalidParameterException, or rows for the others only."""

    closed_date: Literal["empty_list", "override_only", "left_out"] = "empty_list"
    """A date that an override closes, in GetEffectiveHoursOfOperations. ``empty_list``: it is listed without hours.
    ``override_only``: only EffectiveOverrideHoursList names it. ``left_out``: no list names it."""


@dataclass(frozen=True, kw_only=True)
class Behaviours(TransferBehaviours, FlowBehaviours, ReadingBehaviours):
    """Holds one switch per open question. The defaults are the likeliest answers; AWS promises none of them."""

    cross_channel: Literal["any", "current", "absent"] = "any"
    """CrossChannelBehavior of routing profiles: an agent with a contact of one channel is offered ``any`` other one, or
    only the ``current`` one. ``absent``: as ``any``, and the API does not return it."""

    email_pause: Literal["allowed", "refused"] = "allowed"
    """Whether PauseContact accepts an e-mail. Models of the API before botocore 1.44 named tasks only."""

    paused_looks_queued: bool = True
    """Whether a paused contact retains its QueueInfo, which makes it look as if it waited."""

    resume: Literal["keeps_time", "renews_time", "stays_out"] = "renews_time"
    """The state of a contact after a pause that dequeued it: in the queue with its old or a new EnqueueTimestamp, or
    in no queue at all ("otherwise the task will stay in a de-queued state")."""

    linked_tasks: Literal["share_initial_id", "own_initial_id"] = "share_initial_id"
    """The InitialContactId of a task that was started with PreviousContactId."""

    put_back: Literal["new_segment", "same_contact"] = "new_segment"
    """The contact that waits after an agent gave one back to a queue."""

    routing_age: Literal["sets", "adds"] = "sets"
    """QueueTimeAdjustmentSeconds of UpdateContactRoutingData: it replaces the earlier value, or is added to it."""

    routing_delay: timedelta = timedelta(0)
    """How long a routing update of a waiting contact takes until it shows and counts. AWS: "at least 60 seconds" for
    contacts that are in a queue already (admin guide, "change-routing-priority"). It never changes an ended contact."""

    priority_excludes_age: bool = True
    """Whether a new priority removes the contact's age, and a new age its priority ("cannot be specified if the
    QueuePriority is specified"). Both in one call are always refused, as documented."""

    associated_segment: Literal["same_contact", "new_segment"] = "same_contact"
    """The contact that an agent has after AssociateContactWithUser: the same one, or a new segment."""

    contact_metrics: Literal["yes", "no_value", "refused"] = "yes"
    """GetContactMetrics of a task or an e-mail: a position in the queue, none, or InvalidRequestException."""

    throttle_code: Literal["ThrottlingException", "TooManyRequestsException"] = "ThrottlingException"
    """The name of the error of a throttled call. Its status is 429."""

    error_bodies: Literal["json", "empty", "not_json"] = "json"
    """The body of an error. The header ``x-amzn-ErrorType`` has its name in each case."""
