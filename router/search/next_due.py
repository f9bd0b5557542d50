"""When to look at a contact again: at the very instant at which anything about it can change by itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache

from router.decide.decide import Account
from router.decide.govern import TriedRule
from router.model import Directory, QueueId
from router.rules.bound import BoundRule, BoundRuleSet
from router.rules.condition import Unread
from router.rules.match_keys import match_key
from router.rules.value_test import RangeForm
from router.search.waiting_list import NEVER


class NextDue:
    """Of one set of rules."""

    def __init__(self, rules: BoundRuleSet, directory: Directory) -> None:
        self.rules = rules
        self.directory = directory
        self.meeting = lru_cache(maxsize=None)(self._meeting)
        self._changing = lru_cache(maxsize=None)(self._changes_with_time)

    def next_look(self, account: Account, now: datetime) -> tuple[datetime, bool]:
        """When to decide on it again, and whether at each poll as well.

        At each poll where it is due or held (whatever holds it may end), where a clock could not be read, where it is
        late (how late is told), and where a rule of its queue matches by the time of day.
        """
        tried = _looked_at(account)
        late = any(_breach(one, now) <= now for one in tried)
        unread = any(one.unread_clock is not None or isinstance(one.hours, Unread) for one in tried)
        assert account.contact.queue_id is not None, "a waiting contact has a queue"
        by_time = self._changing(account.contact.queue_id) or self._moved_by_time(account)
        each_poll = bool(account.decisions) or late or unread or by_time
        coming = [*self._crossings(account), *(_breach(one, now) for one in tried)]
        if account.next_due_at is not None:
            coming.append(account.next_due_at)
        return min((at for at in coming if at > now), default=NEVER), each_poll

    def _meeting(self, queue_id: QueueId) -> tuple[BoundRule, ...]:
        """The rules that some contact of the queue could match; of any queue that the directory does not list, none."""
        names = (self.directory.queue_name(queue_id) or queue_id, queue_id)
        return tuple(self.rules.rules[position] for position in self.rules.index.meeting(names))

    def _changes_with_time(self, queue_id: QueueId) -> bool:
        return any(_by_time(rule) for rule in self.meeting(queue_id))

    def _moved_by_time(self, account: Account) -> bool:
        """A rule that has moved the wait goes on seeing it in the queue that it moved it from."""
        moved_by = {move.rule for move in account.wait.moves} if account.wait is not None else set()
        places = self.rules.positions
        return any(_by_time(self.rules.rules[places[name]]) for name in moved_by if name in places)

    def _crossings(self, account: Account) -> Iterator[datetime]:
        """When the time that it has waited comes to, or goes beyond, what a rule asks for."""
        contact, enqueued_at = account.contact, account.contact.enqueued_at
        if enqueued_at is None or contact.queue_id is None or not self._changing(contact.queue_id):
            return
        for rule in self.meeting(contact.queue_id):
            for test in rule.conditions:
                if test.key == "waited" and isinstance(test.form, RangeForm):
                    ends = test.form.min, test.form.max
                    yield from (enqueued_at + end for end in ends if isinstance(end, timedelta))


def _by_time(rule: BoundRule) -> bool:
    """Whether it begins or ends to match by itself; a bound condition on hours has their id in its key."""
    timed = rule.rule.from_at is not None or rule.rule.until_at is not None
    return timed or any(match_key(test.key).timed for test in rule.conditions)


def _looked_at(account: Account) -> tuple[TriedRule, ...]:
    found = account.governance
    if found is None:
        return ()
    held_by = (found.held_by,) if found.held_by is not None else ()
    return (*found.acting, *held_by, *found.undecided)


def _breach(tried: TriedRule, now: datetime) -> datetime:
    """When the rule's promise is broken; hours make it later, never earlier."""
    target = tried.rule.rule.sla.target
    if tried.elapsed is None or target is None:
        return NEVER
    return now + (target - tried.elapsed)
