"""What AWS does not document, as switches: software that rests on Connect must do right under each of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviours:
    """One field per open question. The defaults are the likeliest answers; none of them is promised by AWS."""

    # TransferContact
    answer_id: Literal["new", "old"] = "new"
    """Which contact's id TransferContact answers: documented only as "the identifier of the contact"."""

    transfer: Literal["new_segment", "same_contact"] = "new_segment"
    """``new_segment``: a transfer ends the contact and starts another, linked to it. ``same_contact``: the contact
    keeps its id; only its queue and the time it was queued change."""

    repeated_token: Literal["answers_again", "refused", "unknown"] = "answers_again"
    """A second call with the ClientToken and the parameters of one that succeeded: the first answer again;
    IdempotencyException (409); or the token is forgotten and the call is *executed again*. With other parameters the
    token is refused, save under ``unknown``."""

    twelfth_contact: Literal["402", "400"] = "402"
    """A chain holds 12 contacts. What the transfer that would make a 13th answers: ServiceQuotaExceededException (402),
    or InvalidRequestException (400)."""

    paused_transfer: Literal["allowed", "refused"] = "allowed"
    """TransferContact of a paused contact; where it is allowed the new segment is not paused."""

    new_segment_priority: Literal["kept", "lost"] = "lost"
    """Whether priority and routing age go over to the segment that a transfer makes."""

    new_segment_initial_id: Literal["kept", "lost"] = "kept"
    """Whether the new segment's InitialContactId is the chain's first contact; ``lost``: it has none."""

    new_segment_previous_id: Literal["kept", "lost"] = "kept"
    """Whether the new segment's PreviousContactId names the contact that was transferred."""

    new_segment_attributes: Literal["kept", "lost"] = "kept"
    """Whether the user-defined attributes go over to the new segment."""

    new_segment_tags: Literal["kept", "lost"] = "kept"
    """Whether the tags go over to the new segment."""

    transfer_initiation_method: Literal["TRANSFER", "QUEUE_TRANSFER", "API"] = "TRANSFER"
    """The new segment's InitiationMethod."""

    # SearchContacts
    index_lag: timedelta = timedelta(0)
    """How far the search index is behind: rows show the contacts as they were that long ago."""

    old_segment_lag: timedelta = timedelta(0)
    """How much longer than the rest of the index the segment that a transfer ended still looks as it did before: for
    that long the old and the new one both look queued."""

    not_exists: Literal["honoured", "ignored", "refused"] = "honoured"
    """The NOT_EXISTS condition of AdditionalTimeRange: filters, does nothing, or is InvalidParameterException."""

    search_pages: Literal["snapshot", "live"] = "snapshot"
    """``snapshot``: the pages of one search show one moment. ``live``: each page is cut from the index as it is when
    the page is asked for; what leaves in between shifts the rest, and rows are missed."""

    # Ids
    queue_info: Literal["id", "arn"] = "id"
    """What QueueInfo.Id holds in SearchContacts and DescribeContact."""

    agent_queue_id: Literal["user_id", "own_id", "arn"] = "user_id"
    """What QueueInfo.Id holds for an agent's own queue: the user's id, an id of the queue's own, or the queue's ARN."""

    # Metrics
    email_in_metrics: Literal["yes", "no_rows", "refused"] = "yes"
    """EMAIL in GetCurrentMetricData: the prose names three channels, the enum four."""

    metrics_lag: timedelta = timedelta(0)
    """How far the real-time metrics are behind, for contacts and slots in use (an agent's status shows at once)."""

    # Pausing, linking, putting back
    paused_looks_queued: bool = True
    """Whether a paused contact keeps its QueueInfo, so that it looks as if it waited."""

    resume: Literal["keeps_time", "renews_time", "stays_out"] = "renews_time"
    """A contact that was dequeued by its pause: back in the queue with its old or a new EnqueueTimestamp, or not in a
    queue at all ("otherwise the task will stay in a de-queued state")."""

    linked_tasks: Literal["share_initial_id", "own_initial_id"] = "share_initial_id"
    """InitialContactId of a task started with PreviousContactId."""

    put_back: Literal["new_segment", "same_contact"] = "new_segment"
    """What an agent who gives a contact back to a queue makes of it."""

    # Routing data
    routing_age: Literal["sets", "adds"] = "sets"
    """QueueTimeAdjustmentSeconds of UpdateContactRoutingData: replaces what was set before, or is added to it."""

    routing_delay: timedelta = timedelta(0)
    """How long a routing update of a contact that waits takes until it shows and counts: "at least 60 seconds" for what
    is in a queue already (admin guide, "change-routing-priority"). A contact that ends before is as it was."""

    priority_excludes_age: bool = True
    """Whether setting the one takes the other off the contact ("cannot be specified if the QueuePriority is
    specified"). Both in one call are always refused, as documented."""

    # Errors
    throttle_code: Literal["ThrottlingException", "TooManyRequestsException"] = "ThrottlingException"
    """The name of the error that a throttled call gets; its status is 429."""

    error_bodies: Literal["json", "empty", "not_json"] = "json"
    """What stands in the body of an error; its name is in the header ``x-amzn-ErrorType`` in each case."""
