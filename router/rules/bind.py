"""Binds the names of a rule set to the ids of an instance."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from router.model import Directory, Flow, FlowId, FlowType, Home, HoursId, Queue, QueueId, Target
from router.problems import did_you_mean
from router.rules.bound import BoundEntry, BoundRule, BoundRuleSet, BoundStep, Unresolved
from router.rules.condition import Condition, NoneOf, Test, tests_of
from router.rules.file.field_types import written
from router.rules.queue_index import ELSEWHERE, RuleIndex, could_match
from router.rules.rule import DestinationEntry, Mode, Place, Rule, RuleSet, Step
from router.rules.value_test import QUEUES_OWN, HoursForm, TextForm

ALLOWED = {
    False: (FlowType.INBOUND, FlowType.QUEUE_TRANSFER),
    True: (FlowType.INBOUND, FlowType.AGENT_TRANSFER),
}
"""Flow types by whether the destination is an agent; TransferContact takes no other (API_TransferContact)."""


class Unusable(str):
    """Explains to people why a name cannot be used."""

    __slots__ = ()


class ForeignArn(Unusable):
    """Explains why an ARN is not that of such a thing in this instance, which needs no look at the instance."""

    __slots__ = ()


class InstanceNames:
    """Looks up names, ids and ARNs. Each look-up returns the id, or why it cannot be used.

    A name that several things have cannot be used.
    """

    def __init__(self, directory: Directory, *, agents_known: bool) -> None:
        self._directory = directory
        self._agents_known = agents_known
        standard = (queue.name for queue in directory.queues if queue.agent_id is None)
        self._queues = _Names("queue", directory.home, standard)
        self._agents = _Names("agent", directory.home, (agent.name for agent in directory.agents))
        self._flows = _Names("flow", directory.home, (flow.name for flow in directory.flows))
        self._hours = _Names("hours of operation", directory.home, (hours.name for hours in directory.hours))

    def source_queue(self, reference: str) -> str | Unusable:
        """Returns the id of a queue whose contacts a rule matches."""
        found = self._directory.queue(reference)
        return self._queues.trouble(reference, found) or _own(reference, found)

    def destination_queue(self, reference: str) -> str | Unusable:
        found = self._directory.queue(reference)
        if found is not None and found.enabled is False:
            return Unusable(f"queue {written(reference)} is disabled")
        return self._queues.trouble(reference, found) or _own(reference, found)

    def agent(self, reference: str) -> str | Unusable:
        if not self._agents_known:
            return Unusable(f"agent {written(reference)} is not known: the instance's users could not be listed")
        found = self._directory.agent(reference)
        return self._agents.trouble(reference, found) or _id(found)

    def flow(self, reference: str, *, to_agent: bool) -> str | Unusable:
        """Returns the id of a flow that may do the move: in use, published, of a type that the destination allows."""
        found = self._directory.flow(reference)
        return self._flows.trouble(reference, found) or _unfit(reference, found, to_agent) or _id(found)

    def hours(self, reference: str) -> str | Unusable:
        found = self._directory.opening_hours(reference)
        return self._hours.trouble(reference, found) or _id(found)


class _Names:
    def __init__(self, kind: str, home: Home, names: Iterable[str]) -> None:
        self._kind = kind
        self._home = home
        self._count = Counter(names)

    def trouble(self, reference: str, found: object | None) -> Unusable | None:
        shown = f"{self._kind} {written(reference)}"
        if found is None and (objection := self._home.objection(reference, self._kind)) is not None:
            return ForeignArn(f"{shown} {objection}")
        if found is None:
            hint = did_you_mean(reference, self._count)
            verb = "do" if self._kind.startswith("hours") else "does"
            return Unusable(f"{shown} {verb} not exist in the instance{hint}")
        if self._count[reference] > 1:
            return Unusable(f"{shown} is the name of {self._count[reference]} of them in the instance: use the id")
        return None


def _id(found: object) -> str:
    return str(found.id)  # type: ignore[attr-defined]


def _own(reference: str, queue: Queue | None) -> str | Unusable:
    if queue is not None and queue.agent_id is not None:
        return Unusable(f"queue {written(reference)} is an agent's own queue: rules name the agent")
    return _id(queue)


def _unfit(reference: str, flow: Flow | None, to_agent: bool) -> Unusable | None:
    assert flow is not None
    shown = f"flow {written(reference)}"
    if not flow.active:
        return Unusable(f"{shown} is archived")
    if not flow.published:
        return Unusable(f"{shown} is not published")
    if flow.type is FlowType.OTHER:
        return Unusable(f"{shown} is of a type that transfers no contact")
    if flow.type not in ALLOWED[to_agent]:
        destination = "an agent" if to_agent else "a queue"
        return Unusable(f"{shown} is of type {flow.type}, which {destination} destination does not allow")
    return None


# Only the parts of an instance that the rules mention are listed, because each list costs calls.


def mentions_hours(ruleset: RuleSet) -> bool:
    """Returns whether any rule uses hours of operation: by name, as a queue's own, or for an open destination."""
    return any(_counts_hours(rule) for rule in ruleset.rules if rule.mode is not Mode.OFF)


def mentions_agents(ruleset: RuleSet) -> bool:
    """Returns whether a step may send contacts to an agent, named in the rules or by the contact."""
    return any(entry.queue is None for rule in ruleset.rules for step in rule.steps for entry in step.entries)


