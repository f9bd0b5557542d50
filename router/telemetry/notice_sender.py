"""Sends notices in a thread of its own, so that a topic that refuses or hangs delays nothing else."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import Any

from tenacity import Retrying, retry_if_result, wait_random_exponential

from router import events, logs
from router.connect.answers import Failure, Full
from router.connect.topic import Topic, is_of_message
from router.events.notices import closing_notice, notice_of
from router.ledger.errors import LedgerUnavailable
from router.ledger.outbox import Outbox
from router.model import Notice
from router.news import NewsFilter
from router.ports import Clock
from router.resources import Stores
from router.settings import Settings

HOUR = timedelta(hours=1)
REMEMBERED = timedelta(days=7)
"""How long after it was sent a notice is not sent again."""
LOOK_EVERY_S = 30.0
"""Seconds between two readings of the outbox; a new notice wakes the thread at once."""
LONGEST_BACK_OFF_S = 60.0
ENDS_WITHIN_S = 2.0
FOR_ERRORS = 4
"""One of so many notices an hour is for errors alone."""
HEARD = 10_000
"""Notices in memory, until the thread has written them into the outbox."""


@dataclass(kw_only=True)
class NoticeSender:
    """Hears the events of the log, writes their notices into the outbox, and sends these, at most ``per_hour``.

    Only a router that is ``working`` hears and sends. ``spare`` is an outbox in memory, for the time in which the
    ledger fails. A notice is marked as sent after SNS has accepted it: after a crash it may be sent again.
    """

    topic: Topic
    per_hour: int
    outbox: Outbox
    spare: Outbox
    clock: Clock
    working: Callable[[], bool]
    sent: int = 0
    failed: int = 0
    _unsent: int = 0
    _full: set[bool] = field(default_factory=set)
    """Whose limit holds notices back: ``True`` for errors, ``False`` for the others."""
    _heard: deque[Notice] = field(default_factory=lambda: deque(maxlen=HEARD))
    _settled: dict[str, str] = field(default_factory=dict)
    _sent_at: list[datetime] = field(default_factory=list)
    _wake: Event = field(default_factory=Event)
    _ending: Event = field(default_factory=Event)
    _over: Event = field(default_factory=Event)

    @classmethod
    def open(cls, settings: Settings, stores: Stores, clock: Clock) -> NoticeSender | None:
        """Opens it without a call; ``None`` if the configuration names no topic. Raises ``Unreachable``."""
        if not settings.notify.sns_topic:
            return None
        return cls(
            topic=Topic.open(settings.notify.sns_topic),
            per_hour=settings.notify.per_hour,
            outbox=Outbox(stores.ledger),
            spare=Outbox(stores.observed),
            clock=clock,
            working=lambda: stores.working,
        )

    def __post_init__(self) -> None:
        self._news = NewsFilter[str](self.clock.monotonic)
        self.thread = Thread(target=self._run, name="notices", daemon=True)

    @property
    def waiting(self) -> int:
        """Returns how many notices are to be sent, as far as is known."""
        return self._unsent + len(self._heard)

    def start(self) -> None:
        logs.listen(self.hear)
        self.thread.start()

    def hear(self, level: str, event: Mapping[str, Any]) -> None:
        """Takes the notice of an event, if it has one. It does not wait."""
        if not self.working():
            return
        instance_id = self.outbox.ledger.instance_id
        notice = notice_of(level, event, instance_id=instance_id, at=self.clock.now())
        if notice is not None:
            self._heard.append(notice)
            self._wake.set()

    def close(self, *, within: float = ENDS_WITHIN_S) -> None:
        """Sends what can be sent at once, and ends the thread, which is left behind after ``within`` seconds.

        The other notices wait in the outbox for the next start.
        """
        logs.unlisten(self.hear)
        self._ending.set()
        self._wake.set()
        if self.thread.is_alive():
            self.thread.join(within)
        self._over.set()
        self._save()

    def _run(self) -> None:
        now = self.clock.now()
        with suppress(LedgerUnavailable):
            self.outbox.prune(now - REMEMBERED)
            self._sent_at.extend(self.outbox.sent_since(now - HOUR))
        while not self._ending.is_set():
            self._pause(self._try_to_send(), until_news=True)
        self._try_to_send()

    def _try_to_send(self) -> float:
        try:
            return self._send_all()
        except Exception:
            events.log_notify_broken()
            return LOOK_EVERY_S

    def _send_all(self) -> float:
        """Sends what may be sent now; returns the seconds until the outbox is to be read again."""
        while self._may_send():
            self._save()
            self._settle({})
            waiting = self._read_waiting()
            held_for = []
            for of_errors, limit in ((True, self.per_hour), (False, self.per_hour - self.per_hour // FOR_ERRORS)):
                notices = [notice for notice in waiting if notice.is_error is of_errors]
                free = limit - len(self._used_slots())
                if notices and free <= 0:
                    held_for.append(self._hold_back(notices, self._sent_at[-limit] + HOUR - self.clock.now()))
                elif notices and not (self._close(notices) if of_errors in self._full else self._send(notices[:free])):
                    return LOOK_EVERY_S
                else:
                    self._full.discard(of_errors)
            if len(held_for) == len({notice.is_error for notice in waiting}):
                return min(held_for, default=LOOK_EVERY_S)
        return LOOK_EVERY_S

    def _may_send(self) -> bool:
        return self.working() and not self._over.is_set()

    def _used_slots(self) -> list[datetime]:
        """Returns when the notices of the last hour were sent, without instants that a wrong clock has made."""
        now = self.clock.now()
        self._sent_at = [at for at in self._sent_at if now - HOUR < at <= now]
        return self._sent_at

    def _hold_back(self, notices: list[Notice], free_in: timedelta) -> float:
        if notices[0].is_error not in self._full:
            events.log_notify_held_back(waiting=len(notices), seconds=free_in.total_seconds())
        self._full.add(notices[0].is_error)
        return min(free_in.total_seconds(), LOOK_EVERY_S)

    def _send(self, notices: list[Notice]) -> bool:
        """Sends notices one by one; returns ``False`` if the topic does not accept any now."""
        for notice in notices:
            failure = self._publish(notice)
            if failure is not None and not is_of_message(failure):
                return False
            self._settle({notice.key: "sent" if failure is None else "refused"})
        return True

    def _close(self, rest: list[Notice]) -> bool:
        """Sends one notice that counts the ``rest``, which the hour had no room for."""
        closing = closing_notice(rest, instance_id=self.outbox.ledger.instance_id, at=self.clock.now())
        if self._publish(closing) is not None:
            return False
        with suppress(LedgerUnavailable):
            self.outbox.add([closing])
        self._settle({closing.key: "sent", **{notice.key: "counted" for notice in rest}})
        return True

    def _publish(self, notice: Notice) -> Failure | Full | None:
        """Publishes a notice, repeatedly while the topic fails, until the router ends."""
        retrying = Retrying(
            retry=retry_if_result(lambda failure: failure is not None and not is_of_message(failure)),
            wait=wait_random_exponential(max=LONGEST_BACK_OFF_S),
            stop=lambda _: self._ending.is_set() or not self._may_send(),
            sleep=self._pause,
            retry_error_callback=lambda state: state.outcome.result() if state.outcome is not None else None,
        )
        failure: Failure | Full | None = retrying(self._attempt, notice)
        return failure

    def _attempt(self, notice: Notice) -> Failure | Full | None:
        failure = self.topic.publish(notice)
        if failure is not None:
            self.failed += 1
            if self._news.is_news("topic", failure.code):
                events.log_notify_failed(failure, waiting=self.waiting)
            return failure
        self.sent += 1
        self._sent_at.append(self.clock.now())
        if self._news.is_news("topic", None) and self.failed:
            events.log_notify_recovered(sent=self.sent)
        return None

    def _pause(self, seconds: float, *, until_news: bool = False) -> None:
        """Passes the time, in which it writes notices into the outbox; ``until_news``: no longer than up to one."""
        until = self.clock.monotonic() + seconds
        while not self._ending.is_set() and (left := until - self.clock.monotonic()) > 0:
            if self._wake.wait(left):
                self._wake.clear()
                if self._save() and until_news:
                    return

    def _save(self) -> int:
        """Writes the notices that were heard into the outbox, or into the one in memory if the ledger fails; returns
        how many there were."""
        heard: list[Notice] = []
        with suppress(IndexError):  # the thread that ends the router may be faster
            while self._heard:
                self._unsent += 1
                heard.append(self._heard.popleft())
        if heard:
            try:
                self.outbox.add(heard)
            except LedgerUnavailable:
                self.spare.add(heard)
        return len(heard)

    def _read_waiting(self) -> list[Notice]:
        """Returns the notices that are to be sent: errors first, then the oldest first."""
        found: dict[str, Notice] = {}
        for outbox in (self.outbox, self.spare):
            with suppress(LedgerUnavailable):
                found |= {notice.key: notice for notice in outbox.waiting() if notice.key not in self._settled}
        self._unsent = len(found)
        return list(found.values())

    def _settle(self, states: Mapping[str, str]) -> None:
        """Writes what became of notices. While the ledger fails, it is remembered and written later."""
        self._settled |= states
        if self._settled:
            with suppress(LedgerUnavailable):
                for outbox in (self.spare, self.outbox):
                    outbox.settle(self._settled, self.clock.now())
                self._settled.clear()
        self._unsent = max(self._unsent - len(states), 0)
