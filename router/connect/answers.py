"""What Connect answered, as values: an exception means a bug or a broken environment, never an expected "no"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from router.model import Contact, ContactId

NOT_SENT = "NotSent"
"""The code of a ``Throttled`` that is the router's own: no call was made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transferred:
    """HTTP 200. ``contact_id`` is what the answer carries: documented only as "the identifier of the contact", it may
    be the new segment's or the old one's."""

    contact_id: ContactId
    request_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Updated:
    """A routing update was accepted; Connect may take a minute to apply it to a queued contact."""

    request_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttled:
    """HTTP 429 about the rate, or ``code`` ``NOT_SENT``: this process's own quota gave no token in time, or it stops.
    Nothing happened."""

    code: str
    message: str = ""
    request_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """5xx, a time-out, a broken connection, an answer that is not Connect's: it may have happened or not."""

    code: str
    message: str
    request_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """Another 4xx: Connect refused this call for good. Nothing happened."""

    code: str
    message: str
    status: int
    request_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Full:
    """ServiceQuotaExceededException, HTTP 402 (API_TransferContact): the chain has its 12 contacts, or the instance
    its active tasks or e-mails."""

    message: str
    request_id: str | None = None

    @property
    def code(self) -> str:
        return "ServiceQuotaExceededException"


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """AccessDeniedException, HTTP 403: the credentials are known, the permission is missing."""

    message: str
    request_id: str | None = None

    @property
    def code(self) -> str:
        return "AccessDeniedException"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unauthenticated:
    """The credentials themselves are missing, expired or refused: every call would be."""

    code: str
    message: str
    request_id: str | None = None


class TooLate(Exception):
    """A call was not sent: the instant by which it had to be was over. Nothing has happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A contact as DescribeContact answered; ``answered_at`` is on the monotonic clock, in seconds: not later than
    Connect answered, save by what an answer takes to come."""

    contact: Contact
    answered_at: float
    request_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """ResourceNotFoundException: no such contact in this instance."""

    contact_id: ContactId
    request_id: str | None = None


Failure = Throttled | Unknown | Rejected | Denied | Unauthenticated
TransferAnswer = Transferred | Throttled | Unknown | Rejected | Full | Denied | Unauthenticated
UpdateAnswer = Updated | Throttled | Unknown | Rejected | Denied | Unauthenticated
DescribeAnswer = Reading | Missing | Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class RowProblem:
    """A row of an answer that could not be read; the others stand. ``contact_id`` is ``None`` where not even that
    could. ``problem`` names the field, never its value: that may be a customer's."""

    contact_id: ContactId | None
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPage:
    """One page of SearchContacts: candidates, in Connect's order. ``failure`` is set on the last page of a search that
    could not be read to its end; what was returned before it stands.

    ``problems`` are the rows that were left out. ``degraded`` is one sentence, on every page of a search that had to do
    without the filter for contacts that still wait.
    """

    contacts: tuple[Contact, ...]
    span_start: datetime
    span_end: datetime
    total: int | None = None
    failure: Failure | None = None
    problems: tuple[RowProblem, ...] = ()
    degraded: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceIdentity:
    """DescribeInstance: what the service says of itself when it starts. ``account`` and ``region`` are the ARN's."""

    instance_id: str
    arn: str
    account: str
    region: str
    alias: str | None = None
    status: str | None = None
    request_id: str | None = None
