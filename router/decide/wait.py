"""Reads back the wait that a contact is in from the actions that the ledger recorded of its chain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

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
    same_instant,
)

TOGETHER = timedelta(minutes=1)
"""How far apart the end of a contact and the begin of its successor may be in one transfer; AWS documents no figure."""


def queues_before(wait_id: ContactId, contact: Contact, past: Iterable[Contact]) -> frozenset[QueueId]:
    """Returns the queues where the wait may have been before the first contact that the ledger knows of it.

    It looks back to the last contact that an agent had, or that something other than a transfer ended. Connect does not
    show who made a transfer; a flow's counts as the router's, because a hold is better than a circle. ``past`` are the
    contacts that ``contact`` came from, newest first.
    """
    return frozenset(one.queue_id for one in _same_wait(wait_id, contact, past) if one.queue_id is not None)


def _same_wait(wait_id: ContactId, contact: Contact, past: Iterable[Contact]) -> Iterator[Contact]:
    after, known = contact, contact.id != wait_id
    for one in past:
        if known:  # the router's own moves, as the ledger has them
            known = one.id != wait_id
        elif _continues(one, after):
            yield one
        else:
            return
        after = one


def _continues(before: Contact, after: Contact) -> bool:
    ended, began = before.disconnected_at, after.initiated_at
    if ended is None or began is None or before.with_agent or before.channel is not after.channel:
        return False
    return abs(began - ended) <= TOGETHER


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Holds one wait of one contact and the router's actions in it, oldest first, observed ones included.

    ``chain`` holds the router's actions on the whole chain. ``chain_id`` is the first contact of the chain, with the
    router's own moves taken into account. ``landing`` is that of the move that brought the contact here, ``None``
    without one.
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
        """Returns the router's moves of the whole chain; with ``observed`` also those that it would have made."""
        return tuple(action for action in self.chain if action.moved or (observed and _would_have_moved(action)))

    @property
    def open_move(self) -> Action | None:
        """Returns the move of the chain whose outcome is not known. An open routing update never delays a move."""
        return next((action for action in self.chain if action.open_move), None)

    @property
    def visited(self) -> frozenset[QueueId]:
        """Returns the queues that this wait has been moved out of."""
        return frozenset(move.queue_id for move in self.moves)

    def actions_of(self, rule: str, *, observed: bool) -> tuple[Action, ...]:
        """Returns the actions of a rule that took effect in this wait; with ``observed`` also those that were only
        observed."""
        if not self.actions:
            return ()
        return tuple(
            action
            for action in self.actions
            if action.rule == rule and action.state is ActionState.ACTED and (observed or not action.observed)
        )

    def progress(self, rule: str, kind: ActionKind, *, observed: bool) -> timedelta | None:
        """Returns the time on the rule's clock of the last step of this kind that has acted; ``None`` before the first.

        A routing update that Connect refused counts as well, because it has no other entry to try.
        """
        if not self.actions:
            return None
        acted = (act for act in self.actions_of(rule, observed=observed) if act.kind is kind)
        refused = (act for act in self.actions if act.rule == rule and act.state is ActionState.REFUSED)
        over = (*acted, *(act for act in refused if act.kind is kind is ActionKind.ROUTING))
        return max((act.at for act in over), default=None)

    def first_act(self, rule: str, *, observed: bool) -> FirstAct | None:
        """Returns the contact as recorded at the rule's first act; ``None`` before it.

        If no priority was recorded then, it is the one read before the first call, because the rule may have been
        edited since.
        """
        acts = self.actions_of(rule, observed=observed)
        if not acts:
            return None
        first, read = acts[0].first, next((act for act in acts if act.before is not None), None)
        if first.priority is not None or read is None:
            return first
        earlier = (act for act in self.updates if act.decided_at < read.decided_at)
        return replace(first, priority=_undone(_priority_before(read), earlier))

    @property
    def updates(self) -> tuple[Action, ...]:
        """Returns the router's routing updates in this wait that may have taken effect, oldest first."""
        may_show = (ActionState.ACTED, ActionState.INTENDED)
        updates = (act for act in self.actions if act.kind is ActionKind.ROUTING and not act.observed)
        return tuple(act for act in updates if act.routing is not None and act.state in may_show)

    def priority_by_others(self, shown: int) -> int:
        """Returns the priority that anything except the router has set, of a contact that shows this priority."""
        return _undone(shown, self.updates) if self.actions else shown

    def moves_of(self, rule: str) -> tuple[Action, ...]:
        return tuple(move for move in self.moves if move.rule == rule) if self.actions else ()

    @property
    def acted(self) -> frozenset[str]:
        """Returns the rules that have done, or tried, anything in this wait."""
        return frozenset(action.rule for action in self.actions)

    def has_actions_of(self, rule: str) -> bool:
        """Returns whether the rule has done, or tried, anything in this wait."""
        return bool(self.actions) and any(action.rule == rule for action in self.actions)

    def refused_targets(self, rule: str, at: timedelta, fingerprint: str, contact: Contact) -> frozenset[Target]:
        """Returns the destinations that Connect refused for this contact, step and content of the rule."""
        if not self.actions:
            return frozenset()
        return frozenset(
            action.target
            for action in self.actions
            if action.state is ActionState.REFUSED
            and (action.rule, action.at, action.fingerprint) == (rule, at, fingerprint)
            and action.contact_id == contact.id
            and action.target is not None
        )


