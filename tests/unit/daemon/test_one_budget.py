"""Lets routers on one ledger search side by side in injected time, on an account with the quota that AWS documents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from router.connect.token_bucket import Bucket
from router.daemon.router import OBSERVERS_PART
from router.sandbox.quotas import CallQuotas
from router.settings.quotas import DOCUMENTED_QUOTAS

SEARCH = "SearchContacts"
QUOTA = DOCUMENTED_QUOTAS[SEARCH]
SHARE, EVERY, POLLS = 0.8, 15.0, 200
"""The default configuration."""
RESPONSE = 0.137
"""Seconds from one page to the request for the next one."""


@dataclass
class Searcher:
    """Reads ``pages`` in each poll, as the search of a router does."""

    bucket: Bucket
    began: float
    pages: int
    left: int
    ready: float
    poll: int = 0
    complete: int = 0

    @classmethod
    def of(cls, part: float, began: float, pages: int) -> Searcher:
        bucket = Bucket(rate=QUOTA.rate * SHARE * part, burst=QUOTA.burst * SHARE * part, now=0.0)
        return cls(bucket, began, pages, pages, began)

    def next_at(self) -> float:
        """Returns when it can make its next call."""
        return self.ready + self.bucket.seconds_to_token(self.ready)

    def call(self, account: CallQuotas, now: float) -> None:
        assert self.bucket.take(now + 1e-6)
        self.ready = now + RESPONSE
        if not account.take(SEARCH, datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=now)):
            self.bucket.throttled(now)
            return
        self.bucket.succeeded(now)
        self.left -= 1
        if self.left:
            return
        ended = int((now - self.began) // EVERY)
        self.complete += ended == self.poll
        self.poll, self.left = ended + 1, self.pages
        self.ready = self.began + self.poll * EVERY


def complete_cycles(parts: list[float], *, pages: int, apart: float) -> int:
    """Returns how many of the first router's cycles were complete; the others began ``apart`` seconds later, each."""
    account = CallQuotas()
    searchers = [Searcher.of(part, number * apart, pages) for number, part in enumerate(parts)]
    while (now := min(one.next_at() for one in searchers)) < POLLS * EVERY:
        next(one for one in searchers if one.next_at() == now).call(account, now)
    return searchers[0].complete


def cycles(parts: list[float]) -> list[int]:
    """Returns the complete cycles for one to five pages a poll, and for routers that start at different times."""
    apart = (0.4, 2.5, 7.3, 11.9)
    return [complete_cycles(parts, pages=pages, apart=one) for pages in range(1, 6) for one in apart]


def test_an_observer_leaves_the_working_router_as_many_complete_cycles_as_it_has_alone():
    assert cycles([1, OBSERVERS_PART]) == cycles([1])


def test_an_observer_with_a_whole_share_would_starve_the_working_router():
    assert sum(cycles([1, 1])) < 0.9 * sum(cycles([1]))
