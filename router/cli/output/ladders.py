"""Shows a rule's ladder as times, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.text import Text

from router.cli.output.tables import print_lines, seconds, text
from router.durations import format_duration
from router.rules.condition import AllOf, AnyOf, Condition, Test
from router.rules.file.field_types import written
from router.rules.rule import DestinationEntry, Mode, OnHold, Routing, Rule, Step
from router.rules.value_test import QUEUES_OWN


def print_ladders(rules: tuple[Rule, ...], console: Console) -> None:
    print_lines((line for rule in rules for line in _ladder(rule)), console)


def _ladder(rule: Rule) -> Iterator[Text]:
    yield _heading(rule)
    yield text(f"  when  {written_condition(rule.condition)}")
    if (line := _clock(rule)) is not None:
        yield text(f"  {line}")
    yield from (_rung(step) for step in rule.steps)
    if rule.excludes:
        yield text("  no steps: the rules below leave these contacts alone")
    if rule.on_hold is OnHold.NEXT:
        yield text("  while it holds a contact, the next matching rule governs")
    yield text("")


def ladder_json(rule: Rule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "file": rule.place.file,
        "line": rule.place.line,
        "description": rule.description,
        "mode": rule.mode.value,
        "target_s": seconds(rule.sla.target),
        "clock": rule.sla.clock,
        "hours": rule.sla.hours,
        "on_hold": rule.on_hold.value,
        "steps": [
            {
                "step": step.number,
                "at_s": seconds(step.at),
                "label": step.label,
                "to": [[destination(entry) for entry in tier] for tier in step.to],
                "routing": _routing_json(step.routing),
                "warn": step.warn,
            }
            for step in rule.steps
        ],
    }


def _clock(rule: Rule) -> str | None:
    """Returns the clock of the ladder's times, ``None`` if it is the usual one."""
    target, hours = rule.sla.target, rule.sla.hours
    of = "the queue's own hours" if hours == QUEUES_OWN else f"hours {written(hours)}" if hours is not None else ""
    if target is not None:
        counted = f" of {of}" if of else ""
        return f"promised within {format_duration(target)}{counted}, on the {rule.sla.clock} clock"
    if rule.sla.clock == "chain":
        return f"on the chain clock, counts {of} only" if of else "on the chain clock"
    return f"counts {of} only" if of else None


def _heading(rule: Rule) -> Text:
    line = text(rule.name, "bold")
    line.append(f"  {rule.place}", style="dim")
    if rule.mode is not Mode.ENFORCE:
        line.append(f"  mode {rule.mode.value}", style="yellow")
    if rule.description:
        line.append_text(text(f"  {rule.description}"))
    return line


def _rung(step: Step) -> Text:
    """Returns a step's line, such as ``+2h  breach  overflow -> Billing Overflow | General``."""
    line = text(f"  +{format_duration(step.at):<8}", "cyan")
    line.append_text(text(f"{step.label:<14}", "dim"))
    line.append_text(text("; ".join(_acts(step))))
    return line


def _acts(step: Step) -> Iterator[str]:
    if step.to:
        tiers = [" | ".join(destination(entry) for entry in tier) for tier in step.to]
        picked = "" if step.pick.value == "first" else f" ({step.pick.value})"
        yield f"-> {', else '.join(tiers)}{picked}"
    if step.routing is not None:
        yield written_routing(step.routing)
    if step.warn is not None:
        yield f"warn {written(step.warn)}"


def written_routing(routing: Routing) -> str:
    """Returns the routing, such as ``routing priority 2`` or ``routing age +10m``."""
    added = f"age +{format_duration(routing.age)}" if routing.age is not None else f"priority {routing.priority}"
    return f"routing {added}"


def _routing_json(routing: Routing | None) -> dict[str, Any] | None:
    return None if routing is None else {"priority": routing.priority, "age_s": seconds(routing.age)}


def destination(entry: DestinationEntry) -> str:
    """Returns the destination as the rule file names it."""
    return entry.queue or (f"agent {entry.agent}" if entry.agent is not None else f"agent of {entry.agent_from}")


def written_condition(condition: Condition) -> str:
    """Returns the condition on one line."""
    if isinstance(condition, Test):
        return condition.text
    parts = [_in_brackets(child) for child in condition.children]
    if isinstance(condition, AllOf):
        return " and ".join(parts)
    return " or ".join(parts) if isinstance(condition, AnyOf) else f"none of ({', '.join(parts)})"


def _in_brackets(condition: Condition) -> str:
    shown = written_condition(condition)
    several = isinstance(condition, AllOf | AnyOf) and len(condition.children) > 1
    return f"({shown})" if several else shown
