"""Follows one rule set through a recorded history: what it would have done with each contact, and when."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from heapq import heappop, heappush
from itertools import count

from router.backtest.accounts import bound_to, effects, reasons, record_of, state
from router.backtest.difference import SAME_TIME, DecidedAct, Followed
from router.backtest.known_world import KnownWorld
from router.decide.capacity import METRICS_LAG
from router.decide.decide import Account, decide
from router.decide.decision import Hold, Transfer
from router.decide.snapshot import Snapshot
from router.history.disclosure import keys_about_customers
from router.history.world import DecisionRecord
from router.model import Action, ActionKind, Contact, ContactId, Directory, HoldReason, QueueId
from router.rules.bound import BoundRuleSet
from router.rules.rule import Mode, Pick, RuleSet
from router.search.due_times import NextDue
from router.search.waiting_list import NEVER

ROUNDS = 8
"""How often a decision may need more values of the history."""
HOUR = timedelta(hours=1)
RETRIES = tuple(timedelta(seconds=seconds) for seconds in (15, 30, 60, 120, 300))
"""When a held contact is decided on again, one after the other; the last one repeats."""
POLL_S = 15
"""Seconds for which moves without a look count as those of one cycle."""
LIMITS = frozenset(
    {
        HoldReason.PER_CYCLE,
        HoldReason.PER_HOUR,
        HoldReason.PERCENT_OF_QUEUE,
        HoldReason.MAX_TRANSFERS,
        HoldReason.TRANSFER_BUDGET,
        HoldReason.COOLDOWN,
    }
)
NO_VALUES = "the history lacks values that the rules need"
NO_CUSTOMERS = "the history has no values of customers (journal.attributes)"
NO_RECORDS = "the history has no records of a time in which they would have been decided on"
LATER = "an earlier act on their chain would have been different"
HASHED = "a weighted choice needs the contact's id, and the ids are hashed"


@dataclass(slots=True)
class Track:
    """Follows one contact. ``over``: it would not be where the history has it, or it cannot be judged (``unjudged``).

    ``ahead`` holds the acts that the history may show some seconds later.
    """

    acts: list[DecidedAct] = field(default_factory=list)
    over: bool = False
    unjudged: str | None = None
    account: Account | None = None
    due: int = 0
    due_at: datetime | None = None
    tries: int = 0
    ahead: tuple[DecidedAct, ...] = ()


@dataclass
class FollowedRules:
    """Follows one rule set. ``limits`` counts the contacts that a limit would have held, by reason."""

    ruleset: RuleSet
    world: KnownWorld
    keys: frozenset[str] | None = None
    hashed: bool = False
    tracks: dict[ContactId, Track] = field(default_factory=dict)
    limits: dict[str, set[ContactId]] = field(default_factory=dict)
    evaluations: int = 0
    _diverged: set[ContactId] = field(default_factory=set)
    _undone: set[ContactId] = field(default_factory=set)
    _made: deque[Action] = field(default_factory=deque)
    _acted: dict[ContactId, tuple[Action, ...]] = field(default_factory=dict)
    _due: list[tuple[datetime, int, ContactId]] = field(default_factory=list)
    _without_looks: bool = False
    _numbers: count[int] = field(default_factory=lambda: count(1))
    rules: BoundRuleSet = field(init=False)

    def bind(self, directory: Directory) -> None:
        """Binds the rules to the names of the instance."""
        self.rules = bound_to(self.ruleset, directory, getattr(self, "rules", None))
        self._ahead = NextDue(self.rules, directory)
        names = lru_cache(maxsize=None)(lambda queue_id: (directory.queue_name(queue_id) or queue_id, queue_id))
        self._first_blind = lru_cache(maxsize=None)(lambda queue_id: self._first_blind_of(names(queue_id)))

    def next_at(self) -> datetime:
        return self._due[0][0] if self._due else NEVER

    def track(self, contact_id: ContactId) -> Track:
        return self.tracks.setdefault(contact_id, Track())

    def look(
        self,
        look: Snapshot,
        recorded: Mapping[ContactId, tuple[DecisionRecord, ...]],
        in_force: Mapping[ContactId, Account],
    ) -> None:
        """Decides where the router did. ``recorded`` are its acts, and ``in_force`` the accounts of its own rules."""
        for contact in look.contacts:
            self._acted.pop(contact.id, None)
            self._reconcile(contact.id, recorded.get(contact.id, ()), look.now)
        contacts = tuple(one for one in look.contacts if self._follows(one, look))
        if not contacts:
            return
        decided = self.decide(self._adjusted(replace(look, contacts=contacts)))
        for contact in contacts:
            account = decided[contact.id]
            if account.wait is not None:
                self._note(account, look, recorded.get(contact.id, ()), in_force.get(contact.id))

    def see(self, contact: Contact, at: datetime) -> None:
        """Has a contact decided on, in a history without looks. It shows no acts, and only a move ends it."""
        self._without_looks = True
        self._schedule(contact.id, at)

    def run(self, until: datetime) -> None:
        """Decides on the contacts that are due before an instant."""
        while self._due and self._due[0][0] < until:
            at, number, contact_id = heappop(self._due)
            track, contact = self.tracks.get(contact_id), self.world.waiting.get(contact_id)
            if contact is None or track is None or track.over or track.due != number:
                continue
            self._decide_alone(contact, at)

    def skip(self, since: datetime, until: datetime) -> None:
        """Gives up the contacts that would have been decided on in a time without records."""
        for track in self.tracks.values():
            if track.due_at is not None and since <= track.due_at < until:
                track.over, track.unjudged = True, NO_RECORDS

    def end(self, contact_id: ContactId) -> tuple[Followed, str | None]:
        """Returns what was found of a contact that left, and why it cannot be judged; ``None`` if it can."""
        track = self.tracks.pop(contact_id, None) or Track()
        self._acted.pop(contact_id, None)
        account = track.account
        held = next((one for one in account.decisions if isinstance(one, Hold)), None) if account else None
        followed = Followed(
            acts=tuple(track.acts),
            next_due_at=account.next_due_at if account is not None else None,
            held=held.reason.value if held is not None else None,
        )
        return followed, track.unjudged

    def decide(self, look: Snapshot) -> Mapping[ContactId, Account]:
        """Decides, and reads what is needed from the history."""
        self.evaluations += len(look.contacts)
        self.world.lacked = False
        decided = decide(look, self.rules)
        for _ in range(ROUNDS):
            if not decided.needs:
                break
            look = self.world.read(look, decided.needs)
            decided = decide(look, self.rules)
        return decided.accounts

    def _follows(self, contact: Contact, look: Snapshot) -> bool:
        history = look.moves.histories.get(contact.id)
        chain_id = history[0].chain_id if history else contact.chain_id
        if chain_id in self._diverged:
            self.tracks.setdefault(contact.id, Track(over=True, unjudged=LATER))
            return False
        return not self.track(contact.id).over

    def _adjusted(self, look: Snapshot) -> Snapshot:
        """Returns the look with the moves that these rules would have made in place of those that were made."""
        if not self._made and not self._undone:
            return look
        while self._made and self._made[0].decided_at <= look.now - HOUR:
            self._made.popleft()
        kept = tuple(one for one in look.moves.recent if one.contact_id not in self._undone)
        sent = Counter(look.moves.sent_to_queues)
        for move in self._made:
            if look.now - move.decided_at <= METRICS_LAG and move.target is not None and move.target.queue_id:
                sent[move.target.queue_id, move.channel] += 1
        return replace(look, moves=replace(look.moves, recent=(*kept, *self._made), sent_to_queues=sent))

    def _decide_alone(self, contact: Contact, at: datetime) -> None:
        last = self.world.last
        if last is None:
            return
        others = self.world.counts.copy()
        if contact.queue_id is not None:
            others[contact.queue_id, contact.channel] -= 1
        unseen: Counter[QueueId] = Counter()
        for (queue_id, _), number in others.items():
            unseen[queue_id] += max(number, 0)
        history = (*self.world.histories.get(contact.id, ()), *self._acted.get(contact.id, ()))
        look = replace(
            last,
            now=at,
            contacts=(contact,),
            moves=replace(last.moves, histories={contact.id: history} if history else {}, in_progress=frozenset()),
            read=type(last.read)(),
            unseen=unseen,
            occupied_by_others=frozenset(key for key, number in others.items() if number > 0),
            cycle=-int(at.timestamp() // POLL_S),
        )
        account = self.decide(self._adjusted(look))[contact.id]
        if account.wait is not None:
            self._note(account, look, (), None)

    def _note(
        self, account: Account, look: Snapshot, recorded: tuple[DecisionRecord, ...], in_force: Account | None
    ) -> None:
        contact, at = account.contact, look.now
        track = self.track(contact.id)
        track.account = account
        acts = [DecisionRecord.of(one) for one in account.decisions if not isinstance(one, Hold)]
        track.unjudged = self._why_unjudged(account, in_force)
        if track.unjudged is not None:
            track.over = True
            return
        self._count_limits(account, in_force)
        track.acts += [DecidedAct(at, one) for one in acts]
        stays = self._without_looks and all(one.kind != ActionKind.TRANSFER for one in acts)
        if stays or effects(acts) == effects(recorded):
            made = (record_of(one, look, self.rules.revision) for one in account.decisions if not isinstance(one, Hold))
            self._acted[contact.id] = (*self._acted.get(contact.id, ()), *made)
            self._plan(track, account, in_force, at)
            return
        track.over = True
        if not recorded:
            track.ahead = tuple(DecidedAct(at, one) for one in acts)
        self._diverge(account, look, recorded)

    def _diverge(self, account: Account, look: Snapshot, recorded: tuple[DecisionRecord, ...]) -> None:
        """Remembers that the contact would not be where the history has it from now on."""
        assert account.wait is not None, "a contact that acts has a wait"
        self._diverged.add(account.wait.chain_id)
        if any(one.kind == "transfer" for one in recorded):
            self._undone.add(account.contact.id)
        for decision in account.decisions:
            if isinstance(decision, Transfer) and decision.mode is Mode.ENFORCE:
                self._made.append(record_of(decision, look, self.rules.revision))

    def _reconcile(self, contact_id: ContactId, recorded: tuple[DecisionRecord, ...], at: datetime) -> None:
        """Takes a divergence back if the router did the same some seconds later, at its next look."""
        track = self.tracks.get(contact_id)
        if track is None or not track.ahead or not recorded:
            return
        ahead = track.ahead
        track.ahead = ()
        if effects([one.decision for one in ahead]) != effects(recorded) or at - ahead[0].at > SAME_TIME:
            return
        track.over = False
        if track.account is not None and track.account.wait is not None:
            self._diverged.discard(track.account.wait.chain_id)
        made = [one for one in self._made if one.contact_id != contact_id]
        self._made = deque(made)
        track.acts = track.acts[: len(track.acts) - len(ahead)]

    def _plan(self, track: Track, account: Account, in_force: Account | None, at: datetime) -> None:
        """Plans when to decide on the contact again, unless the router's own rules are in the same state: then its
        looks show when."""
        if in_force is not None and state(account) == state(in_force):
            track.due, track.due_at, track.tries = 0, None, 0
            return
        then, each_poll = self._ahead.next_decision(account, at)
        if each_poll and account.decisions:
            wait = RETRIES[min(track.tries, len(RETRIES) - 1)]
            track.tries += 1
            then = min(then, at + wait)
        if then < NEVER:
            self._schedule(account.contact.id, then)

    def _schedule(self, contact_id: ContactId, at: datetime) -> None:
        track, number = self.track(contact_id), next(self._numbers)
        track.due, track.due_at = number, at
        heappush(self._due, (at, number, contact_id))

    def _count_limits(self, account: Account, in_force: Account | None) -> None:
        known = reasons(in_force.decisions if in_force is not None else ())
        for reason in (reasons(account.decisions) & LIMITS) - known:
            self.limits.setdefault(reason.value, set()).add(account.contact.id)

    def _why_unjudged(self, account: Account, in_force: Account | None) -> str | None:
        """Returns why the history does not show what these rules decide on the contact; ``None`` if it does."""
        found = account.governance
        governing = found.governing if found is not None else None
        moves = account.wait.moves if account.wait is not None else ()
        queues = {account.contact.queue_id, *(move.queue_id for move in moves)}
        blind = min((one for one in map(self._first_blind, queues) if one is not None), default=None)
        if blind is not None and (governing is None or self.rules.positions[governing.rule.name] >= blind):
            return NO_CUSTOMERS
        steps = governing.rule.rule.steps if self.hashed and governing is not None else ()
        if any(step.pick is Pick.WEIGHTED for step in steps):
            return HASHED
        known = reasons(in_force.decisions if in_force is not None else ())
        new = reasons(account.decisions) - known
        nowhere = self.world.lacked and HoldReason.NO_ELIGIBLE_DESTINATION in new
        return NO_VALUES if nowhere or HoldReason.UNREADABLE in new else None

    def _first_blind_of(self, names: tuple[str, ...]) -> int | None:
        """Returns the first rule that a contact of the queue could match and whose values the history does not have."""
        if self.keys is None:
            return None
        positions = self.rules.index.meeting(names)
        rules = ((one, self.rules.rules[one].rule) for one in sorted(positions))
        lacking = (one for one, rule in rules if rule.mode is not Mode.OFF and keys_about_customers(rule) - self.keys)
        return next(lacking, None)
