"""Proves the product's main job on the instance: five late tasks, one rule, each moved once and landed."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from router.acceptance.lab import Lab, queue_of
from router.acceptance.probe import Unsettled, understood
from router.acceptance.probes.index import index_rows
from router.acceptance.suite import ProofStep
from router.connect.connection import Connection
from router.daemon.compose import build
from router.daemon.once import run_once
from router.decide.decision import Transfer
from router.inspect.preview import Preview, Viewer
from router.lookup.locate import locate
from router.model import Action, ActionKind, ContactId, Landing
from router.ports import Clock
from router.resources import open_connection, read_ledger
from router.rules.load import load_rules
from router.rules.rule import Mode, RuleSet
from router.settings import Settings

TASKS = 5
TARGET = timedelta(seconds=10)
INDEXED_WITHIN = timedelta(minutes=15)

RULE = """\
[[rule]]
name = "acceptance"
match = {{ channel = "TASK", queue = "{queue_a}", name = "{pattern}" }}
sla.target = "{target}s"

[[rule.step]]
at = "breach"
to = [{{ queue = "{queue_b}", flow = "{flow}" }}]
"""

SettingsMaker = Callable[[Mapping[str, object]], Settings]
"""Loads the user's settings with these overrides."""
Connect = Callable[[Settings, Clock], Connection]


@dataclass(frozen=True, kw_only=True)
class MainJob:
    """Holds what the proof works with: the settings with a ledger of its own, and the rule."""

    lab: Lab
    settings: Settings
    ruleset: RuleSet
    contact_ids: tuple[str, ...]
    connect: Connect

    def steps(self) -> Iterator[ProofStep]:
        """Yields the steps of the proof. The later ones need the earlier ones."""
        failed = self._pass()
        yield ProofStep(name="one pass moves the late tasks", problem=failed)
        moves = self._moves()
        each_once = sorted(move.contact_id for move in moves) == sorted(self.contact_ids)
        problem = None if each_once else f"the ledger has {len(moves)} moves of {TASKS} tasks"
        yield ProofStep(name="each task is moved once", problem=problem)
        landed = sum(move.landing is Landing.QUEUED for move in moves)
        problem = None if landed == TASKS else f"{landed} of {TASKS} landed in their queue"
        yield ProofStep(name="each task has landed", problem=problem)
        yield ProofStep(name="history agrees with Connect", problem=self._compared(moves))
        yield ProofStep(name="explain agrees with Connect", problem=self._explained())
        self._pass()
        again = len(self._moves()) - len(moves)
        yield ProofStep(name="a second pass moves nothing", problem=f"{again} more moves" if again else None)

    def _pass(self) -> str | None:
        """Makes one pass of the service. Returns why it did not act on everything."""
        app = build(
            self.settings, self.ruleset, mode=Mode.ENFORCE, clock=self.lab.clock, connect=self.connect, once=True
        )
        result = run_once(app)
        if result.unreachable is not None:
            return f"{result.unreachable.code}: {result.unreachable.message}"
        if result.stopped:
            raise KeyboardInterrupt
        return None if result.done else f"{result.failed} contacts were not moved"

    def _moves(self) -> list[Action]:
        with read_ledger(self.settings) as ledger:
            return [action for action in ledger.history() if action.kind is ActionKind.TRANSFER]

    def _compared(self, moves: list[Action]) -> str | None:
        """Compares each record with the contact that is open by Connect's own list."""
        for move in moves:
            open_ones = self.lab.open_of_chain(move.contact_id)
            self.lab.known += open_ones
            if open_ones != [move.new_contact_id or move.contact_id]:
                return "the ledger names another contact than the one that is open"
            if queue_of(self.lab.describe(open_ones[0])) != self.lab.resources.queue_b:
                return "a moved task is not in the queue of the rule"
        return None

    def _explained(self) -> str | None:
        """Finds each task by its first id, as ``explain`` does, and decides on it again."""
        with Viewer.open(self.settings, self.ruleset, clock=self.lab.clock) as viewer:
            for contact_id in map(ContactId, self.contact_ids):
                located = locate(contact_id, reader=viewer.connection.reader, ledger=viewer.ledger)
                contact = located.contact
                if contact is None or contact.queue_id != self.lab.resources.queue_b:
                    return "explain does not find a moved task in its new queue"
                preview = viewer.preview(extra=(contact,))
                account = preview.account(contact.id) if isinstance(preview, Preview) else None
                if account is None or any(isinstance(one, Transfer) for one in account.decisions):
                    return "explain shows another move of a moved task"
        return None


def prove_main_job(lab: Lab, settings_with: SettingsMaker, *, connect: Connect = open_connection) -> list[ProofStep]:
    """Runs the product on five tasks of its own, with a ledger of its own. It never raises for what Connect does."""
    with tempfile.TemporaryDirectory(prefix="connect-router-acceptance-") as folder:
        path = Path(folder)
        resources = lab.resources
        (path / "acceptance.toml").write_text(
            RULE.format(
                queue_a=resources.queue_a,
                queue_b=resources.queue_b,
                flow=resources.transfer,
                pattern=lab.name("late-*"),
                target=TARGET.seconds,
            ),
            encoding="utf-8",
        )
        own: dict[str, object] = {"ledger.url": f"sqlite:{path / 'ledger.db'}", "execute.mode": "enforce"}
        nothing = dict.fromkeys(("notify.sns_topic", "events.queue", "journal.path"), "")
        settings = settings_with({**own, **nothing})
        try:
            with understood():
                job = MainJob(
                    lab=lab,
                    settings=settings,
                    ruleset=load_rules(path),
                    contact_ids=_late_tasks(lab),
                    connect=connect,
                )
                return list(job.steps())
        except Unsettled as failure:
            return [ProofStep(name="five late tasks", problem=str(failure))]


def _late_tasks(lab: Lab) -> tuple[str, ...]:
    """Starts the tasks, and waits until they are late and the index shows them."""
    contact_ids = tuple(lab.queued_task(f"late-{number}") for number in range(TASKS))
    lab.unresolved.update(contact_ids)
    lab.sleep(TARGET.total_seconds())

    def look() -> bool | None:
        rows = index_rows(lab)
        return True if all((rows.get(each) or {}).get("QueueInfo") for each in contact_ids) else None

    if lab.wait_until(look, within=INDEXED_WITHIN) is None:
        raise Unsettled("the index did not show the late tasks in their queue")
    return contact_ids
