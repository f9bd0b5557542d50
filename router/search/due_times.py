"""Finds when to decide on a contact again: the instant at which a decision can change by time alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache, partial

from router.decide.decide import Account
from router.decide.decision import Hold
from router.decide.tried_rule import TriedRule
from router.model import Contact, Directory, HoldReason, QueueId
from router.rules.bound import BoundRule, BoundRuleSet
from router.rules.condition import Unread
from router.rules.match_keys import match_key
from router.rules.value_test import RangeForm
from router.search.metrics_gate import Earliest
from router.search.waiting_list import NEVER

NOT_IN_EVENTS = frozenset({"name", "subtype", "segment_attributes"})
"""Keys of ``match`` that a search shows and a contact event does not."""


class NextDue:
    """Knows when contacts are due for the next decision under one set of rules.

    Its caches do not refer to it: replaced rules and directories would wait for the garbage collector.
    """

    def __init__(self, rules: BoundRuleSet, directory: Directory) -> None:
        self.rules = rules
        self.directory = directory
        self._rules_of_queue = rules_of_queue = lru_cache(maxsize=None)(partial(_rules_of_queue, rules, directory))
        self.earliest = lru_cache(maxsize=None)(lambda queue_id: Earliest.of(rules_of_queue(queue_id)))
        self._reads_rows = lru_cache(maxsize=None)(lambda queue_id: any(map(_reads_row, rules_of_queue(queue_id))))
        self._any_reads_row = any(map(_reads_row, rules.rules))
        self._changes_by_time = lru_cache(maxsize=None)(lambda queue_id: any(map(_is_timed, rules_of_queue(queue_id))))

    def needs_row(self, contact: Contact) -> bool:
        """Returns whether rules need more of the contact than an event shows. A contact that came from another one may
        match rules of other queues."""
        if contact.previous_id is not None:
            return self._any_reads_row
        return contact.queue_id is not None and self._reads_rows(contact.queue_id)

    def next_decision(self, account: Account, now: datetime) -> tuple[datetime, bool]:
        """Returns when to decide on the contact again, and whether to decide on it at each poll as well.

        Each poll decides on a contact that is due or held, because any hold may end, and on one whose clock could not
        be read. It also decides on a late contact, because its lateness is reported, and on one whose queue has a rule
        that matches by the time of day.
        """
        tried = _tried_rules(account)
        late = any(_breach(one, now) <= now for one in tried)
        assert account.contact.queue_id is not None, "a waiting contact has a queue"
        by_time = self._changes_by_time(account.contact.queue_id) or self._moved_by_timed_rule(account)
        each_poll = bool(account.decisions) or late or is_unread(account) or by_time
        if any(isinstance(one, Hold) and one.reason is HoldReason.CONTACT_PAUSED for one in account.decisions):
            return NEVER, True  # its next step is due so much later as the pause lasts: polls look whether it has ended
        coming = [*self._crossings(account), *(_breach(one, now) for one in tried)]
        if account.next_due_at is not None:
            coming.append(account.next_due_at)
        return min((at for at in coming if at > now), default=NEVER), each_poll

    def _moved_by_timed_rule(self, account: Account) -> bool:
        """Returns whether a timed rule has moved the wait: it still matches the queue that it moved the wait from."""
        moved_by = {move.rule for move in account.wait.moves} if account.wait is not None else set()
        places = self.rules.positions
        return any(_is_timed(self.rules.rules[places[name]]) for name in moved_by if name in places)

    def _crossings(self, account: Account) -> Iterator[datetime]:
        """Yields when the contact's waiting time reaches a limit of a ``waited`` condition."""
        contact, enqueued_at = account.contact, account.contact.enqueued_at
        if enqueued_at is None or contact.queue_id is None or not self._changes_by_time(contact.queue_id):
            return
        for rule in self._rules_of_queue(contact.queue_id):
            for test in rule.conditions:
                if test.key == "waited" and isinstance(test.form, RangeForm):
                    ends = test.form.min, test.form.max
                    yield from (enqueued_at + end for end in ends if isinstance(end, timedelta))


def _rules_of_queue(rules: BoundRuleSet, directory: Directory, queue_id: QueueId) -> tuple[BoundRule, ...]:
    """Returns the rules that a contact of the queue could match; none if the directory does not list the queue."""
    names = (directory.queue_name(queue_id) or queue_id, queue_id)
    return tuple(rules.rules[position] for position in rules.index.meeting(names))


def _reads_row(rule: BoundRule) -> bool:
    return any(test.key.partition(".")[0] in NOT_IN_EVENTS for test in rule.conditions)


def _is_timed(rule: BoundRule) -> bool:
    """Returns whether the rule begins or ends to match by time alone. A bound condition on hours of operation has
    their id in its key."""
    timed = rule.rule.from_at is not None or rule.rule.until_at is not None
    return timed or any(match_key(test.key).timed for test in rule.conditions)


def is_unread(account: Account) -> bool:
    """Returns whether a value is missing that the decision, or when it is due, depends on."""
    held = any(isinstance(one, Hold) and one.reason is HoldReason.UNREADABLE for one in account.decisions)
    return held or any(one.unread_clock is not None or isinstance(one.hours, Unread) for one in _tried_rules(account))


def _tried_rules(account: Account) -> tuple[TriedRule, ...]:
    found = account.governance
    if found is None:
        return ()
    held_by = (found.held_by,) if found.held_by is not None else ()
    return (*found.acting, *held_by, *found.undecided)


def _breach(tried: TriedRule, now: datetime) -> datetime:
    """Returns when the wait breaches the rule's target at the earliest; closed hours only make it later."""
    target = tried.rule.rule.sla.target
    if tried.elapsed is None or target is None:
        return NEVER
    return now + (target - tried.elapsed)
