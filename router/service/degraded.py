"""What a search could not read, told when it begins or changes, not in each cycle."""

from __future__ import annotations

from router.connect.answers import Failure, RowProblem
from router.model import ContactId
from router.service import tell


class Degraded:
    """That a search can be read to its end again is told as ``api.recovered``."""

    def __init__(self) -> None:
        self._code: str | None = None
        self._rows: set[tuple[ContactId | None, str]] = set()

    def search(self, failure: Failure | None, *, cycle: int) -> None:
        """Why a search could not be read to its end; ``None`` where it could."""
        code = failure.code if failure is not None else None
        if failure is not None and code != self._code:
            tell.log.warning("search.degraded", cycle=cycle, error=failure.code, message=failure.message)
        self._code = code

    def rows(self, problems: tuple[RowProblem, ...], *, whole: bool) -> None:
        """The rows of one search that could not be read; ``whole``: all there are, so that others can be forgotten."""
        seen = {(row.contact_id, row.problem) for row in problems}
        for contact_id, problem in sorted(seen - self._rows, key=str):
            tell.log.warning("search.degraded", error="UnreadableRow", message=problem, contact_id=contact_id)
        self._rows = seen if whole else self._rows | seen