def _counts_hours(rule: Rule) -> bool:
    conditional = any(entry.open is not None for step in rule.steps for entry in step.entries)
    by_hours = any(isinstance(test.form, HoursForm) for test in tests_of(rule.condition))
    return rule.sla.hours is not None or conditional or by_hours


def bind(ruleset: RuleSet, directory: Directory, *, agents_known: bool) -> BoundRuleSet:
    """Returns the rules with ids in place of names. A rule's ``unresolved`` lists what the instance does not have.

    Nothing raises. ``agents_known`` is false if the instance's users could not be listed: then every agent is
    unresolved.
    """
    names = InstanceNames(directory, agents_known=agents_known)
    rules = tuple(_Binder(rule, names).bound() for rule in ruleset.rules)
    return BoundRuleSet(rules=rules, revision=ruleset.revision, queue_ids=_queue_ids(rules, directory))


def foreign_arns(ruleset: RuleSet, home: Home) -> Iterator[Unresolved]:
    """Yields the ARNs of rules and promises that are not of this instance, as far as the configuration names it."""
    if not any(b"arn:" in text for _, text in ruleset.sources):
        return iter(())
    directory = Directory(home=home)
    bound = bind(ruleset, directory, agents_known=True)
    named = (one for rule in bound.rules for one in rule.unresolved)
    return (one for one in (*named, *unresolved_promises(ruleset, directory)) if one.foreign)


def unresolved_promises(ruleset: RuleSet, directory: Directory) -> Iterator[Unresolved]:
    """Yields the queues of promises that the instance does not have, or has in a way that cannot be used."""
    names = InstanceNames(directory, agents_known=True)
    for promise in ruleset.promises:
        for place, name in promise.named_queues():
            found = names.source_queue(name)
            if isinstance(found, Unusable):
                message = f"promise {written(promise.name)}: {found}"
                yield Unresolved(place, message, foreign=isinstance(found, ForeignArn))


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
        content = "\n".join([self.rule.fingerprint, *(one or "" for one in self.ids)])
        return BoundRule(
            rule=replace(self.rule, condition=condition),
            steps=steps,
            fingerprint=hashlib.sha256(content.encode("utf-8", "replace")).hexdigest()[:16],
            unresolved=() if self.rule.mode is Mode.OFF else tuple(self.unresolved),
            hours_id=hours_id,
        )

    def _settle(self, found: str | Unusable, place: Place, *, skipped: bool = False) -> str | None:
        if isinstance(found, Unusable):
            self.unresolved[Unresolved(place, str(found), skipped, isinstance(found, ForeignArn))] = None
            found_id = None
        else:
            found_id = found
        self.ids.append(found_id)
        return found_id

    def _condition(self, condition: Condition, *, negated: bool = False) -> Condition:
        if isinstance(condition, Test):
            return self._test(condition, negated=negated)
        negated = negated or isinstance(condition, NoneOf)
        children = tuple(self._condition(child, negated=negated) for child in condition.children)
        return type(condition)(children)

    def _test(self, test: Test, *, negated: bool) -> Test:
        """Returns the test with ids. A queue that does not exist matches nothing, and its absence changes nothing else
        unless the condition is negated: then it would match too much."""
        form, place = test.form, test.place or self.rule.place
        if isinstance(form, HoursForm):
            return self._hours_test(test, form, place)
        if test.key != "queue" or not isinstance(form, TextForm) or not form.literals:
            return test
        skipped = not (negated or form.negated)
        found = [
            (name, self._settle(self.names.source_queue(as_written), place, skipped=skipped))
            for name, as_written in zip(form.literals, form.as_written, strict=True)
        ]
        bound = form.with_literals(found_id or name for name, found_id in found)
        return replace(test, fits=bound, form=bound)

    def _hours_test(self, test: Test, form: HoursForm, place: Place) -> Test:
        """Returns the test with the hours' id as part of its key; without an id, the hours are not known."""
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

    def _entry(self, entry: DestinationEntry) -> BoundEntry:
        flow = self.names.flow(entry.flow, to_agent=entry.queue is None)
        found = self._settle(flow, entry.place, skipped=True)
        flow_id = FlowId(found) if found is not None else None
        if entry.queue is not None:
            queue = self._settle(self.names.destination_queue(entry.queue), entry.place, skipped=True)
            return BoundEntry(entry, _target(flow_id, queue_id=queue), flow_id)
        if entry.agent is not None:
            agent = self._settle(self.names.agent(entry.agent), entry.place, skipped=True)
            return BoundEntry(entry, _target(flow_id, agent_id=agent), flow_id)
        return BoundEntry(entry, None, flow_id)


def _target(flow_id: FlowId | None, *, queue_id: str | None = None, agent_id: str | None = None) -> Target | None:
    if flow_id is None or (queue_id is None and agent_id is None):
        return None
    return Target(flow_id=flow_id, queue_id=queue_id, agent_id=agent_id)  # type: ignore[arg-type]


def _queue_ids(rules: tuple[BoundRule, ...], directory: Directory) -> frozenset[QueueId] | None:
    """Returns every queue whose contacts a rule that is not off could match or move to; ``None`` means any queue."""
    used = [rule for rule in rules if rule.rule.mode is not Mode.OFF]
    if any(could_match(rule.condition, ELSEWHERE) for rule in used):
        return None
    index = RuleIndex(used)
    standard = (queue for queue in directory.queues if queue.agent_id is None)
    met = (queue.id for queue in standard if index.meeting((queue.name, queue.id)))
    return frozenset(met).union(*(rule.destination_queues for rule in used))
