"""Shows a decision as ``plan`` does, with names instead of ids if a name exists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from router.cli.output.fitting_table import Column
from router.cli.output.tables import bar, percent, pressure, seconds, text
from router.decide.decide import Account, Decided
from router.decide.decision import Decision, Hold, RoutingUpdate, Transfer, Warn
from router.durations import iso, lateness, span
from router.model import Contact, ContactId, Directory, WaitKey
from router.rules.rule import Mode
from router.telemetry.breaches import most_late, why_late

COLUMNS = (
    Column("contact", ids=True),
    Column("channel", least=None, drop=9),
    Column("queue", least=9, drop=2),
    Column("waited", right=True, least=None, drop=7),
    Column("promise", right=True, least=None, drop=5),
    Column("used", right=True, least=None, drop=4),
    Column("", least=None, drop=8, on_screen=True),
    Column("late", least=None, drop=3),
    Column("rule", least=11, drop=1),
    Column("step", right=True, least=None, drop=6),
    Column("decision", least=None),
    Column("", least=23),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LateContact:
    """Describes a contact whose promise is broken although nothing is to be done to it now.

    ``rule`` made the promise. ``governed_by`` looks after the contact, ``None``: no rule does.
    """

    contact: Contact
    wait: WaitKey
    chain_id: ContactId
    rule: str
    mode: Mode
    late: timedelta
    reason: str
    governed_by: str | None
    step: None = None
    due_at: None = None

    def __str__(self) -> str:
        broken = f"{lateness(self.late)}, promise of rule {self.rule}: {self.reason.replace('_', ' ')}"
        return broken if self.governed_by in (self.rule, None) else f"{broken}; rule {self.governed_by} governs"


Shown = Decision | LateContact
"""What ``plan`` shows of a contact."""


def late_contact(account: Account) -> LateContact | None:
    """Returns the contact if it is late without a decision."""
    broken = most_late(account) if not account.decisions else None
    if broken is None or account.wait is None or account.governance is None:
        return None
    tried, late = broken
    governs = account.governance.governing or account.out_of_steps
    return LateContact(
        contact=account.contact,
        wait=account.wait.key,
        chain_id=account.wait.chain_id,
        rule=tried.rule.name,
        mode=tried.mode,
        late=late,
        reason=why_late(tried),
        governed_by=governs.rule.name if governs is not None else None,
    )


def late_contacts(decided: Decided) -> Iterator[LateContact]:
    """Yields the contacts that are late without a decision, the one first whose promise is broken most."""
    found = [one for account in decided.accounts.values() if (one := late_contact(account)) is not None]
    yield from sorted(found, key=lambda one: -one.late)


def kind(decision: Shown) -> str:
    match decision:
        case Transfer():
            return "transfer"
        case RoutingUpdate():
            return "routing"
        case Warn():
            return "warn"
        case Hold():
            return "hold"
        case LateContact():
            return "none"


def as_json(decision: Shown, directory: Directory, now: datetime) -> dict[str, Any]:
    contact = decision.contact
    target = decision.target if isinstance(decision, Transfer) else None
    return {
        "contact_id": contact.id,
        "chain_id": decision.chain_id,
        "wait_id": decision.wait.wait_id,
        "channel": contact.channel.value,
        "queue": directory.queue_name(contact.queue_id),
        "waited_s": seconds(contact.waited(now)),
        "rule": decision.rule,
        "step": decision.step,
        "mode": decision.mode.value,
        "decision": kind(decision),
        "reason": str(decision.reason) if isinstance(decision, Hold | LateContact) else None,
        "to_queue": directory.queue_name(target.queue_id) if target else None,
        "to_agent": directory.agent_name(target.agent_id) if target else None,
        "flow": directory.flow_name(target.flow_id) if target else None,
        "due_at": iso(decision.due_at),
    }


def as_row(decision: Shown, account: Account, directory: Directory, now: datetime) -> tuple[object, ...]:
    contact = decision.contact
    promise = account.promise(decision.rule)
    used = promise.used if promise is not None else None
    observed = decision.mode.value != "enforce" and not isinstance(decision, LateContact)
    return (
        contact.id,
        contact.channel.value,
        directory.queue_name(contact.queue_id),
        span(contact.waited(now)),
        span(promise.target) if promise is not None else "",
        percent(used),
        bar(used),
        text(lateness(decision.late), pressure(used)),
        decision.rule,
        decision.step,
        f"{kind(decision)} ({decision.mode})" if observed else kind(decision),
        outcome(decision, directory),
    )


def outcome(decision: Shown, directory: Directory) -> str:
    """Returns the destination, another act, or the reason of a hold."""
    match decision:
        case Transfer(target=target) if target.queue_id is not None:
            return f"-> {directory.queue_name(target.queue_id)}, by flow {directory.flow_name(target.flow_id)}"
        case Transfer(target=target):
            return f"-> agent {directory.agent_name(target.agent_id)}, by flow {directory.flow_name(target.flow_id)}"
        case Hold(reason=reason, detail=detail):
            return f"{reason}: {detail}" if detail else reason.value
        case LateContact(reason=reason):
            return reason.replace("_", " ")
        case Warn(text=words):
            return words
        case RoutingUpdate(routing=routing):
            return f"priority {routing.priority}" if routing.age is None else f"routing age {span(routing.age)}"
