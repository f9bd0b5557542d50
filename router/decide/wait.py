"""The wait a contact is in, read back from what the ledger recorded of its chain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from router.model import (
    DEFAULT_PRIORITY,
    Action,
    ActionKind,
    ActionState,
    Contact,
    ContactId,
    FirstAct,
    Landing,
    QueueId,
    Target,
    WaitKey,
)

# What was before the wait as the ledger knows it, by Connect's own records of the contacts it came from.

TOGETHER = timedelta(minutes=1)
"""A transfer ends one contact and begins the next, at instants of Connect's own; how far apart is not documented."""


def queues_before(wait_id: ContactId, contact: Contact, past: Iterable[Contact]) -> frozenset[QueueId]:
    """The queues in which the wait may have waited before the contact that the ledger knows it from: back to where an
    agent had it, or something else than a transfer ended a contact.

    Connect does not tell who made a transfer. One by a flow counts as the router's: rather held than sent round in a
    circle. ``past`` is what ``contact`` came from, newest first.
    """
    return frozenset(one.queue_id for one in _same_wait(wait_id, contact, past) if one.queue_id is not None)


def _same_wait(wait_id: ContactId, contact: Contact, past: Iterable[Contact]) -> Iterator[Contact]:
    after, known = contact, contact.id != wait_id
    for one in past:
        if known:  # the router's own moves, as the ledger has them
            known = one.id != wait_id
        elif _went_on(one, after):
            yield one
        else:
            return
        after = one


def _went_on(before: Contact, after: Contact) -> bool:
    ended, began = before.disconnected_at, after.initiated_at
    if ended is None or began is None or before.with_agent or before.channel is not after.channel:
        return False
    return abs(began - ended) <= TOGETHER


SAME_INSTANT = timedelta(seconds=1)
"""Two tellings of one instant may differ by rounding: contact records carry whole seconds, the API milliseconds."""


