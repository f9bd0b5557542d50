"""Makes rules of rule tables: defaults applied, lists put in, times on the clock computed, one problem a mistake."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from router.durations import SEARCHABLE, format_duration
from router.model import METRICS
from router.problems import Place, Problem, did_you_mean
from router.rules.clock import resolve_at
from router.rules.condition import AllOf, AnyOf, Condition, NoneOf, Test
from router.rules.file.destination_table import DestinationTable
from router.rules.file.field_types import Range, written, written_key
from router.rules.file.match_table import AttributeTable, ChannelTable, HoursCondition, MatchTable, TextTable
from router.rules.file.rule_table import Defaults, GuardTable, RuleTable, StepTable
from router.rules.match_keys import MATCH_KEYS, match_key
from router.rules.placeholders import placeholders_of
from router.rules.rule import DestinationEntry, MetricLimit, Mode, OnHold, Pick, Routing, Rule, RuleGuard, Sla, Step
from router.rules.value_test import Form, HoursForm, RangeForm, TextForm
from router.toml_source import KeyPath, TomlSource

# ``match`` tables to conditions.


def compile_match(match: MatchTable, path: KeyPath, place: Callable[[KeyPath], Place]) -> Condition:
    """Returns the condition of a ``match`` table, one test a key, in the order of the documented keys.

    ``place`` returns where the value of a path is in the file.
    """
    children = tuple(_children(match, path, place))
    return children[0] if len(children) == 1 else AllOf(children)


NESTED: tuple[tuple[str, type[AnyOf | AllOf | NoneOf]], ...] = (("any", AnyOf), ("all", AllOf), ("none", NoneOf))


def _children(match: MatchTable, path: KeyPath, place: Callable[[KeyPath], Place]) -> Iterator[Condition]:
    for key, known in MATCH_KEYS.items():
        value = getattr(match, key)
        if known.group:
            for name, one in value.items():
                yield _test(f"{key}.{name}", one, f"{key}.{written_key(name)}", place((*path, key, name)))
        elif value is not None:
            yield _test(key, value, key, place((*path, key)))
    for key, kind in NESTED:
        inside: list[MatchTable] = getattr(match, key + "_") or []
        if inside:
            yield kind(tuple(compile_match(one, (*path, key, index), place) for index, one in enumerate(inside)))


def _test(key: str, value: Any, shown: str, place: Place) -> Test:
    form = form_of(key, value)
    return Test(
        key=key,
        text=f"{shown} = {written(value)}",
        fits=form,
        costs_a_call=match_key(key).costs_a_call,
        references=form.literals if key == "queue" and isinstance(form, TextForm) else (),
        place=place,
        form=form,
    )


def form_of(key: str, value: Any) -> Form:
    """Returns the test that a value of the file means, in any of the forms that its key allows."""
    names, folded = match_key(key).by_reference, match_key(key).folded
    match value:
        case HoursCondition():
            return HoursForm(value.name, value.is_)
        case Range():
            return RangeForm.of(*value.ends)
        case AttributeTable() if value.min is not None or value.max is not None:
            return RangeForm.of(value.min, value.max)
        case TextTable() | AttributeTable() | ChannelTable() if value.not_ is not None:
            return TextForm.of(_list(value.not_), negated=True, names=names, folded=folded)
        case TextTable() | AttributeTable():
            return TextForm(present=value.present, pattern=value.matches, names=names, folded=folded)
        case int() | float() | timedelta():
            return RangeForm.of(value, value)
        case _:
            return TextForm.of(_list(value), names=names, folded=folded)


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


Tables = list[DestinationTable] | list[list[DestinationTable]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiler:
    """Compiles one file. ``lists`` holds the lists that could be read.

    ``whole`` is false if ``defaults`` or a list could not be read. Then nothing that may be missing for that reason is
    reported.
    """

    source: TomlSource
    defaults: Defaults
    lists: dict[str, Tables]
    problems: list[Problem]
    whole: bool = True

    def place(self, path: KeyPath) -> Place:
        return self.source.place(path)

    def complain(self, path: KeyPath, message: str, *, of_key: bool = False) -> None:
        self.problems.append(self.source.problem(path, message, of="key" if of_key else "value"))

    def rule(self, table: RuleTable, index: int) -> Rule:
        """Returns the rule as far as it can be made; it is of use only if no problem was reported."""
        path: KeyPath = ("rule", index)
        sla = self._sla(table, path)
        steps = tuple(
            self._step(step, number, sla, (*path, "step", number - 1)) for number, step in enumerate(table.step, 1)
        )
        self._check_order(steps, path)
        rule = Rule(
            name=table.name,
            place=self.place(path),
            condition=compile_match(table.match, (*path, "match"), self.place),
            fingerprint="",
            description=table.description or "",
            mode=Mode(table.mode or self.defaults.mode or Mode.ENFORCE),
            from_at=table.from_,
            until_at=table.until,
            sla=sla,
            steps=steps,
            guard=_guard(self.defaults.guard, table.guard),
            on_hold=OnHold(table.on_hold or OnHold.WAIT),
        )
        return _with_fingerprint(rule, table)

    def _sla(self, table: RuleTable, path: KeyPath) -> Sla:
        own = table.sla
        default = self.defaults.sla.hours if self.defaults.sla else None
        hours = (own.hours if own else None) or default
        place = None
        if hours is not None:
            self._refuse_days(path)
            place = self.place((*path, "sla", "hours") if own and own.hours else ("defaults", "sla", "hours"))
        if own is None:
            return Sla(hours=hours, place=place)
        if own.target is not None:
            self._refuse_longer_than_any_wait(own.target, (*path, "sla", "target"))
        return Sla(target=own.target, clock=own.clock or "queue", hours=hours, place=place)

    def _refuse_longer_than_any_wait(self, time: timedelta, path: KeyPath) -> None:
        if time > SEARCHABLE:
            found = f"{path[-1]} is {format_duration(time)}, and must be at most {format_duration(SEARCHABLE)}"
            self.complain(path, f"{found}: Connect finds contacts of the last two years")

    def _refuse_days(self, path: KeyPath) -> None:
        raw = self.source.data["rule"][path[1]]
        times: list[tuple[KeyPath, object]] = [((*path, "sla", "target"), raw.get("sla", {}).get("target"))]
        steps = enumerate(raw.get("step", ()))
        times += [((*path, "step", index, "at"), step.get("at")) for index, step in steps]
        for where, text in times:
            if isinstance(text, str) and any(f"{digit}d" in text for digit in "0123456789"):
                self.complain(where, "the unit d is not clear where only open hours count: write hours, such as 16h")

    def _step(self, table: StepTable, number: int, sla: Sla, path: KeyPath) -> Step:
        try:
            at = resolve_at(table.at, sla.target)
        except ValueError as error:
            self.complain((*path, "at"), f"at = {json.dumps(table.at)} {error}")
            at = timedelta.min
        self._refuse_longer_than_any_wait(at, (*path, "at"))
        if table.warn is not None and "left" in placeholders_of(table.warn) and sla.target is None:
            self.complain((*path, "warn"), "{left} needs a target: give the rule an sla.target")
        routing = table.routing
        added = _added(routing.age) if routing is not None and routing.age is not None else None
        return Step(
            number=number,
            at=at,
            label=table.at,
            place=self.place(path),
            to=self._to(table, path),
            pick=Pick(table.pick or self.defaults.pick or Pick.FIRST),
            routing=Routing(priority=routing.priority, age=added) if routing is not None else None,
            warn=table.warn,
        )

    def _check_order(self, steps: tuple[Step, ...], path: KeyPath) -> None:
        placed = [step for step in steps if step.at != timedelta.min]
        for before, step in pairwise(placed):
            if step.at < before.at:
                self._complain_order(step, before, path)
        moves = [step for step in placed if step.to]
        for before, step in pairwise(moves):
            if step.at == before.at:
                where = (*path, "step", step.number - 1, "at")
                self.complain(where, f"step {before.number} moves contacts at {format_duration(step.at)} already")

    def _complain_order(self, step: Step, before: Step, path: KeyPath) -> None:
        due, sooner = format_duration(before.at), format_duration(step.at)
        message = f"steps stand in order of time: step {before.number} is due at {due}, this one at {sooner}"
        self.complain((*path, "step", step.number - 1, "at"), message)

    def _to(self, table: StepTable, path: KeyPath) -> tuple[tuple[DestinationEntry, ...], ...]:
        where: KeyPath = (*path, "to")
        if table.to is None:
            return ()
        if not isinstance(table.to, str):
            return self._tiers(table.to, where)  # type: ignore[arg-type]
        if table.to in self.lists:
            return self._tiers(self.lists[table.to], ("lists", table.to))
        if table.to not in self.source.data.get("lists", {}):
            hint = did_you_mean(table.to, self.lists)
            name = json.dumps(table.to, ensure_ascii=False)
            queue = f"; for a queue write to = [{{ queue = {name} }}]"
            self.complain(where, f"no list in [lists] is called {name}{hint}{queue}")
        return ()

    def _tiers(self, tables: Tables, path: KeyPath) -> tuple[tuple[DestinationEntry, ...], ...]:
        """Returns the tiers; a plain list of destinations is one tier."""
        plain = [(table, (*path, index)) for index, table in enumerate(tables) if isinstance(table, DestinationTable)]
        if plain:
            return (tuple(self._entry(table, here) for table, here in plain),)
        return tuple(
            tuple(self._entry(table, (*path, index, position)) for position, table in enumerate(tier))
            for index, tier in enumerate(tables)
            if isinstance(tier, list)
        )

    def _entry(self, table: DestinationTable, path: KeyPath) -> DestinationEntry:
        key, article = ("flow", "a") if table.queue is not None else ("agent_flow", "an")
        flow = table.flow or getattr(self.defaults, key)
        if flow is None and self.whole:
            hint = f"give it a flow, or the file {article} {key} in [defaults]"
            self.complain(path, f"no flow for this destination: {hint}")
        return DestinationEntry(
            flow=flow or "",
            place=self.place(path),
            queue=table.queue,
            agent=table.agent,
            agent_from=table.agent_from.partition(".")[2] if table.agent_from is not None else None,
            limits=tuple(_limits(table)),
            open=table.open,
            shorter_wait=bool(table.shorter_wait),
            require_available=table.require_available is not False,
            revisit=bool(table.revisit),
            weight=table.weight or 1,
        )


def _limits(table: DestinationTable) -> list[MetricLimit]:
    given = ((metric.name, getattr(table, metric.name)) for metric in METRICS)
    return [MetricLimit(metric, value.min, value.max) for metric, value in given if value is not None]


def _added(text: str) -> timedelta:
    return resolve_at(text.removeprefix("+"), None)


def _guard(default: GuardTable | None, own: GuardTable | None) -> RuleGuard:
    """Returns the limits, key by key: the rule's own, otherwise the file's defaults."""
    own_limits = (own.model_dump(exclude_none=True) if own else {}).items()
    defaults = default.model_dump(exclude_none=True) if default else {}
    return RuleGuard(**{**defaults, **dict(own_limits)})


def _with_fingerprint(rule: Rule, table: RuleTable) -> Rule:
    content = {
        "name": rule.name,
        "mode": rule.mode,
        "from": rule.from_at,
        "until": rule.until_at,
        "match": table.match.model_dump(mode="json", by_alias=True, exclude_none=True),
        "sla": _content(rule.sla),
        "steps": [_content(step, leave_out=("place", "label", "number")) for step in rule.steps],
        "guard": _content(rule.guard),
    }
    if rule.on_hold is not OnHold.WAIT:
        content["on_hold"] = rule.on_hold
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), default=_plain)
    return replace(rule, fingerprint=hashlib.sha256(text.encode()).hexdigest()[:16])


def _content(value: Any, *, leave_out: tuple[str, ...] = ("place",)) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in fields(value) if field.name not in leave_out}


def _plain(value: object) -> object:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return _content(value)
