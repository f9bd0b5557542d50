"""Writes a contact of a proof as an ``[[example]]`` of a rule file, which ``check`` can run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, replace
from datetime import datetime

from router.decide.decide import Account
from router.decide.decision import Decision, Hold, RoutingUpdate, Transfer, Warn
from router.durations import iso
from router.model import EMPTY_QUEUE, Directory
from router.prove.examples import prove_examples
from router.prove.promises.replay import Replay, Surroundings, enforced
from router.rules.example import Example, ExampleContact, Expect
from router.rules.file.field_types import written, written_key
from router.rules.rule import RuleSet

UNLIKE = "# An example cannot give all of this contact's past and hours: check decides otherwise on it."
GROUPS = ("tags", "attributes", "segment_attributes")


def example_of(
    name: str, replay: Replay, contact: ExampleContact, account: Account, world: Surroundings, now: datetime | None
) -> tuple[Example, str]:
    """Returns the example of a contact at one instant, with what was decided on it, and its text."""
    directory = replay.stage.bound({*replay.agents, *world.agents})[0].directory
    if now is not None:
        known = {hours.name for hours in directory.hours}
        given = {name: times.is_open(now) for name, times in replay.given.items() if name in known}
        world = replace(world, hours={**world.hours, **given})
    expect = _expect(enforced(account) or account.decisions, directory)
    moved = replay.stage.limits.per_hour if world.guarded and expect is not None else 0
    example = replace(world.example(contact, now, moved=moved), name=name, expect=expect)
    return example, "\n".join(_lines(example))


def runs(ruleset: RuleSet, example: Example, replay: Replay) -> bool:
    """Returns whether ``check`` makes the same decision on the example."""
    now = example.now or replay.began_at
    results, _ = prove_examples(ruleset, [example], now=now, limits=replay.stage.limits)
    return results[0].passed


def _expect(decisions: Sequence[Decision], directory: Directory) -> Expect | None:
    """Returns the outcome as an example expects it: the move or the hold, or else another act."""
    order = (Transfer, Hold, RoutingUpdate, Warn)
    ranked = sorted(decisions, key=lambda one: order.index(type(one)))
    if not ranked or ranked[0].rule is None:
        return None
    first = ranked[0]
    warned = any(isinstance(one, Warn) and (one.rule, one.step) == (first.rule, first.step) for one in decisions)
    made = Expect(rule=first.rule or "", step=first.step, warn=warned)
    match first:
        case Transfer(target=target) if target.queue_id is not None:
            return replace(made, queue=directory.queue_name(target.queue_id))
        case Transfer(target=target):
            return replace(made, agent=directory.agent_name(target.agent_id))
        case Hold(reason=reason):
            return replace(made, hold=reason)
        case RoutingUpdate():
            return replace(made, routing=True)
        case _:
            return made


def _lines(example: Example) -> Iterator[str]:
    yield "[[example]]"
    yield f"name = {written(example.name)}"
    if example.now is not None:
        yield f"now = {iso(example.now)}"
    yield f"contact = {{ {', '.join(_contact(example.contact))} }}"
    for queue in sorted({*example.queues, *example.open}):
        yield f"queues.{written_key(queue)} = {{ {', '.join(_metrics(example, queue))} }}"
    for agent, free in example.agents.items():
        yield f"agents.{written_key(agent)} = {{ slots_available = {free} }}"
    for name, state in example.hours.items():
        yield f"hours.{written_key(name)} = {written(state)}"
    if example.moved:
        yield f"moved = {example.moved}"
    yield f"expect = {_expected(example.expect)}"


def _contact(contact: ExampleContact) -> Iterator[str]:
    for one in fields(contact):
        value = getattr(contact, one.name)
        if one.name in GROUPS:
            yield from (f"{one.name}.{written_key(key)} = {written(text)}" for key, text in value.items())
        elif value is not None and value != ():
            yield f"{one.name} = {written(list(value) if isinstance(value, tuple) else _plain(value))}"


def _plain(value: object) -> object:
    return str(value) if isinstance(value, str) else value


def _metrics(example: Example, queue: str) -> Iterable[str]:
    metrics = example.queues.get(queue, EMPTY_QUEUE)
    for one in fields(metrics):
        value = getattr(metrics, one.name)
        if value != getattr(EMPTY_QUEUE, one.name):
            yield f"{one.name} = {written(value)}"
    if queue in example.open:
        yield f"open = {written(example.open[queue])}"


def _expected(expect: Expect | None) -> str:
    if expect is None:
        return '"nothing"'
    given = []
    for one in fields(expect):
        value = getattr(expect, one.name)
        if value is not None and value is not False:
            given.append(f"{one.name} = {written(_plain(value))}")
    return "{ " + ", ".join(given) + " }"
