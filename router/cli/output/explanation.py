"""Shows why a contact is, or is not, moved: the steps of the decision, line by line."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from router.cli.output.decisions import as_json as decision_json
from router.cli.output.decisions import kind, late_contact, outcome
from router.cli.output.ladders import destination
from router.cli.output.tables import count, instant, seconds
from router.decide.act import TriedStep
from router.decide.decide import Account
from router.decide.govern import trace
from router.decide.tried_rule import TriedRule
from router.decide.waiting_contact import WaitingContact
from router.durations import format_duration, iso, lateness, span
from router.inspect.preview import Preview
from router.model import Standing
from router.rules.calendar import NEVER
from router.rules.clock import elapsed
from router.rules.condition import ReliedOnValue, Unread
from router.rules.rule import Step
from router.rules.value_test import Value

Lines = Iterator[str]


def rules_tried(account: Account, preview: Preview) -> tuple[TriedRule, ...]:
    """Returns every rule that was tried, in order; none if the contact does not wait."""
    if account.wait is None:
        return ()
    waiting = WaitingContact(account.contact, account.wait, preview.look)
    return tuple(trace(waiting, preview.rules.rules, account.governance))


def lines(account: Account, preview: Preview) -> Lines:
    yield from _contact(account, preview)
    for tried in rules_tried(account, preview):
        yield ""
        yield f"rule {tried.rule.name}: {tried.role.value}   ({tried.rule.rule.place})"
        yield from (f"  {line}" for line in _rule(tried, account, preview))
    yield ""
    yield "decision"
    if not account.decisions:
        yield f"  nothing now{_without_decision(account)}{_next(account.next_due_at, preview.look.now)}"
    for decision in account.decisions:
        step = f", step {decision.step}" if decision.step is not None else ""
        late = f" ({lateness(decision.late)})" if decision.late is not None else ""
        act = f"  {kind(decision)} {outcome(decision, preview.directory)}"
        yield f"{act}   by {decision.rule}{step}, mode {decision.mode}{late}"


def _without_decision(account: Account) -> str:
    """Returns which rule leaves the contact where it is, and how late it is; empty if its rule has steps to come."""
    late, rule = late_contact(account), account.out_of_steps
    if late is not None:
        return f": {late}"
    return f": rule {rule.rule.name} has no step left" if rule is not None else ""


def _contact(account: Account, preview: Preview) -> Lines:
    contact, now = account.contact, preview.look.now
    queue = preview.directory.queue_name(contact.queue_id) or "no queue"
    yield f"contact {contact.id}"
    yield f"  {contact.channel.value}, {account.standing.value.replace('_', ' ')}, in {queue}"
    if contact.disconnected_at is not None:
        yield f"  ended at {instant(contact.disconnected_at)}"
    elif contact.enqueued_at is not None:
        waited = f", waited {span(contact.waited(now))}" if account.standing is Standing.WAITING else ""
        yield f"  entered that queue at {instant(contact.enqueued_at)}{waited}"
    if account.wait is not None:
        wait = account.wait
        yield f"  chain {wait.chain_id}, wait {wait.key.wait_id} since {instant(wait.key.began_at)}"
        yield f"  moved by the router {count(len(wait.moves), 'time')} in this wait"
        yield from _visited(account, preview)
    elif account.standing is Standing.WAITING:
        yield "  the router has moved this wait already; what is shown here has not caught up"


def _visited(account: Account, preview: Preview) -> Lines:
    """Yields the queues to which the contact may not return."""
    assert account.wait is not None, "a waiting contact has a wait"
    visited = WaitingContact(account.contact, account.wait, preview.look).visited
    if isinstance(visited, Unread):
        yield "  which queues it was in before the ledger began has not been read"
    elif visited:
        names = sorted(preview.directory.queue_name(queue) or queue for queue in visited)
        yield f"  has been in {', '.join(names)} in this wait"


def _rule(tried: TriedRule, account: Account, preview: Preview) -> Lines:
    yield from (f"unresolved: {problem}" for problem in tried.rule.unresolved)
    if tried.match is None:
        return
    for seen in tried.match.seen:
        yield f"{seen.truth.value:<6} {seen.test.text}   (is {_value(seen.value)})"
    if tried.started_at is None or tried.elapsed is None:
        return
    yield from _clock(tried, account, preview.look.now)
    for step in account.steps:
        if step.rule == tried.rule.name:
            yield from _destinations(step)


def _clock(tried: TriedRule, account: Account, now: datetime) -> Lines:
    assert tried.started_at is not None and tried.elapsed is not None, "a rule that matched has a clock"
    sla = tried.rule.rule.sla
    if tried.unread_start is not None:
        least = f"it shows {span(tried.elapsed)} at least, and nothing acts by it"
        yield f"clock ({sla.clock}): {tried.unread_start.why}; {least}"
        return
    first = f" with contact {account.wait.chain_id}" if sla.clock == "chain" and account.wait is not None else ""
    yield f"clock ({sla.clock}): started {instant(tried.started_at)}{first}, shows {span(tried.elapsed)}"
    if tried.hours is not None:
        yield _hours(tried, now)
    yield from _pauses(tried, now)
    if sla.target is not None:
        late = lateness(tried.elapsed - sla.target)
        yield f"target {format_duration(sla.target)}: {_breach(tried.at(sla.target), late)}"
    for step in tried.rule.rule.steps:
        at = tried.at(step.at)
        label = step.label if step.label == format_duration(step.at) else f"{step.label} = {format_duration(step.at)}"
        when = instant(at) if at < NEVER else CLOSED
        yield f"step {step.number} at {label}: {when}, {_state(step, tried, at, now)}"


def _hours(tried: TriedRule, now: datetime) -> str:
    """Returns the closed time since the clock started, which does not count."""
    assert tried.started_at is not None and tried.elapsed is not None, "a rule that matched has a clock"
    counted = f'counts "{tried.rule.rule.sla.hours}" only'
    calendar = tried.calendar
    if calendar is None:
        why = tried.hours.why if isinstance(tried.hours, Unread) else ""
        return f"{counted} ({why}): it shows that much at most"
    passed = max(now - tried.started_at, timedelta())
    closed = passed - elapsed(tried.started_at, now, calendar)
    opens = calendar.after(now, timedelta())
    again = f"open again at {instant(opens)}" if now < opens < NEVER else "and they do not open again"
    state = "open now" if calendar.is_open(now) else f"closed now, {again}"
    return f"{counted}: {span(passed)} have passed, {span(closed)} of them closed; {state}"


def _pauses(tried: TriedRule, now: datetime) -> Lines:
    """Yields the time for which the contact was paused, which does not count."""
    if tried.unread_pauses is not None:
        yield f"{tried.unread_pauses.why}: it shows that much at most, and nothing acts by it"
    elif tried.pauses:
        yield f"paused for {span(_paused(tried, now))} of that, which does not count"


def _paused(tried: TriedRule, now: datetime) -> timedelta:
    """Returns the paused time within the hours that the clock counts."""
    assert tried.started_at is not None and tried.elapsed is not None, "a rule that matched has a clock"
    return elapsed(tried.started_at, now, tried.calendar) - tried.elapsed


CLOSED = "the hours do not open for so long"


def _breach(at: datetime, late: str) -> str:
    return f"breach at {instant(at)}, {late}" if at < NEVER else f"no breach, because {CLOSED}; {late} on its clock"


def _state(step: Step, tried: TriedRule, at: datetime, now: datetime) -> str:
    """Returns whether the step is over or due, for each kind of act."""
    assert tried.progress is not None and tried.elapsed is not None, "a rule that matched has a clock"
    done = {"to": tried.progress.to, "warn": tried.progress.warn, "routing": tried.progress.routing}
    kinds = [name for name, given in (("to", step.to), ("warn", step.warn), ("routing", step.routing)) if given]
    if all(_over(step.at, done[name]) for name in kinds):
        return "over"
    if at >= NEVER:
        return "not due"
    if at > now:
        return f"in {span(at - now)}"
    over = [name for name in kinds if _over(step.at, done[name])]
    return f"due since {span(now - at)}" + (f" ({', '.join(over)} over)" if over else "")


def _over(at: timedelta, progress: timedelta | None) -> bool:
    return progress is not None and at <= progress


def _destinations(step: TriedStep) -> Lines:
    yield f"destinations of step {step.step.step.number} (pick {step.step.step.pick.value})"
    for weighed in step.weighed:
        chosen = "   <- chosen" if weighed is step.chosen else ""
        why = weighed.why if weighed.eligible else f"not eligible: {weighed.why}"
        yield f"  {destination(weighed.entry.entry)}: {why}{chosen}"


def _next(at: datetime | None, now: datetime) -> str:
    return "" if at is None else f"; next due at {instant(at)}, in {span(at - now)}"


def _value(value: Value | Unread | None) -> str:
    match value:
        case None:
            return "absent"
        case Unread(why=why):
            return f"not read: {why}"
        case timedelta():
            return span(value)
        case tuple():
            return value[0]  # the queue's name; its id follows
        case _:
            return str(value)


def as_json(account: Account, preview: Preview) -> dict[str, Any]:
    contact, wait, now = account.contact, account.wait, preview.look.now
    return {
        "contact_id": contact.id,
        "channel": contact.channel.value,
        "standing": account.standing.value,
        "queue": preview.directory.queue_name(contact.queue_id),
        "enqueued_at": iso(contact.enqueued_at),
        "waited_s": seconds(contact.waited(now)),
        "chain_id": wait.chain_id if wait else contact.chain_id,
        "wait_id": wait.key.wait_id if wait else None,
        "moves": len(wait.moves) if wait else None,
        "rules": [_rule_json(tried, account, now) for tried in rules_tried(account, preview)],
        "decisions": [decision_json(decision, preview.directory, now) for decision in account.decisions],
        "next_due_at": iso(account.next_due_at),
    }


def _rule_json(tried: TriedRule, account: Account, now: datetime) -> dict[str, Any]:
    return {
        "rule": tried.rule.name,
        "file": str(tried.rule.rule.place),
        "role": tried.role.value,
        "mode": tried.mode.value,
        "unresolved": [str(problem) for problem in tried.rule.unresolved],
        "conditions": [_seen_json(seen) for seen in (tried.match.seen if tried.match else ())],
        "clock": tried.rule.rule.sla.clock,
        "clock_started_at": iso(tried.started_at) if tried.unread_start is None else None,
        "clock_s": seconds(tried.elapsed),
        "clock_read": tried.unread_clock is None if tried.started_at is not None else None,
        "paused_s": seconds(_paused(tried, now)) if tried.started_at is not None else None,
        "hours": tried.rule.rule.sla.hours,
        "hours_read": tried.calendar is not None if tried.hours is not None else None,
        "target_s": seconds(tried.rule.rule.sla.target),
        "steps": [_step_json(step, tried) for step in tried.rule.rule.steps],
        "destinations": [
            {
                "step": step.step.step.number,
                "destination": destination(weighed.entry.entry),
                "eligible": weighed.eligible,
                "why": weighed.why,
                "chosen": weighed is step.chosen,
            }
            for step in account.steps
            if step.rule == tried.rule.name
            for weighed in step.weighed
        ],
        "next_due_at": iso(tried.next_due_at),
    }


def _step_json(step: Step, tried: TriedRule) -> dict[str, Any]:
    due_at = tried.at(step.at) if tried.started_at is not None and tried.unread_clock is None else None
    due_at = due_at if due_at is not None and due_at < NEVER else None
    return {"step": step.number, "label": step.label, "at_s": seconds(step.at), "due_at": iso(due_at)}


def _seen_json(seen: ReliedOnValue) -> dict[str, Any]:
    return {"condition": seen.test.text, "truth": seen.truth.value, "value": _value(seen.value)}
