"""Makes reading calls: paced by the quotas, and repeated if a repeat is harmless. The one retry layer for reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_result
from tenacity.wait import wait_random_exponential

from router.connect.answers import NOT_SENT, Failure, Full, Rejected, Throttled, Unknown
from router.connect.api import Answered, Api, refused
from router.connect.fields import Row, Unreadable, text
from router.connect.health import OperationHealth
from router.connect.quotas import Quotas


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Limits how long one logical call may last. ``within`` counts from the first call sent.

    No attempt begins after it; one that has begun may still run into its time-out. ``token_within`` limits the wait for
    the first token; ``None`` means no limit. Delays between attempts are full jitter up to ``max_delay``.
    """

    attempts: int = 4
    within: timedelta = timedelta(seconds=4)
    max_delay: timedelta = timedelta(seconds=1)
    token_within: timedelta | None = timedelta(seconds=30)
    urgent: bool = True
    """Whether it has priority over calls that can wait, when tokens are short."""


BRIEF = Patience()
"""For what somebody waits for: metrics, hours of operation."""

DESCRIBING = Patience(within=timedelta(seconds=2))
"""For reading a contact: a call that hangs has a time-out of 2 seconds, and is then not repeated."""

LISTING = Patience(attempts=5, within=timedelta(seconds=30), max_delay=timedelta(seconds=5), token_within=None)
"""For the pages of a list or a search, whose quotas are the scarce ones."""


T = TypeVar("T")
V = TypeVar("V")


class Reads:
    """``get`` is one logical read. Thread-safe."""

    def __init__(self, api: Api, *, quotas: Quotas, monotonic: Callable[[], float]) -> None:
        self._api = api
        self._quotas = quotas
        self._monotonic = monotonic
        self._health = OperationHealth(monotonic)

    @property
    def monotonic(self) -> float:
        return self._monotonic()

    def record_health(self, operation: str, result: T, *, about: str = "") -> T:
        """Returns the result of a whole read with the operation, and logs if the operation stops or begins to answer.

        ``about`` is an id of the instance's, never a customer's.
        """
        self._health.record_answer(operation, result, about=about)
        return result

    def rows(
        self,
        operation: str,
        member: str,
        parse: Callable[[list[Row]], T],
        *,
        patience: Patience = LISTING,
        about: str = "",
        **parameters: Any,
    ) -> T | Failure:
        """Returns what ``parse`` makes of all rows of the list, and records the health; see ``all_rows``."""
        rows = all_rows(self, operation, member, patience=patience, **parameters)
        return self.record_health(operation, readable(parse, rows) if isinstance(rows, list) else rows, about=about)

    def get_once(self, operation: str) -> Answered | None:
        """Returns the answer of one call that is useful and not needed: a failure is neither logged nor repeated."""
        answer = self._api.call(operation, report=False)
        return answer if isinstance(answer, Answered) else None

    def get(self, operation: str, *, patience: Patience = BRIEF, **parameters: Any) -> Answered | Failure:
        """Returns the first answer that is final, or the last failure.

        ``Throttled`` with the code ``NOT_SENT`` means that there was no token in time, or that the process stops.
        Throttles and ``Unknown`` are tried again; everything else is final.
        """
        effort = _Effort(self._api, self._quotas, self._monotonic, patience)
        retrying = Retrying(
            retry=retry_if_result(_worth_repeating),
            stop=effort.over,
            wait=wait_random_exponential(multiplier=0.2, max=patience.max_delay.total_seconds()),
            sleep=self._quotas.pause,
            retry_error_callback=_last,
        )
        answer: Answered | Failure = retrying(effort.once, operation, parameters)
        return answer


class _Effort:
    """Makes the attempts at one read. ``answer`` is the last one of Connect's."""

    def __init__(self, api: Api, quotas: Quotas, monotonic: Callable[[], float], patience: Patience) -> None:
        self._api = api
        self._quotas = quotas
        self._monotonic = monotonic
        self._patience = patience
        self._ends_at: float | None = None
        self._failure: Failure | None = None

    def once(self, operation: str, parameters: dict[str, Any]) -> Answered | Failure:
        if not self._quotas.acquire(operation, until=self._token_until(), urgent=self._patience.urgent):
            return _final(self._failure)
        if self._ends_at is None:
            self._ends_at = self._monotonic() + self._patience.within.total_seconds()
        answer = self._api.call(operation, **parameters)
        if isinstance(answer, Full):
            return refused(answer)
        if not isinstance(answer, Answered):
            self._failure = answer
        return answer

    def over(self, state: RetryCallState) -> bool:
        ends_at = self._ends_at
        if ends_at is None or state.attempt_number >= self._patience.attempts:
            return True
        return self._monotonic() + state.upcoming_sleep >= ends_at

    def _token_until(self) -> float | None:
        if self._ends_at is not None:
            return self._ends_at
        bound = self._patience.token_within
        return None if bound is None else self._monotonic() + bound.total_seconds()


