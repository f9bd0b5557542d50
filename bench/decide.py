"""Deciding on many contacts under many rules, beside trying every rule in turn and beside the rule-engine package.

python bench/decide.py [--contacts 10000] [--rules 1000] [--seed 1] [--sample 200]

The alternatives take long: they decide on a sample, their decisions must be equal, and the times are told by contact.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import rule_engine

sys.path.insert(0, str(Path(__file__).parent))
from support.figures import met, report

from router.cli.main import collect_garbage_seldom
from router.decide.decide import Decided, decide
from router.decide.snapshot import NEVER_PAUSED, ReadValues, Snapshot
from router.model import Channel, Contact, ContactId, Directory, Flow, FlowId, FlowType, Queue, QueueId
from router.rules.bind import bind
from router.rules.bound import BoundRuleSet
from router.rules.load import parse_rules
from router.rules.rule import Mode

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
QUEUES = 100
GROUPS = 10
TEAMS = [f"team-{n}" for n in range(20)]
DIRECTORY = Directory(
    queues=(
        *(Queue(id=QueueId(f"id-{n}"), name=f"Group {n % GROUPS} queue {n}") for n in range(QUEUES)),
        Queue(id=QueueId("id-overflow"), name="Overflow"),
    ),
    flows=(Flow(id=FlowId("flow"), name="To queue", type=FlowType.QUEUE_TRANSFER),),
)


class Generated:
    """Rules as a file says them, and the same as expressions of rule-engine."""

    def __init__(self, count: int, random: Random) -> None:
        self.text = ['[defaults]\nflow = "To queue"\n']
        self.expressions: list[str] = []
        for n in range(count):
            self._rule(n, random)

    def _rule(self, n: int, random: Random) -> None:
        conditions = [*_queue(random), *_rest(n, random)]
        match = ", ".join(said for said, _ in conditions)
        self.text.append(
            f'[[rule]]\nname = "rule-{n}"\nmatch = {{ {match} }}\nsla.target = "{random.randrange(20, 200, 5)}m"\n'
            'step = [{ at = "breach", to = [{ queue = "Overflow" }] }]\n'
        )
        self.expressions.append(" and ".join(expression for _, expression in conditions))


def _queue(random: Random) -> list[tuple[str, str]]:
    """Of ten rules seven name a queue, and of the others every second a glob."""
    kind = random.random()
    if kind < 0.15:
        group = random.randrange(GROUPS)
        return [(f'queue = "Group {group} *"', f'queue =~ "Group {group} .*"')]
    if kind < 0.3:
        return []
    queue = random.randrange(QUEUES)
    name = f"Group {queue % GROUPS} queue {queue}"
    return [(f'queue = "{name}"', f'queue == "{name}"')]


def _rest(n: int, random: Random) -> list[tuple[str, str]]:
    """Every fifth rule has an ``any`` or a ``none``."""
    team, other = random.sample(TEAMS, 2)
    if n % 5:
        return [(f'tags.team = "{team}"', f'team == "{team}"')]
    if random.random() < 0.5:
        both = f'any = [{{ tags.team = "{team}" }}, {{ tags.team = "{other}" }}]'
        return [(both, f'(team == "{team}" or team == "{other}")')]
    neither = f'none = [{{ channel = "EMAIL" }}, {{ tags.team = "{other}" }}]'
    kind = f"kind {n % 7}"
    return [(neither, f'not (channel == "EMAIL" or team == "{other}")'), (f'name = "{kind}"', f'name == "{kind}"')]


def make_contacts(count: int, random: Random) -> list[Contact]:
    contacts = []
    for n in range(count):
        due = random.random() < 0.3
        waited = timedelta(minutes=random.uniform(200, 400) if due else random.uniform(0, 20))
        contacts.append(
            Contact(
                id=ContactId(f"contact-{n}"),
                channel=random.choice((Channel.TASK, Channel.EMAIL)),
                queue_id=QueueId(f"id-{random.randrange(QUEUES)}"),
                name=f"kind {random.randrange(7)}",
                tags={"team": random.choice(TEAMS)},
                enqueued_at=NOW - waited,
                initiated_at=NOW - waited,
            )
        )
    return contacts


def look(contacts: list[Contact]) -> Snapshot:
    return Snapshot(
        now=NOW,
        mode=Mode.ENFORCE,
        contacts=tuple(contacts),
        directory=DIRECTORY,
        read=ReadValues(pauses=dict.fromkeys((contact.id for contact in contacts), NEVER_PAUSED)),
    )


def bound(count: int, seed: int) -> tuple[Generated, BoundRuleSet]:
    made = Generated(count, Random(seed))
    return made, bind(parse_rules([("bench.toml", "".join(made.text).encode())]), DIRECTORY, agents_known=True)


class EveryRule:
    """In place of the index: every rule is tried on every contact."""

    def __init__(self, count: int) -> None:
        self._all = tuple(range(count))

    def meeting(self, _queue: object) -> tuple[int, ...]:
        return self._all


def governing(decided: Decided) -> dict[str, str | None]:
    """By contact: the rule that governs it."""
    found: dict[str, str | None] = {}
    for contact_id, account in decided.accounts.items():
        rule = account.governance.governing if account.governance else None
        found[contact_id] = rule.rule.name if rule else None
    return found


def by_rule_engine(made: Generated, contacts: list[Contact]) -> dict[str, str | None]:
    compiled = [rule_engine.Rule(expression) for expression in made.expressions]
    found: dict[str, str | None] = {}
    for contact in contacts:
        seen = {
            "queue": DIRECTORY.queue_name(contact.queue_id),
            "channel": contact.channel.value,
            "team": contact.tags["team"],
            "name": contact.name,
        }
        first = next((n for n, rule in enumerate(compiled) if rule.matches(seen)), None)
        found[contact.id] = None if first is None else f"rule-{first}"
    return found


def timed(work: Callable[[], object], times: int = 3) -> float:
    """The best of several, in seconds."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return min(took)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contacts", type=int, default=10_000)
    parser.add_argument("--rules", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sample", type=int, default=200)
    args = parser.parse_args()
    collect_garbage_seldom()
    print(f"decide: {args.contacts} contacts, {args.rules} rules", flush=True)
    contacts = make_contacts(args.contacts, Random(args.seed))
    sample = contacts[: args.sample]
    made, rules = bound(args.rules, args.seed)
    _, few = bound(args.rules // 10, args.seed)
    whole = timed(lambda: decide(look(contacts), rules), 5)
    tenth = timed(lambda: decide(look(contacts), few), 5)
    half = timed(lambda: decide(look(contacts[: args.contacts // 2]), rules), 5)
    print("  decided; now by trying every rule, on a sample", flush=True)
    _, brute = bound(args.rules, args.seed)
    brute.__dict__["index"] = EveryRule(args.rules)
    for rule in brute.rules:
        rule.__dict__["plain"] = None
    ours, tried = decide(look(sample), rules), decide(look(sample), brute)
    each = timed(lambda: decide(look(sample), brute), 1)
    assert governing(ours) == governing(tried), "trying every rule finds other rules"
    assert ours.decisions == tried.decisions, "trying every rule decides otherwise"
    print("  and by rule-engine", flush=True)
    engine = timed(lambda: by_rule_engine(made, sample), 1)
    assert governing(ours) == by_rule_engine(made, sample), "rule-engine finds other rules"
    due = sum(bool(account.decisions) for account in decide(look(contacts), rules).accounts.values())
    scale = len(contacts) / len(sample)
    beside = (
        f"{each * scale:.0f} s by trying every rule ({each * scale / whole:.0f} times);"
        f" {engine * scale:.0f} s with rule-engine ({engine * scale / whole:.0f} times)"
    )
    growth, linear = whole / tenth, whole / half
    rows = [
        ("all decided in", f"{whole:.2f} s", beside, f"0.5 s: {met(whole <= 0.5)}"),
        (
            f"{args.rules // 10} -> {args.rules} rules",
            f"{growth:.2f} times",
            f"{tenth:.2f} s -> {whole:.2f} s",
            f"2 times: {met(growth <= 2)}",
        ),
        (
            "half of the contacts -> all",
            f"{linear:.2f} times",
            f"{half:.2f} s -> {whole:.2f} s",
            f"linear: {met(linear <= 2.3)}",
        ),
    ]
    method = (
        f"The router decides on {args.contacts} contacts under {args.rules} rules over {QUEUES} queues. Of the rules,"
        f" 30 % have a glob or no queue, and 20 % have `any` or `none`. Of the contacts, {due / len(contacts):.0%} are"
        f" due. The seed is {args.seed}. The alternatives decide on a sample of {len(sample)} contacts with the same"
        " outcome, and their times are scaled to all contacts. The package rule-engine only finds the rule of a"
        " contact. The router also decides on the contact, with destinations and limits."
    )
    report("decide", rows, method=method)


if __name__ == "__main__":
    main()