def same_instant(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and abs(one - other) <= SAME_INSTANT


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """One wait of one contact, with what the router did in it, oldest first (observed acts included).

    ``chain`` holds the router's acts on the whole chain, ``chain_id`` is the chain's as the router knows it, its own
    moves included. ``landing`` is that of the move that brought the contact here, ``None`` where none did.
    """

    key: WaitKey
    chain_id: ContactId
    actions: tuple[Action, ...]
    chain: tuple[Action, ...]
    landing: Landing | None = None

    @property
    def moves(self) -> tuple[Action, ...]:
        return tuple(action for action in self.actions if action.moved) if self.actions else ()

    def chain_moves(self, *, observed: bool = False) -> tuple[Action, ...]:
        """The router's moves of the whole chain; with ``observed`` those that it would have made count as well."""
        return tuple(action for action in self.chain if action.moved or (observed and _would_have_moved(action)))

    @property
    def open_intent(self) -> Action | None:
        return next((action for action in self.chain if action.open), None)

    @property
    def visited(self) -> frozenset[QueueId]:
        """The queues this wait has been moved out of."""
        return frozenset(move.queue_id for move in self.moves)

    def of_rule(self, rule: str, *, observed: bool) -> tuple[Action, ...]:
        """The acts of a rule in this wait; with ``observed`` those that were only observed count as well."""
        if not self.actions:
            return ()
        return tuple(
            action
            for action in self.actions
            if action.rule == rule and action.state is ActionState.ACTED and (observed or not action.observed)
        )

    def progress(self, rule: str, kind: ActionKind, *, observed: bool) -> timedelta | None:
        """The place on the rule's clock of the last step of this kind that has acted, or of a routing update that
        Connect refused: it has no other entry to try. ``None`` before the first."""
        if not self.actions:
            return None
        acted = (act for act in self.of_rule(rule, observed=observed) if act.kind is kind)
        refused = (act for act in self.actions if act.rule == rule and act.state is ActionState.REFUSED)
        over = (*acted, *(act for act in refused if act.kind is kind is ActionKind.ROUTING))
        return max((act.at for act in over), default=None)

    def first_act(self, rule: str, *, observed: bool) -> FirstAct | None:
        """What was recorded then; a priority that was no matter then, as it was read before the first call: the rule
        may have been edited to ask for it since."""
        acts = self.of_rule(rule, observed=observed)
        if not acts:
            return None
        first, read = acts[0].first, next((act.before for act in acts if act.before is not None), None)
        if first.priority is not None or read is None:
            return first
        return replace(first, priority=DEFAULT_PRIORITY if read.priority is None else read.priority)

    def moves_of(self, rule: str) -> tuple[Action, ...]:
        return tuple(move for move in self.moves if move.rule == rule) if self.actions else ()

    def touched_by(self, rule: str) -> bool:
        """Whether the rule has done, or tried, anything in this wait."""
        return any(action.rule == rule for action in self.actions)

    def refused(self, rule: str, at: timedelta, fingerprint: str, contact: Contact) -> frozenset[Target]:
        """The destinations that Connect refused for this very contact, step and wording of the rule."""
        return frozenset(
            action.target
            for action in self.actions
            if action.state is ActionState.REFUSED
            and (action.rule, action.at, action.fingerprint) == (rule, at, fingerprint)
            and action.contact_id == contact.id
            and action.target is not None
        )


def read_wait(contact: Contact, history: Iterable[Action]) -> Wait | None:
    """The wait of a waiting contact, or ``None`` where the sighting is stale: the router has moved that wait already,
    and the search's index has not caught up. ``history`` is of the contact's chain, oldest first."""
    assert contact.enqueued_at is not None, "only waiting contacts have a wait"
    chain = tuple(history)
    for move in reversed([action for action in chain if action.moved]):
        if _led_to(move, contact):
            begins = move.landing is Landing.DIVERTED
            return _new_wait(contact, chain) if begins else _wait(move.wait, contact, chain, move.landing)
        if _is_before(contact, move):
            return None
    return _new_wait(contact, chain)


def _new_wait(contact: Contact, chain: tuple[Action, ...]) -> Wait:
    """The wait that began as the contact came to where it is; under the instant that was recorded first, if any was."""
    assert contact.enqueued_at is not None, "only waiting contacts have a wait"
    recorded = (action.wait for action in chain if action.wait.wait_id == contact.id)
    known = next((key for key in recorded if same_instant(key.began_at, contact.enqueued_at)), None)
    return _wait(known or WaitKey(contact.id, contact.enqueued_at), contact, chain, None)


def _wait(key: WaitKey, contact: Contact, chain: tuple[Action, ...], landing: Landing | None) -> Wait:
    return Wait(
        key=key,
        chain_id=chain[0].chain_id if chain else contact.chain_id,
        actions=tuple(action for action in chain if action.wait == key),
        chain=chain,
        landing=landing,
    )


def _is_before(contact: Contact, move: Action) -> bool:
    """Whether the sighting is the very wait that was moved, or an earlier one of the same segment."""
    assert contact.enqueued_at is not None, "only waiting contacts have a wait"
    if contact.id != move.contact_id:
        return False
    if same_instant(contact.enqueued_at, move.enqueued_at):
        return contact.queue_id == move.queue_id
    return contact.enqueued_at < move.enqueued_at


def _led_to(move: Action, contact: Contact) -> bool:
    """Whether the move put the contact where it is seen, by where it landed or, before that is known, by the ids."""
    if move.landing is None or move.landing.unlanded:
        return _is_result(move, contact) and not _is_before(contact, move)
    in_place = move.landed_queue_id in (None, contact.queue_id)
    return contact.id == move.new_contact_id and in_place and same_instant(contact.enqueued_at, move.landed_enqueued_at)


def _is_result(move: Action, contact: Contact) -> bool:
    """TransferContact's answer may name the new segment, or the one it moved (which of the two is not documented); and
    where the answer was lost nothing is known but the segment that was moved."""
    if move.new_contact_id not in (None, move.contact_id):
        return contact.id == move.new_contact_id
    return move.contact_id in (contact.id, contact.previous_id)


def _would_have_moved(action: Action) -> bool:
    return action.kind is ActionKind.TRANSFER and action.state is ActionState.ACTED and action.observed
