"""Makes the records of a journal: what has changed since the last record, and rounds in which something was news."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import Any

from router.decide.decide import Account, Decided
from router.decide.snapshot import ReadValues, Snapshot
from router.execute.result import Outcome, Result
from router.history.codec import encode
from router.history.disclosure import Disclosure
from router.history.world import DecisionRecord, Leaving, hours_of
from router.ledger.rows import MICROSECOND, micros
from router.model import Action, ActionKind, Channel, Contact, ContactId, HoldReason, QueueId, QueueMetrics
from router.rules.bound import BoundRuleSet
from router.rules.calendar import Calendar
from router.rules.rule import RuleSet

VERSION = 1
"""Of the records. A reader refuses a later one, and leaves out members that it does not know."""
SAME_OLDEST = timedelta(seconds=5)
"""How far the instant that an age points back to may differ before the metrics count as changed."""
LEFT_BY: Mapping[HoldReason, Leaving] = {
    HoldReason.PICKED_UP: Leaving.ANSWERED,
    HoldReason.DISCONNECTED: Leaving.ENDED,
}

Write = Callable[[dict[str, Any]], object]


@dataclass(kw_only=True)
class JournalEncoder:
    """Turns what the service reports into records, and gives them to ``write``.

    It remembers what the file has already, contacts only as long as they wait. ``origin`` are the members of the first
    record of a file that do not change.
    """

    write: Write
    disclosure: Disclosure
    origin: Mapping[str, Any]
    _written: dict[tuple[str, str], object] = field(default_factory=dict)
    _waiting: dict[ContactId, Contact] = field(default_factory=dict)
    _decided: dict[ContactId, tuple[DecisionRecord, ...]] = field(default_factory=dict)
    _left_by: dict[ContactId, Leaving] = field(default_factory=dict)
    _recent: dict[str, Action] = field(default_factory=dict)
    _others: object = None
    _rules: RuleSet | None = None

    def begin(self, at: datetime, *, why: str, lost: int = 0) -> None:
        """Begins a file, which gets all that is still in force. ``lost`` is how many records were lost before it."""
        self.disclosure.prepare()
        self._written.clear()
        self._recent = {}
        self._others = None
        more = {"lost": lost} if lost else {}
        self.write({"k": "begin", "v": VERSION, "at": micros(at), "why": why, **self.origin, **more})
        for contact in self._waiting.values():
            self._put_contact(contact)

    def record_round(self, look: Snapshot, decided: Decided, rules: BoundRuleSet, ruleset: RuleSet) -> None:
        """Records one look and its decisions, if one of them is news. Contacts that are held as before are counted with
        the others that wait, which makes no difference to the decisions."""
        fresh = {one.id for one in look.contacts if self._is_news(one, decided.accounts[one.id])}
        if not fresh:
            return
        kept = [one for one in look.contacts if one.id in fresh or _counts_apart(one, look, decided)]
        folded = [one for one in look.contacts if one.id not in fresh and not _counts_apart(one, look, decided)]
        self._put_rules(rules, ruleset)
        for name in ("directory", "limits", "blocks"):
            self._put(name, "", getattr(look, name))
        self._put("paused", "", look.paused, lambda: self.disclosure.pauses(look.paused))
        self._put_last_targets(look)
        for contact in kept:
            self._put_contact(contact)
        ids = {one.id: None for one in kept}
        record = {"k": "round", "at": micros(look.now), "n": look.cycle, "mode": look.mode.value, "rev": rules.revision}
        record |= {"c": [self.disclosure.id(one) for one in ids], "h": self._histories(look, ids)}
        record |= {"d": [self._row(DecisionRecord.of(one)) for one in decided.decisions if one.contact.id in ids]}
        record |= {**self._read(look, frozenset(ids)), **self._moves(look), **self._those_left_out(look, folded)}
        self.write({name: value for name, value in record.items() if value not in ({}, [], None)})

    def record_results(self, results: Iterable[Result], at: datetime) -> None:
        """Records what came of decisions."""
        for result in results:
            decision = result.decision
            if result.outcome is Outcome.DONE and DecisionRecord.of(decision).kind == "transfer":
                self._left_by[decision.contact.id] = Leaving.MOVED
            elif result.reason is not None and result.reason in LEFT_BY:
                self._left_by[decision.contact.id] = LEFT_BY[result.reason]
            row = self._row(DecisionRecord.of(decision))
            reason = {} if result.reason is None else {"r": result.reason.value}
            self.write({"k": "result", "at": micros(at), "d": row, "o": result.outcome.value, **reason})

    def record_metrics(self, rows: Mapping[tuple[QueueId, Channel], QueueMetrics], at: datetime) -> None:
        """Records the rows that differ from those before by more than the time that has passed."""
        changed = {}
        for (queue_id, channel), row in rows.items():
            age = row.oldest_contact_age
            state = replace(row, oldest_contact_age=None), None if age is None else (at - age)
            key = ("metrics", f"{queue_id} {channel}")
            known = self._written.get(key)
            if not (isinstance(known, tuple) and known[0] == state[0] and _is_near(known[1], state[1])):
                self._written[key] = state
                changed[queue_id, channel] = row
        if changed:
            self.write({"k": "metrics", "at": micros(at), "rows": encode(changed)})

    def record_cycle(self, contacts: Collection[Contact], at: datetime, number: int) -> None:
        """Records which contacts are new, and which no longer wait."""
        waiting = {one.id: one for one in contacts}
        gone = [one for one in self._waiting if one not in waiting]
        for contact in contacts:
            self._put_contact(contact)
        record = {"k": "cycle", "at": micros(at), "n": number, "w": len(waiting)}
        if gone:
            record["gone"] = [[self.disclosure.id(one), self._leaving(one).value] for one in gone]
        self.write(record)
        for one in gone:
            for state in (self._waiting, self._decided, self._left_by):
                state.pop(one, None)
            self._written.pop(("contact", one), None)
        self._left_by = {one: how for one, how in self._left_by.items() if one in waiting}

    def _leaving(self, contact_id: ContactId) -> Leaving:
        return self._left_by.get(contact_id, Leaving.UNKNOWN)

    def _is_news(self, contact: Contact, account: Account) -> bool:
        """Returns whether a decision is another than before: an act always is, because it was not made before."""
        records = tuple(map(DecisionRecord.of, account.decisions))
        news = self._decided.get(contact.id) != records or any(one.acts for one in records)
        news = news or self._waiting.get(contact.id) != contact
        self._decided[contact.id] = records
        return news

    def _put(self, section: str, key: str, value: object, shown: Callable[[], object] | None = None) -> bool:
        """Writes a value unless the file has it; ``shown`` makes what may be written of it."""
        known = self._written.get((section, key))
        if known is value or known == value:
            return False
        self._written[section, key] = value
        encoded = encode(value if shown is None else shown())
        self.write({"k": "set", "s": section, "i": key, "v": encoded})
        return True

    def _put_contact(self, contact: Contact) -> None:
        self._waiting[contact.id] = contact
        known = self._written.get(("contact", contact.id))
        if known is contact or known == contact:
            return
        self._written["contact", contact.id] = contact
        shown = self.disclosure.contact(contact)
        self.write({"k": "set", "s": "contact", "i": shown.id, "v": encode(shown)})

    def _put_rules(self, rules: BoundRuleSet, ruleset: RuleSet) -> None:
        """Writes the rules in force; a look that began before a reload has those before it."""
        if ruleset.revision == rules.revision:
            self._rules = ruleset
        held = self._rules
        if held is None or held.revision != rules.revision or ("rules", held.revision) in self._written:
            return
        keys = self.disclosure.take_up(rules.rules)
        files = [[PurePath(name).name, data.decode("utf-8", "surrogateescape")] for name, data in held.sources]
        self._put("rules", held.revision, held.revision, lambda: {"files": files, "keys": sorted(keys)})

    def _put_last_targets(self, look: Snapshot) -> None:
        for (rule, at), target in look.moves.last_targets.items():
            self._put("last", f"{at // MICROSECOND} {rule}", target)

    def _histories(self, look: Snapshot, ids: Iterable[ContactId]) -> dict[str, list[str]]:
        found = {one: look.moves.histories[one] for one in ids if look.moves.histories.get(one)}
        return {self.disclosure.id(one): [self._put_action(act) for act in acts] for one, acts in found.items()}

    def _put_action(self, action: Action) -> str:
        key = f"{'o' if action.observed else ''}{action.id}"
        self._put("action", key, action, lambda: self.disclosure.action(action))
        return key

    def _moves(self, look: Snapshot) -> dict[str, Any]:
        """Returns what has changed in the recent moves, and the other counts of the router's own work."""
        moves = look.moves
        recent = {f"{action.id}": action for action in moves.recent}
        added = [self._put_action(action) for key, action in recent.items() if self._recent.get(key) != action]
        removed = [key for key in self._recent if key not in recent]
        for key in removed:
            self._written.pop(("action", key), None)
        self._recent = recent
        return {
            "recent": added,
            "past": removed,
            "sent": encode(moves.sent_to_queues),
            "at_agents": encode(moves.sent_to_agents),
            "busy": [self.disclosure.id(one) for one in moves.in_progress],
            "since": encode(moves.ledger_began_at),
        }

    def _those_left_out(self, look: Snapshot, folded: Iterable[Contact]) -> dict[str, Any]:
        unseen, occupied = Counter(look.unseen), set(look.occupied_by_others)
        for contact in folded:
            if contact.queue_id is not None and contact.enqueued_at is not None:
                unseen[contact.queue_id] += 1
                occupied.add((contact.queue_id, contact.channel))
        others = unseen, occupied
        if self._others == others:
            return {}
        self._others = others
        return {"others": [encode(unseen), sorted([queue_id, channel.value] for queue_id, channel in occupied)]}

    def _read(self, look: Snapshot, ids: frozenset[ContactId]) -> dict[str, Any]:
        """Returns the values that were read for these contacts, and for the destinations of all."""
        shown, read, opened, unread = self.disclosure, look.read, [], {}
        for hours_id, times in read.hours.items():
            if isinstance(times, Calendar):
                self._put("hours", hours_id, times, lambda times=times: hours_of(times))  # type: ignore[misc]
                opened.append(hours_id)
            else:
                unread[hours_id] = encode(times)
        if read.routing_profiles is not None:
            self._put("profiles", "", read.routing_profiles)

        def of_contacts(values: Mapping[ContactId, Any], show: Callable[[Any], Any]) -> dict[ContactId, Any]:
            return {shown.id(one): show(value) for one, value in values.items() if one in ids}

        values = ReadValues(
            transfers=of_contacts(read.transfers, lambda value: value),
            details=of_contacts(read.details, self._shown),
            origins=of_contacts(read.origins, lambda value: value),
            pauses=of_contacts(read.pauses, self._shown),
            pasts=of_contacts(read.pasts, self._shown),
            metrics=read.metrics,
        )
        profiles = read.routing_profiles is not None
        return {"read": encode(values), "open": opened, "closed": unread, "profiles": profiles or None}

    def _shown(self, value: Any) -> Any:
        """Returns details, or the contacts of a past, as far as they may be written; ``Unread`` stays as it is."""
        if isinstance(value, tuple):
            return tuple(self.disclosure.contact(one) for one in value)
        return self.disclosure.details(value) if hasattr(value, "attributes") else value

    def _row(self, record: DecisionRecord) -> list[Any]:
        shown = self.disclosure.id(record.contact_id)
        return [record.kind, shown, record.rule, record.step, record.to, record.reason]


def _counts_apart(contact: Contact, look: Snapshot, decided: Decided) -> bool:
    """Returns whether the decisions on others depend on more of a contact than that it waits: it is no longer there, or
    its chain was moved out of the queue, or would have been."""
    acts = look.moves.histories.get(contact.id, ())
    if acts and decided.accounts[contact.id].wait is None:
        return True
    return any(act.kind is ActionKind.TRANSFER and (act.observed or act.queue_id == contact.queue_id) for act in acts)


def _is_near(one: object, other: object) -> bool:
    if isinstance(one, datetime) and isinstance(other, datetime):
        return abs(one - other) <= SAME_OLDEST
    return one == other
