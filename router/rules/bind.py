"""Binding the names of a rule set to the ids of an instance."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

from router.model import Directory, FlowId, HoursId, QueueId, Target
from router.rules.bound import BoundEntry, BoundRule, BoundRuleSet, BoundStep, Unresolved
from router.rules.condition import Condition, Test
from router.rules.form import QUEUES_OWN, HoursForm, TextForm
from router.rules.index import RuleIndex
from router.rules.instance_names import InstanceNames, Unusable
from router.rules.reach import ELSEWHERE, could_match
from router.rules.rule import Entry, Mode, Place, Rule, RuleSet, Step


def bind(ruleset: RuleSet, directory: Directory, *, agents_known: bool) -> BoundRuleSet:
    """The rules with ids in place of names. What the instance does not have is told in each rule's ``unresolved``;
    nothing raises.

    ``agents_known`` is false where the instance's users could not be listed: then every agent is unresolved.
    """
    names = InstanceNames(directory, agents_known=agents_known)
    rules = tuple(_Binder(rule, names).bound() for rule in ruleset.rules)
    return BoundRuleSet(rules=rules, revision=ruleset.revision, queue_ids=_queue_ids(rules, directory))


@dataclass(slots=True)
class _Binder:
    """Binds one rule; ``ids`` collects, in the order of the file, what its names came to."""

    rule: Rule
    names: InstanceNames
    ids: list[str | None] = field(default_factory=list)
    unresolved: dict[Unresolved, None] = field(default_factory=dict)

    def bound(self) -> BoundRule:
        condition = self._condition(self.rule.condition)
        hours_id = self._hours()
        steps = tuple(self._step(step) for step in self.rule.steps)
        said = "\n".join([self.rule.fingerprint, *(one or "" for one in self.ids)])
        return BoundRule(
            rule=replace(self.rule, condition=condition),
            steps=steps,
            fingerprint=hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:16],
            unresolved=() if self.rule.mode is Mode.OFF else tuple(self.unresolved),
            hours_id=hours_id,
        )

    def _settle(self, found: str | Unusable, place: Place) -> str | None:
        if isinstance(found, Unusable):
            self.unresolved[Unresolved(place, str(found))] = None
            found_id = None
        else:
            found_id = found
        self.ids.append(found_id)
        return found_id

    def _condition(self, condition: Condition) -> Condition:
        if isinstance(condition, Test):
            return self._test(condition)
        children = tuple(self._condition(child) for child in condition.children)
        return type(condition)(children)

    def _test(self, test: Test) -> Test:
        form, place = test.form, test.place or self.rule.place
        if isinstance(form, HoursForm):
            return self._hours_test(test, form, place)
        if test.key != "queue" or not isinstance(form, TextForm) or not form.literals:
            return test
        found = [(name, self._settle(self.names.source_queue(name), place)) for name in form.literals]
        bound = form.with_literals(found_id or name for name, found_id in found)
        return replace(test, fits=bound, form=bound)

    def _hours_test(self, test: Test, form: HoursForm, place: Place) -> Test:
        """Which hours are meant becomes part of the key; without, they are not known."""
        found = QUEUES_OWN if form.name == QUEUES_OWN else self._settle(self.names.hours(form.name), place)
        return test if found is None else replace(test, key=f"hours.{found}")

    def _hours(self) -> HoursId | None:
        name = self.rule.sla.hours
        if name is None or name == QUEUES_OWN:
            return None
        found = self._settle(self.names.hours(name), self.rule.sla.place or self.rule.place)
        return HoursId(found) if found is not None else None

    def _step(self, step: Step) -> BoundStep:
        return BoundStep(step=step, tiers=tuple(tuple(self._entry(entry) for entry in tier) for tier in step.to))

    def _entry(self, entry: Entry) -> BoundEntry:
        found = self._settle(self.names.flow(entry.flow, to_agent=entry.queue is None), entry.place)
        flow_id = FlowId(found) if found is not None else None
        if entry.queue is not None:
            queue = self._settle(self.names.destination_queue(entry.queue), entry.place)
            return BoundEntry(entry, _target(flow_id, queue_id=queue), flow_id)
        if entry.agent is not None:
            agent = self._settle(self.names.agent(entry.agent), entry.place)
            return BoundEntry(entry, _target(flow_id, agent_id=agent), flow_id)
        return BoundEntry(entry, None, flow_id)


def _target(flow_id: FlowId | None, *, queue_id: str | None = None, agent_id: str | None = None) -> Target | None:
    if flow_id is None or (queue_id is None and agent_id is None):
        return None
    return Target(flow_id=flow_id, queue_id=queue_id, agent_id=agent_id)  # type: ignore[arg-type]


def _queue_ids(rules: tuple[BoundRule, ...], directory: Directory) -> frozenset[QueueId] | None:
    """Every queue whose contacts a rule that is not off could match or move to; ``None``: any queue's."""
    used = [rule for rule in rules if rule.rule.mode is not Mode.OFF]
    if any(could_match(rule.condition, ELSEWHERE) for rule in used):
        return None
    index = RuleIndex(used)
    standard = (queue for queue in directory.queues if queue.agent_id is None)
    met = (queue.id for queue in standard if index.meeting((queue.name, queue.id)))
    return frozenset(met).union(*(rule.destination_queues for rule in used))
