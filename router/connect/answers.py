"""Holds what Connect answered as values. An exception means a bug or a broken environment, never an expected "no"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from router.model import Contact, ContactId

NOT_SENT = "NotSent"
"""The code of a ``Throttled`` that is the router's own: no call was made."""

NOT_FROM_AWS = "NotFromAws"
"""The code of a ``Denied`` that a proxy or firewall answered in AWS's place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transferred:
    """Is the answer HTTP 200 to a transfer. ``contact_id`` is documented only as "the identifier of the contact".

    It may be the new segment's or the old one's.
    """

    contact_id: ContactId
    request_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Updated:
    """A routing update was accepted; Connect may take a minute to apply it to a queued contact."""

    request_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoSuccess:
    """Holds what every answer other than a success has. ``code`` is the error's name."""

    code: str
    message: str
    request_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttled(NoSuccess):
    """Is HTTP 429 about the rate, or a call that was not made (``code`` ``NOT_SENT``). Nothing happened.

    A call is not made if this process's own quota gave no token in time, or the process stops.
    """

    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown(NoSuccess):
    """5xx, a time-out, a broken connection, an answer that is not Connect's: it may have happened or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected(NoSuccess):
    """Is another 4xx: Connect refused this call for good. Nothing happened."""

    status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Full(NoSuccess):
    """Is ServiceQuotaExceededException, HTTP 402 (API_TransferContact).

    The chain has its 12 contacts, or the instance has its active tasks or e-mails.
    """

    code: str = "ServiceQuotaExceededException"


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied(NoSuccess):
    """Is AccessDeniedException, HTTP 403: the credentials are known, the permission is missing."""

    code: str = "AccessDeniedException"
    """``NOT_FROM_AWS`` if a proxy or firewall refused the call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skewed(NoSuccess):
    """AWS refused the time of the signature, because the local clock is wrong. Nothing happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unauthenticated(NoSuccess):
    """The credentials themselves are missing, expired or refused: every call would be."""


class TooLate(Exception):
    """A call was not sent: the instant by which it had to be was over. Nothing has happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Holds a contact as DescribeContact returned it. ``answered_at`` is in seconds of the monotonic clock.

    Connect answered at that instant or later, except for the time that the answer took to arrive.
    """

    contact: Contact
    answered_at: float
    request_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Is ResourceNotFoundException: this instance has no such contact."""

    contact_id: ContactId
    request_id: str | None = None


Failure = Throttled | Unknown | Rejected | Denied | Unauthenticated | Skewed
TransferAnswer = Transferred | Throttled | Unknown | Rejected | Full | Denied | Unauthenticated | Skewed
UpdateAnswer = Updated | Throttled | Unknown | Rejected | Denied | Unauthenticated | Skewed
DescribeAnswer = Reading | Missing | Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class RowProblem:
    """Describes a row of an answer that could not be read; the other rows are kept.

    ``contact_id`` is ``None`` if not even that could be read. ``problem`` names the field, never its value, because
    that may be a customer's.
    """

    contact_id: ContactId | None
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPage:
    """Holds one page of SearchContacts: candidates, in Connect's order.

    ``failure`` is set on the last page of a search that could not be read to its end; the pages before it are valid.
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
    """Holds what DescribeInstance returned; the service logs it at start. ``account`` and ``region`` are the ARN's."""

    instance_id: str
    arn: str
    account: str
    region: str
    alias: str | None = None
    status: str | None = None
    request_id: str | None = None
