"""The order of work: most overdue first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from router.decide.govern import Governance, Tried
from router.model import Contact
from router.rules.rule import Step

LAST = datetime.max.replace(tzinfo=UTC)


def urgency(tried: Tried, step: Step) -> float:
    """Clock time over the rule's target, else over the step's own time; a step at zero is as urgent as can be."""
    assert tried.elapsed is not None
    scale = tried.rule.rule.sla.target or step.at
    return tried.elapsed / scale if scale > timedelta() else float("inf")


def urgency_of(contact: Contact, governance: Governance) -> tuple[float, datetime, str]:
    """A key that sorts the most overdue contact first; ties by age (the older first), then by id."""
    tried = governance.governing
    due = tried.due.to if tried is not None and tried.due is not None else ()
    score = urgency(tried, due[0]) if tried is not None and due else 0.0
    began = contact.scheduled_at or contact.initiated_at or contact.enqueued_at or LAST
    return (-score, began, contact.id)
