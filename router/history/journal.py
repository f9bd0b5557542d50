"""Writes the journal of a running service in a thread of its own, which delays no move and uses bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Condition, Thread
from typing import Any

from router import __version__, events
from router.decide.decide import Decided
from router.decide.snapshot import Snapshot
from router.execute.result import Result
from router.history.disclosure import Disclosure
from router.history.journal_encoder import JournalEncoder
from router.history.journal_files import JournalFiles
from router.model import Channel, Contact, QueueId, QueueMetrics
from router.news import NewsFilter
from router.ports import Clock
from router.rules.bound import BoundRuleSet
from router.rules.rule import RuleSet
from router.settings import Settings

CAPACITY = 100_000
"""Contacts in reports that wait to be written; what is reported beyond is lost, and counted in the journal."""
FLUSHED_EVERY = 2.0
"""Seconds; a crash of the machine or a kill loses at most the records of this time."""
AGAIN_AFTER = timedelta(seconds=30)
"""How long nothing is written after the disk has refused a record."""
END_WITHIN = 3.0

Work = Callable[[JournalEncoder], object]


@dataclass(kw_only=True)
class Journal:
    """Takes the reports of a router's cycles. Every ``record_`` method returns at once and never raises."""

    files: JournalFiles
    encoder: JournalEncoder
    clock: Clock
    written: int = 0
    lost: int = 0
    _work: deque[tuple[Work, int, datetime]] = field(default_factory=deque)
    _size: int = 0
    _unsaid: int = 0
    _over: bool = False
    _busy: bool = False
    _failed_at: float | None = None
    _changed: Condition = field(default_factory=Condition)
    _began: bool = False
    _news: NewsFilter[str] = field(init=False)
    _thread: Thread = field(init=False)

    def __post_init__(self) -> None:
        self._news = NewsFilter(self.clock.monotonic)
        self._thread = Thread(target=self._run, name="journal", daemon=True)

    @classmethod
    def open(cls, settings: Settings, clock: Clock) -> Journal | None:
        """Opens the journal of the settings, ``None`` if they name none. A folder that cannot be used is logged, and
        tried again."""
        folder = settings.journal.folder
        if folder is None:
            return None
        hashes = folder if settings.journal.ids == "hashed" else None
        files = JournalFiles(folder, settings.journal.keep)
        encoder = JournalEncoder(
            write=files.write,
            disclosure=Disclosure(attributes=settings.journal.attributes, hashes=hashes),
            origin={
                "version": __version__,
                "instance": settings.connect.instance_id,
                "poll_s": settings.poll.every.total_seconds(),
                "ids": settings.journal.ids,
                "attributes": settings.journal.attributes,
            },
        )
        journal = cls(files=files, encoder=encoder, clock=clock)
        journal._thread.start()
        return journal

    def record_round(self, look: Snapshot, decided: Decided, rules: BoundRuleSet, ruleset: RuleSet) -> None:
        """Records what was decided, and from what."""
        self._add(lambda to: to.record_round(look, decided, rules, ruleset), look.now, len(look.contacts))

    def record_results(self, results: Collection[Result]) -> None:
        """Records what came of decisions."""
        at, kept = self.clock.now(), tuple(results)
        if kept:
            self._add(lambda to: to.record_results(kept, at), at, len(kept))

    def record_metrics(self, rows: Mapping[tuple[QueueId, Channel], QueueMetrics]) -> None:
        """Records metrics that a search was planned by."""
        at = self.clock.now()
        self._add(lambda to: to.record_metrics(rows, at), at, len(rows))

    def record_cycle(self, contacts: Collection[Contact], number: int) -> None:
        """Records which contacts wait when a cycle ends."""
        at = self.clock.now()
        self._add(lambda to: to.record_cycle(contacts, at, number), at, len(contacts))

    def close(self) -> None:
        """Writes what is left and ends the thread; a disk that hangs is left behind."""
        with self._changed:
            self._over = True
            self._changed.notify_all()
        self._thread.join(END_WITHIN)

    def _add(self, work: Work, at: datetime, size: int) -> None:
        with self._changed:
            if self._size + size > CAPACITY and self._work:
                self._lose(1)
                return
            self._work.append((work, size, at))
            self._size += size
            self._changed.notify_all()

    def _lose(self, records: int) -> None:
        self.lost += records
        self._unsaid += records

    def _run(self) -> None:
        flushed_at = self.clock.monotonic()
        while (taken := self._take()) is not None:
            for work, at in taken:
                self._guarded(lambda work=work, at=at: self._write(work, at))  # type: ignore[misc]
            if self.clock.monotonic() - flushed_at >= FLUSHED_EVERY:
                flushed_at = self.clock.monotonic()
                self._guarded(self.files.flush)
        self._guarded(self.files.close)

    def _take(self) -> list[tuple[Work, datetime]] | None:
        """Returns the reports to write, none after a while without any; ``None`` when the journal has ended."""
        with self._changed:
            self._busy = False
            if not self._work and not self._over:
                self._changed.wait(FLUSHED_EVERY)
            if not self._work and self._over:
                return None
            taken = [(work, at) for work, _, at in self._work]
            self._busy = True
            self._work.clear()
            self._size = 0
            return taken

    def _write(self, work: Work, at: datetime) -> None:
        if self._failed_at is not None:
            if self.clock.monotonic() - self._failed_at < AGAIN_AFTER.total_seconds():
                self._lose(1)
                return
            self._failed_at = None
        if self.files.begins(at):
            self._begin(at)
        work(self.encoder)
        self.written += 1

    def _begin(self, at: datetime) -> None:
        why = "hour" if self._began and not self._unsaid else "failure" if self._began else "start"
        self.files.begin(at)
        self.encoder.begin(at, why=why, lost=self._unsaid)
        self._began, self._unsaid = True, 0
        if self._news.is_news("journal", None) and self.lost:
            events.log_journal_recovered(lost=self.lost)

    def _guarded(self, step: Callable[[], Any]) -> None:
        """Runs a step. A disk that refuses it is logged, and a bug too; both cost records and nothing else."""
        try:
            step()
        except OSError as error:
            why = f"{self.files.folder}: {error.strerror or error}"
            if self._fail(why):
                events.log_journal_failed(why)
        except Exception as error:
            if self._fail(repr(error)):
                events.log_journal_broken()

    def _fail(self, why: str) -> bool:
        """Leaves the file, because its last record may be torn; returns whether the reason is news."""
        self._lose(1)
        self._failed_at = self.clock.monotonic()
        with suppress(OSError):
            self.files.close()
        return self._news.is_news("journal", why)
