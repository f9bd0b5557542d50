"""Previews what ``run`` would do now: the same snapshot and decisions, with nothing that could act on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from router.connect.answers import Failure
from router.connect.connection import Connection
from router.decide.decide import Account, Decided, decide
from router.decide.snapshot import Limits, Snapshot
from router.followup.successor import unanswered
from router.ledger.sqlite import SqliteLedger
from router.lookup.snapshot import Lookup
from router.model import Channel, Contact, ContactId, Directory, Landing
from router.ports import Clock
from router.prove.example_history import CONTACT
from router.prove.example_instance import directory_of
from router.prove.example_world import ExampleWorld
from router.prove.examples import rule_of
from router.resources import open_connection, read_ledger
from router.rules.bind import bind, mentions_agents, mentions_hours
from router.rules.bound import BoundRuleSet
from router.rules.example import Example
from router.rules.rule import Mode, RuleSet
from router.runtime import open_clock
from router.safety.clock_skew import STOPS
from router.safety.safety import Safety
from router.search.due_times import NextDue
from router.search.planner import SearchPlanner
from router.search.progress import SearchProgress, WaitingReport
from router.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Preview:
    """Holds a snapshot of the instance and the decisions on it. ``complete`` is ``False`` if the search could not be
    read to its end, because of ``failure``."""

    mode: Mode
    rules: BoundRuleSet
    look: Snapshot
    decided: Decided
    complete: bool
    failure: Failure | None = None

    @property
    def directory(self) -> Directory:
        return self.look.directory

    def account(self, contact_id: ContactId) -> Account | None:
        """Returns how a contact was decided on; ``None`` if it is not in the snapshot."""
        return self.decided.accounts.get(contact_id)


def pretended(example: Example, ruleset: RuleSet, *, now: datetime, limits: Limits) -> Preview:
    """Decides on the contact of an example, in an instance that has every name of the rules and nothing else.

    If the example expects no rule, the clock that it gives is that of the rule which governs the contact.
    """
    world = ExampleWorld.of(directory_of(ruleset, [example]))
    rules = bind(ruleset, world.directory, agents_known=True)
    look = world.snapshot_of(example, rule_of(example, rules), now=now, limits=limits)
    decided = decide(look, rules)
    governance = decided.accounts[CONTACT].governance
    if example.expect is None and example.contact.clock is not None and governance and governance.governing:
        look = world.snapshot_of(example, governance.governing.rule, now=now, limits=limits)
        decided = decide(look, rules)
    return Preview(mode=look.mode, rules=rules, look=look, decided=decided, complete=True)


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """Holds the waiting contacts, before anything is decided. ``searched`` is ``False`` if the service reported
    them."""

    directory: Directory
    rules: BoundRuleSet
    waiting: tuple[Contact, ...]
    progress: SearchProgress
    searched: bool

    @property
    def contact_ids(self) -> Iterator[ContactId]:
        """Yields every known id of the waiting contacts' chains."""
        return (one for contact in self.waiting for one in contact.ids)


@dataclass(frozen=True, kw_only=True)
class Viewer:
    """Makes previews with reading calls and a ledger opened for reading.

    It does not know what only the running service remembers: denied moves, a full instance, observed moves.
    ``reported`` is the waiting list of that service. It replaces a search.
    """

    settings: Settings
    ruleset: RuleSet
    mode: Mode
    connection: Connection
    ledger: SqliteLedger
    clock: Clock
    reported: WaitingReport | None = None

    @classmethod
    def open(
        cls,
        settings: Settings,
        ruleset: RuleSet,
        *,
        clock: Clock | None = None,
        mode: Mode | None = None,
        reported: WaitingReport | None = None,
    ) -> Viewer:
        """Opens it without a call or a file. ``mode`` replaces that of the settings.

        Raises ``Unreachable`` if the SDK has no region or credentials, and ``LedgerUnavailable`` if the ledger cannot
        be read."""
        clock = clock or open_clock()
        connection = open_connection(settings, clock)
        try:
            ledger = read_ledger(settings)
        except BaseException:
            connection.close()
            raise
        return cls(
            settings=settings,
            ruleset=ruleset,
            mode=mode or Mode(settings.execute.mode),
            connection=connection,
            ledger=ledger,
            clock=clock,
            reported=reported,
        )

    def close(self) -> None:
        self.connection.close()
        self.ledger.close()

    def __enter__(self) -> Viewer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def preview(self, extra: Iterable[Contact] = ()) -> Preview | Failure:
        """Decides on all waiting contacts. ``extra`` are contacts known by id; they replace what the search returns of
        them.

        Returns a ``Failure`` if the instance's names could not be read.
        """
        sighting = self.search()
        return self.decide(sighting, extra) if isinstance(sighting, Sighting) else sighting

    def search(self) -> Sighting | Failure:
        """Finds all waiting contacts: by a search, or from the report of the service if that covers the rules.

        Returns a ``Failure`` if the instance's names could not be read.
        """
        with_agents = mentions_agents(self.ruleset)
        directory = self.connection.instance.directory(with_agents=with_agents, with_hours=mentions_hours(self.ruleset))
        if not isinstance(directory, Directory):
            return directory
        rules = bind(self.ruleset, directory, agents_known=with_agents)
        reported = self._reported(rules, directory)
        if reported is not None:
            found, progress = reported.contacts, SearchProgress(begun=True)
        else:
            search = SearchPlanner.open(self.connection, self.clock, self.settings)
            progress = search.search_everything(rules, directory)
            found = search.waiting_list.contacts
        return Sighting(directory=directory, rules=rules, waiting=found, progress=progress, searched=reported is None)

    def _reported(self, rules: BoundRuleSet, directory: Directory) -> WaitingReport | None:
        """Returns the report of the service if it shows all that these rules need."""
        reported, channels = self.reported, frozenset(Channel(one) for one in self.settings.poll.channels)
        if reported is None or not reported.covers(rules.queue_ids, channels):
            return None
        ahead = NextDue(rules, directory)
        return None if any(one.partial and ahead.needs_row(one) for one in reported.contacts) else reported

    def decide(self, sighting: Sighting, extra: Iterable[Contact] = ()) -> Preview:
        """Decides on the contacts of a search, and on ``extra`` ones."""
        directory, rules, progress = sighting.directory, sighting.rules, sighting.progress
        sent = tuple(unanswered(self.ledger.followed(), self.connection.reader, directory, self.clock.now()))
        followed = tuple(action for action, _ in sent)
        at_agents = [contact for action, contact in sent if action.landing is Landing.AT_AGENT and contact is not None]
        safety = Safety.open(
            self.ledger,
            self.clock,
            unlanded=self.settings.guard.unlanded,
            skew=self.connection.skew,
            directory=lambda: directory,
        )
        safety.breakers.suspend(followed)
        known = {contact.id: contact for contact in (*extra, *at_agents)}
        found = {contact.id: contact for contact in sighting.waiting}
        skew = self.connection.skew()
        observed = SqliteLedger.in_memory(instance_id=self.settings.connect.instance_id)
        lookup = Lookup.open(self.connection, self.ledger, observed, self.clock, self.settings, in_service=False)
        look = lookup.snapshot(
            tuple({**found, **known}.values()),
            directory,
            mode=self.mode,
            cycle=0,
            followed=followed,
            blocks=safety.breakers.blocks(clock_skew=skew is not None and abs(skew) > STOPS),
            paused=safety.pauses.now,
        )
        decided, look = lookup.decide(look, rules)
        return Preview(
            mode=self.mode,
            rules=rules,
            look=look,
            decided=decided,
            complete=progress.complete,
            failure=progress.failure,
        )
