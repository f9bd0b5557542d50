"""Runs ``[[example]]`` tables on the code that decides in service."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from router.decide.decide import Account, decide
from router.decide.decision import Decision, Hold, RoutingUpdate, Transfer, Warn
from router.decide.govern import trace
from router.decide.snapshot import Limits, Snapshot
from router.decide.tried_rule import Role, TriedRule
from router.decide.waiting_contact import WaitingContact
from router.durations import format_duration
from router.model import Directory
from router.problems import did_you_mean
from router.prove.coverage import Coverage, Exercised
from router.prove.example_history import CONTACT, age_of, on_chain_clock
from router.prove.example_instance import directory_of, unknown_hours
from router.prove.example_world import ExampleWorld
from router.rules.bind import bind
from router.rules.bound import BoundRule, BoundRuleSet
from router.rules.clock import closed
from router.rules.condition import AllOf, Condition, Test, Truth
from router.rules.example import Example, Expect
from router.rules.rule import Place, RuleSet


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleResult:
    """Records the outcome of one example; ``message`` compares expectation and decision, empty if the example
    passed."""

    name: str
    place: Place
    passed: bool
    message: str = ""


def prove_examples(
    ruleset: RuleSet,
    examples: Iterable[Example],
    *,
    now: datetime,
    limits: Limits | None = None,
    covering: bool = False,
) -> tuple[tuple[ExampleResult, ...], Coverage | None]:
    """Runs every example on all the rules, in an instance that has every name of theirs. Raises nothing.

    ``now`` is for the examples that give none; ``limits`` are the service's (a rule's own guards apply as well). Rules
    in ``observe`` act as side rules, like in service; rules that are ``off`` do not count. With ``covering`` the
    coverage is returned as well, failed examples included.
    """
    given = tuple(examples)
    directory = directory_of(ruleset, given)
    rules = bind(ruleset, directory, agents_known=True)
    world = ExampleWorld.of(directory)
    exercised = Exercised(rules) if covering else None
    results = tuple(_run(example, rules, world, now, limits or Limits(), exercised) for example in given)
    return results, exercised.coverage() if exercised is not None else None


def _run(
    example: Example,
    rules: BoundRuleSet,
    world: ExampleWorld,
    now: datetime,
    limits: Limits,
    exercised: Exercised | None,
) -> ExampleResult:
    rule = rule_of(example, rules)
    if rule is None and example.contact.progress is not None:
        message = f"no rule has a to step at {format_duration(example.contact.progress)}, the progress of the contact"
        return ExampleResult(name=example.name, place=example.place, passed=False, message=message)
    if (wrong := _contradiction(example, rule, world.directory)) is not None:
        return ExampleResult(name=example.name, place=example.place, passed=False, message=wrong)
    snapshot = world.snapshot_of(example, rule, now=now, limits=limits)
    account = decide(snapshot, rules).accounts[CONTACT]
    if exercised is not None:
        exercised.add(snapshot, account)
    wrong = _Comparison(example.expect, account, snapshot, rules).wrong()
    return ExampleResult(name=example.name, place=example.place, passed=wrong is None, message=wrong or "")


def _contradiction(example: Example, rule: BoundRule | None, directory: Directory) -> str | None:
    """Returns what the example gives although no rule uses it, or what cannot be true; ``None`` without a
    contradiction."""
    if (name := unknown_hours(example, directory)) is not None:
        hint = did_you_mean(name, [hours.name for hours in directory.hours])
        return f'no rule uses hours of operation "{name}"{hint}'
    if example.moved and rule is None:
        return "moved counts the moves of the expected rule, and no rule is expected"
    contact = example.contact
    both = contact.clock is not None and contact.age is not None
    if both and contact.clock != contact.age and on_chain_clock(rule):
        return f'the clock of "{example.expect.rule if example.expect else ""}" is the age: give clock or age, not both'
    age = age_of(example) if on_chain_clock(rule) else contact.age
    if age is not None and contact.waited is not None and contact.waited > age:
        return "the contact has waited longer than its chain is old"
    return None


def rule_of(example: Example, rules: BoundRuleSet) -> BoundRule | None:
    """Returns the rule whose clock and progress the contact has: the expected rule, or the first with a step at
    that time."""
    if example.expect is not None:
        place = rules.positions.get(example.expect.rule)
        return None if place is None else rules.rules[place]
    progress = example.contact.progress
    return next((rule for rule in rules.rules if any(step.step.at == progress for step in rule.to_steps)), None)


@dataclass(frozen=True, slots=True)
class _Comparison:
    expect: Expect | None
    account: Account
    snapshot: Snapshot
    rules: BoundRuleSet

    def wrong(self) -> str | None:
        """Returns what was decided instead of what was expected; ``None`` if the expectation holds."""
        expect, received = self.expect, self.account.decisions
        if expect is None:
            return f"expected nothing, got {self._received()}" if received else None
        if expect.due is not None:
            return self._wrong_time(expect, expect.due)
        if not any(self._fits(expect, decision) for decision in received):
            return f"expected {_expected(expect)}, got {self._received()}"
        if expect.warn and not any(_is_step(expect, one) for one in received if isinstance(one, Warn)):
            return f"expected a warning as well, got {self._received()}"
        return None

    def _fits(self, expect: Expect, decision: Decision) -> bool:
        if not _is_step(expect, decision):
            return False
        match decision:
            case Transfer(target=target) if target.queue_id is not None:
                queue = self.snapshot.directory.queue(expect.queue) if expect.queue is not None else None
                return queue is not None and queue.id == target.queue_id
            case Transfer(target=target):
                agent = self.snapshot.directory.agent(expect.agent) if expect.agent is not None else None
                return agent is not None and agent.id == target.agent_id
            case Hold(reason=reason):
                return reason is expect.hold
            case RoutingUpdate():
                return expect.routing
            case Warn():
                return expect.warn and not (expect.queue or expect.agent or expect.routing or expect.hold)

    def _wrong_time(self, expect: Expect, due: timedelta) -> str | None:
        expected = f'expected "{expect.rule}" due in {format_duration(due)}'
        governance = self.account.governance
        acting = governance.acting if governance is not None else ()
        rule = next((tried for tried in acting if tried.rule.name == expect.rule), None)
        if rule is None or rule.anything_due:
            return f"{expected}, got {self._received()}"
        if rule.next_due_at is not None and rule.next_due_at - self.snapshot.now == due:
            return None
        return f"{expected}, got {_when(rule, self.snapshot.now)}"

    def _received(self) -> str:
        if not self.account.decisions:
            return f"nothing ({self._why_nothing()})"
        return " and ".join(self._described(decision) for decision in self.account.decisions)

    def _described(self, decision: Decision) -> str:
        """Describes the decision, with its rule and step unless they are the expected ones."""
        text = self._outcome(decision)
        expect = self.expect
        if expect is not None and _is_step(expect, decision):
            return text
        step = f"step {decision.step} of " if decision.step is not None else ""
        return f'{text} by {step}"{decision.rule}"'

    def _outcome(self, decision: Decision) -> str:
        match decision:
            case Transfer(target=target) if target.queue_id is not None:
                return f'queue "{self.snapshot.directory.queue_name(target.queue_id)}"'
            case Transfer(target=target):
                return f'agent "{self.snapshot.directory.agent_name(target.agent_id)}"'
            case Hold(reason=reason, detail=detail):
                return f"hold {reason} ({detail})" if detail else f"hold {reason}"
            case RoutingUpdate():
                return "routing"
            case Warn():
                return "a warning"

    def _why_nothing(self) -> str:
        """Returns the role of the expected rule, or else which rule governs."""
        assert self.account.wait is not None, "an example's contact is no stale sighting"
        waiting = WaitingContact(self.account.contact, self.account.wait, self.snapshot)
        tried = {one.rule.name: one for one in trace(waiting, self.rules.rules, self.account.governance)}
        governing = next((one for one in tried.values() if one.role is Role.GOVERNS), None)
        mine = tried.get(self.expect.rule) if self.expect is not None else governing
        if mine is None:
            return "no rule matches" if governing is None else f'"{governing.rule.name}" governs'
        return _what_it_is(mine, self.snapshot.now)


def _is_step(expect: Expect, decision: Decision) -> bool:
    return decision.rule == expect.rule and expect.step in (None, decision.step)


def _expected(expect: Expect) -> str:
    if expect.queue is not None:
        return f'queue "{expect.queue}"'
    if expect.agent is not None:
        return f'agent "{expect.agent}"'
    if expect.hold is not None:
        return f"hold {expect.hold}"
    return "routing" if expect.routing else "a warning"


def _what_it_is(tried: TriedRule, now: datetime) -> str:
    name = f'"{tried.rule.name}"'
    if tried.role is Role.NO_MATCH and tried.match is not None:
        failed = [f"{seen.test.text}" for seen in tried.match.seen if seen.truth is Truth.NO]
        needed = [test.text for test in _needed(tried.rule.rule.condition)]
        return f"{name} does not match: {'; '.join(text for text in needed if text in failed) or 'see its conditions'}"
    if tried.due is None:
        return f"{name} {tried.role.value}"
    return f"{name} {tried.role.value}, {_when(tried, now)}"


def _when(tried: TriedRule, now: datetime) -> str:
    """Describes what the rule does next; an act that is held or over is left out."""
    if tried.due is not None and tried.due.next_at is not None and closed(now, tried.calendar):
        return "its hours of operation are closed"
    if tried.next_due_at is None:
        return "nothing is due any more"
    return f"due in {format_duration(tried.next_due_at - now)}"


def _needed(condition: Condition) -> tuple[Test, ...]:
    """Returns the tests of which every one has to hold."""
    if isinstance(condition, Test):
        return (condition,)
    return tuple(one for one in condition.children if isinstance(one, Test)) if isinstance(condition, AllOf) else ()
