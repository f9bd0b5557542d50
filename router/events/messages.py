"""Holds the table of all events, with the sentence that each puts into its field ``message``.

The demo shows the same text. An event that brings words of its own in ``message`` has them at ``{message}``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from string import Formatter
from typing import Any

from structlog.typing import EventDict, WrappedLogger

from router.durations import lateness, span

OWN = "{message}"
FAULT = ": {problem}{own}"

MESSAGES: Mapping[str, str] = {
    "service.starting": "starting for instance {instance}, mode {mode}",
    "service.warned": OWN,
    "service.failed": OWN,
    "service.started": "started for instance {instance} at {endpoint}, mode {mode}",
    "service.ready": "ready with {rules:rule}, revision {revision}",
    "service.turned": "the mode is {mode} now",
    "service.stopping": "stopping",
    "service.abandoned": "ended with {open_calls:call} still open; the next run settles what is open",
    "service.stopped": "stopped",
    "reload.failed": OWN,
    "control.unusable": "no command can reach the service: {message}",
    "control.failed": "a bug in the command {command}" + FAULT,
    "control.retried": "{who} allowed new attempts for {contacts:contact}",
    "pause.set": "{who} paused {what} {name} until {until}: {comment}",
    "pause.cleared": "the pause of {what} {name} is over, ended by {who}",
    "rules.loaded": "{count:rule} loaded, revision {revision}",
    "rules.rejected": "the rules were refused, and the old ones stay in force: {first_error}",
    "rules.last_good": "the last good rules are in force, revision {revision}: {first_error}",
    "rules.not_kept": "the rules in force could not be stored: {message}",
    "rules.watch_degraded": "the rule files are checked twice a second: {message}",
    "rules.unresolved": OWN,
    "directory.changed": "rule {rule}: {message}",
    "directory.missing": "Connect refuses the {kind} {name_or_id}",
    "cycle.finished": "cycle {cycle}: {waiting} waiting, {transferred} moved",
    "cycle.late": "cycle {cycle} took {seconds} s, and a poll is due every {every_s} s",
    "cycle.failed": "a bug ended cycle {cycle}" + FAULT,
    "follow.failed": "a bug in following moved contacts" + FAULT,
    "search.degraded": "the search is not complete" + FAULT,
    "guard.reached": "{guard} holds back {waiting:contact}, {transferred} moved",
    "flow.suspended": "flow {flow} is suspended: it moved {limit:contact} that did not land",
    "flow.resumed": "{who} resumed flow {flow}",
    "quotas.read": "{read:quota} of this account read",
    "quotas.unread": "AWS's default quotas apply: {message}",
    "api.throttled": "{operation} was throttled: at most {rate} a second from now on",
    "api.failing": "{operation} fails" + FAULT,
    "api.recovered": "{operation} works again after {after}",
    "api.denied": "{operation} was denied" + FAULT,
    "clock.skew": "the local clock is {skew_s} s from Connect's",
    "lease.acquired": "this router works now, turn {term}",
    "lease.lost": "this router is a standby router now, turn {term} is over",
    "lease.failed": "a bug in the renewal of the lease" + FAULT,
    "lease.check_failed": "a bug in the standby router's check" + FAULT,
    "ledger.created": "a new ledger was created: {url}",
    "ledger.exposed": OWN,
    "ledger.failed": "the ledger cannot be read or written: {message}",
    "journal.failed": "the journal cannot be written, which stops nothing else: {message}",
    "journal.recovered": "the journal is written again, {lost} records lost since the start",
    "journal.broken": "a bug in the journal, which stops nothing else" + FAULT,
    "notify.failed": "a message could not be published on the SNS topic" + FAULT,
    "notify.recovered": "SNS accepts messages again, {sent} sent since the start",
    "notify.held_back": "the hour has no room for more messages, {waiting} wait",
    "events.silent": "no contact event for {silent_s} s although contacts come and go",
    "events.returned": "contact events arrive again",
    "events.failed": "the queue of contact events cannot be used" + FAULT,
    "events.recovered": "the queue of contact events works again",
    "log.lost": "lost {lines:line} of the log",
    "library.message": OWN,
    "contact.transferred": "{from_queue} -> {to}, {lateness}, {by}",
    "contact.would_transfer": "would move {from_queue} -> {to}, {lateness}, {by}",
    "contact.reprioritized": "in {queue}: {place}, {lateness}, {by}",
    "contact.would_reprioritize": "in {queue}: would get {place}, {lateness}, {by}",
    "contact.place_kept": "given its place back: {place}, {by}",
    "contact.place_lost": "its place could not be given back, {by}" + FAULT,
    "contact.warned": "{warning}, {lateness}, {by}",
    "contact.skipped": "skipped step {listed_steps}, {by}",
    "contact.held": "held in {queue}: {reason}{more}, {lateness}, {by}",
    "contact.breached": "promise broken in {queue}: {reason}{more}, {lateness}, {by}",
    "contact.failed": "the {act} failed, {by}" + FAULT,
    "contact.broken": "a bug at this contact, {by}" + FAULT,
    "contact.landed": "{landed} after {after}, {by}",
    "contact.stray": "moved to {to} and not seen for {after}, {by}, flow {flow}",
    "contact.stranded": "waits {after} for {to}, who takes no contact, {by}",
    "contact.taken_from_agent": "moved although an agent had just accepted it, {by}",
    "contact.recovered": "the {act} without a clear response is settled: {outcome}, {by}",
}

_EMPTY = re.compile(r"(, )+(?=, |: |$)|, (?=\Z)")


def message_of(event: Mapping[str, Any]) -> str:
    """Returns the sentence of an event: for a contact its channel and the beginning of its id, then what happened."""
    template = MESSAGES.get(event["event"])
    if template is None:
        return str(event.get("message") or event["event"])
    sentence = _EMPTY.sub("", _Counting().vformat(template, (), _Words(event)))
    return f"{_about(event)}: {sentence}" if event["event"].startswith("contact.") else sentence


def add_message(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Puts the sentence into ``message``: a processor of ``logs.configure``."""
    return {**event, "message": message_of(event)}