def _undone(shown: int, updates: Iterable[Action]) -> int:
    """Returns the priority before the updates, unless it was changed by others since.

    An added age may reset the priority to the default, because Connect may allow only one of the two.
    """
    for update in reversed(tuple(updates)):
        wrote = update.routing.priority if update.routing is not None else None
        if shown == (DEFAULT_PRIORITY if wrote is None else wrote):
            shown = _priority_before(update)
    return shown


def _priority_before(act: Action) -> int:
    had = act.before.priority if act.before is not None else None
    return DEFAULT_PRIORITY if had is None else had


def read_wait(contact: Contact, history: Iterable[Action]) -> Wait | None:
    """Returns the wait of a waiting contact; ``None`` if the sighting is stale.

    A sighting is stale if the router has moved the wait already and the search's index still shows the old state.
    ``history`` is of the contact's chain, oldest first.
    """
    assert contact.enqueued_at is not None, "only waiting contacts have a wait"
    chain = tuple(history)
    if not chain:
        return Wait(key=WaitKey(contact.id, contact.enqueued_at), chain_id=contact.chain_id, actions=(), chain=())
    for move in reversed([action for action in chain if action.moved]):
        if _brought_here(move, contact):
            begins = move.landing is Landing.DIVERTED
            return _new_wait(contact, chain) if begins else _wait(move.wait, contact, chain, move.landing)
        if _is_before(contact, move):
            return None
    return _new_wait(contact, chain)


def _new_wait(contact: Contact, chain: tuple[Action, ...]) -> Wait:
    """Returns the wait that began when the contact entered its queue, with the instant that was recorded first."""
    assert contact.enqueued_at is not None, "only waiting contacts have a wait"
    recorded = (action.wait for action in chain if action.wait.wait_id == contact.id)
    seen = WaitKey(contact.id, contact.enqueued_at)
    known = next((key for key in recorded if key.is_same(seen)), seen)
    return _wait(known, contact, chain, None)


def _wait(key: WaitKey, contact: Contact, chain: tuple[Action, ...], landing: Landing | None) -> Wait:
    return Wait(
        key=key,
        chain_id=chain[0].chain_id,
        actions=tuple(action for action in chain if action.wait.is_same(key)),
        chain=chain,
        landing=landing,
    )


def _is_before(contact: Contact, move: Action) -> bool:
    """Returns whether the sighting is the wait that was moved, or an earlier one of the same contact."""
    assert contact.enqueued_at is not None, "only waiting contacts have a wait"
    if contact.id != move.contact_id:
        return False
    if same_instant(contact.enqueued_at, move.enqueued_at):
        return contact.queue_id == move.queue_id
    return contact.enqueued_at < move.enqueued_at


def _brought_here(move: Action, contact: Contact) -> bool:
    """Returns whether the move brought the contact where it is seen: by its landing or, before that, by the ids."""
    if move.landing is None or move.landing.unlanded:
        return _is_result(move, contact) and not _is_before(contact, move)
    in_place = move.landed_queue_id in (None, contact.queue_id)
    return contact.id == move.new_contact_id and in_place and same_instant(contact.enqueued_at, move.landed_enqueued_at)


def _is_result(move: Action, contact: Contact) -> bool:
    """Returns whether the contact may be the result of the move.

    TransferContact's answer may name the new contact or the moved one (AWS does not document which); without an answer
    only the moved contact is known.
    """
    if move.new_contact_id not in (None, move.contact_id):
        return contact.id == move.new_contact_id
    return move.contact_id in (contact.id, contact.previous_id)


def _would_have_moved(action: Action) -> bool:
    return action.kind is ActionKind.TRANSFER and action.state is ActionState.ACTED and action.observed
