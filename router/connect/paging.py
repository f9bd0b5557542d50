"""Lists that Connect answers in pages, read to their end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from router.connect.answers import Failure, Rejected, Unknown
from router.connect.api import Answered
from router.connect.fields import Row, Unreadable, text
from router.connect.reading import LISTING, Patience, Reads

TOKEN_REFUSED = "TokenRefused"
"""The code of a list whose NextToken Connect has refused."""

MAX_PAGES = 1000
"""More than any quota of Connect's allows to exist; a server that never stops handing out tokens ends there."""


def all_rows(
    reads: Reads, operation: str, member: str, *, patience: Patience = LISTING, **parameters: Any
) -> list[Row] | Failure:
    """Every row of the list, or the failure that ended it: half a list is none, for absence from it means something.

    Once more from its beginning where Connect does not know its own token any more (how long one lives is documented
    for GetCurrentMetricData only: five minutes)."""
    found = _rows(reads, operation, member, patience=patience, **parameters)
    if isinstance(found, Unknown) and found.code == TOKEN_REFUSED:
        found = _rows(reads, operation, member, patience=patience, **parameters)
    return found


def _rows(reads: Reads, operation: str, member: str, *, patience: Patience, **parameters: Any) -> list[Row] | Failure:
    rows: list[Row] = []
    for page in pages(reads, operation, patience=patience, **parameters):
        if not isinstance(page, Answered):
            return page
        rows.extend(row for row in page.body.get(member) or () if row is not None)
    return rows


def pages(
    reads: Reads, operation: str, *, patience: Patience = LISTING, **parameters: Any
) -> Iterator[Answered | Failure]:
    """Page by page, following ``NextToken``; a failure is the last. A token that comes twice is one (``RepeatedPage``):
    following it would never end."""
    tokens: set[str] = set()
    token: str | None = None
    for _ in range(MAX_PAGES):
        following = {} if token is None else {"NextToken": token}
        answer = reads.get(operation, patience=patience, **parameters, **following)
        if token is not None and isinstance(answer, Rejected) and answer.status == 400:
            # The same request without it was answered: it is the token that is refused, and nothing else.
            yield Unknown(code=TOKEN_REFUSED, message=answer.message, request_id=answer.request_id)
            return
        yield answer
        if not isinstance(answer, Answered):
            return
        try:
            token = text(answer.body, "NextToken")
        except Unreadable as problem:
            yield Unknown(code="UnreadableAnswer", message=str(problem), request_id=answer.request_id)
            return
        if token is None:
            return
        if token in tokens:
            yield Unknown(code="RepeatedPage", message=f"{operation} answered the same NextToken twice")
            return
        tokens.add(token)
    yield Unknown(code="EndlessPages", message=f"{operation} did not end within {MAX_PAGES} pages")