def _final(failure: Failure | None) -> Failure:
    """Returns Connect's last answer, if a call was made, when there is no token for another attempt."""
    return failure if failure is not None else Throttled(code=NOT_SENT)


def _worth_repeating(answer: Answered | Failure) -> bool:
    if isinstance(answer, Throttled):
        return answer.code != NOT_SENT
    return isinstance(answer, Unknown)


def _last(state: RetryCallState) -> Answered | Failure:
    assert state.outcome is not None, "tenacity calls this after an attempt"
    answer: Answered | Failure = state.outcome.result()
    return answer


def readable(parse: Callable[[V], T], value: V, request_id: str | None = None) -> T | Unknown:
    """Returns what ``parse`` makes of an answer, or that the answer could not be read."""
    try:
        return parse(value)
    except Unreadable as problem:
        return Unknown(code="UnreadableAnswer", message=str(problem), request_id=request_id)


TOKEN_REFUSED = "TokenRefused"
"""The code of a list whose NextToken Connect has refused."""

MAX_PAGES = 1000
"""More than any quota of Connect's allows to exist; a server that never stops handing out tokens ends there."""


@dataclass(frozen=True, slots=True)
class TokenExpired:
    """Is the end of a list whose NextToken Connect has refused. How long a token lives is documented for
    GetCurrentMetricData only: five minutes."""

    failure: Rejected


def all_rows(
    reads: Reads, operation: str, member: str, *, patience: Patience = LISTING, **parameters: Any
) -> list[Row] | Failure:
    """Returns every row of the list, or the failure that ended it: half a list is none, because absence from it has a
    meaning.

    The list is read again from its beginning if Connect no longer knows its own token.
    """

    def request(token: str | None) -> Answered | Failure:
        following = {} if token is None else {"NextToken": token}
        return reads.get(operation, patience=patience, **parameters, **following)

    found = _rows(operation, member, request)
    if isinstance(found, TokenExpired):
        found = _rows(operation, member, request)
    if isinstance(found, TokenExpired):
        refusal = found.failure
        return Unknown(code=TOKEN_REFUSED, message=refusal.message, request_id=refusal.request_id)
    return found


def _rows(operation: str, member: str, request: PageRequest) -> list[Row] | Failure | TokenExpired:
    rows: list[Row] = []
    for page in pages(operation, request):
        if not isinstance(page, Answered):
            return page
        rows.extend(row for row in page.body.get(member) or () if row is not None)
    return rows


PageRequest = Callable[[str | None], Answered | Failure]
"""Reads the page of a token; ``None`` means the first page."""


def pages(operation: str, request: PageRequest) -> Iterator[Answered | Failure | TokenExpired]:
    """Yields page by page, following ``NextToken``; a failure is the last.

    A token that occurs twice is a failure (``RepeatedPage``), because following it would never end.
    """
    tokens: set[str] = set()
    token: str | None = None
    for _ in range(MAX_PAGES):
        answer = request(token)
        if token is not None and isinstance(answer, Rejected) and answer.status == 400:
            # The same request without it was answered: it is the token that is refused, and nothing else.
            yield TokenExpired(answer)
            return
        yield answer
        if not isinstance(answer, Answered):
            return
        following = readable(lambda body: text(body, "NextToken"), answer.body, answer.request_id)
        if isinstance(following, Unknown):
            yield following
            return
        token = following
        if token is None:
            return
        if token in tokens:
            yield Unknown(code="RepeatedPage", message=f"{operation} answered the same NextToken twice")
            return
        tokens.add(token)
    yield Unknown(code="EndlessPages", message=f"{operation} did not end within {MAX_PAGES} pages")


AGAIN_AFTER_S = 3600.0
"""Seconds. A refusal for good costs one call more an hour, and a refusal by mistake ends."""


class RefusedLately:
    """Remembers a refusal: true from ``record`` on, for ``again_after`` seconds of the monotonic clock."""

    def __init__(self, monotonic: Callable[[], float], *, again_after: float = AGAIN_AFTER_S) -> None:
        self._monotonic = monotonic
        self._again_after = again_after
        self._until: float | None = None

    def __bool__(self) -> bool:
        return self._until is not None and self._monotonic() < self._until

    def record(self) -> None:
        self._until = self._monotonic() + self._again_after

    def forget(self) -> None:
        self._until = None