def _about(event: Mapping[str, Any]) -> str:
    return f"{event.get('channel') or ''} {str(event.get('contact_id'))[:8]}".strip()


class _Counting(Formatter):
    """Writes a number with the noun that is its format: ``{rules:rule}`` gives ``1 rule`` or ``2 rules``."""

    def format_field(self, value: object, noun: str) -> str:
        return f"{value} {noun}{'' if value == 1 else 's'}" if noun else str(value)


class _Words(dict[str, Any]):
    """Returns the value of a placeholder: words made of several fields, else a field, else nothing."""

    def __missing__(self, name: str) -> object:
        return ""

    def __init__(self, event: Mapping[str, Any]) -> None:
        late, after, errors = event.get("late_s"), event.get("after_s"), event.get("errors") or [""]
        more_errors = f", and {len(errors) - 1} more" if len(errors) > 1 else ""
        super().__init__(
            {key: value for key, value in event.items() if value is not None},
            act="routing update" if event.get("kind") == "routing" else "move",
            after="" if after is None else span(timedelta(seconds=after)),
            by=_by(event),
            first_error=f"{errors[0]}{more_errors}",
            landed=_landed(event),
            lateness="" if late is None or _is_said(late, event) else lateness(timedelta(seconds=late)),
            listed_steps=", ".join(map(str, event.get("steps", ()))),
            more=f" ({event['detail']})" if event.get("detail") else "",
            name_or_id=event.get("name") or event.get("id"),
            operation=event.get("operation") or "reading the instance",
            own=f": {event['message']}" if event.get("message") else "",
            place=_place(event),
            problem=event.get("error") or event.get("exception"),
            warning=_warning(event),
            to=event.get("to_queue") or f"agent {event.get('to_agent')}",
        )


def _by(event: Mapping[str, Any]) -> str:
    if not event.get("rule"):
        return ""
    return f"rule {event['rule']} step {event['step']}" if event.get("step") else f"rule {event['rule']}"


def _warning(event: Mapping[str, Any]) -> str:
    """Returns the text of a warning, after the queue unless the text names it."""
    text, queue = str(event.get("text") or ""), str(event.get("queue") or "")
    return text if queue in text else f"in {queue}: {text}"


def _is_said(late: float, event: Mapping[str, Any]) -> bool:
    """Returns whether the text of a warning already states how late the contact is."""
    said = re.escape(span(abs(timedelta(seconds=late))))
    return re.search(rf"(?<!\w){said}(?!\w)", str(event.get("text") or "")) is not None


def _place(event: Mapping[str, Any]) -> str:
    if event.get("changed") is False:
        return "its place is as good already"
    if event.get("age_s") is None:
        return f"priority {event.get('priority')}"
    return f"{span(timedelta(seconds=event['age_s']))} of routing age"


def _landed(event: Mapping[str, Any]) -> str:
    match event.get("landing"):
        case "at_agent":
            return f"waits for agent {event.get('agent')}"
        case "answered":
            return "answered by an agent"
        case "queued" | "diverted" as landing:
            return f"{landing} in {event.get('queue')}"
        case landing:
            return str(landing)
