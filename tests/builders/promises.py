"""Makes random rule files with promises, and contacts that live through the times and hours of a promise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

from router.decide.decision import Decision, RoutingUpdate, Transfer, Warn
from router.decide.snapshot import Limits
from router.model import Channel, Directory, HoursId
from router.prove.promises.acts import content
from router.prove.promises.answer import Answer, world_of
from router.prove.promises.governance import RuleBook
from router.prove.promises.prove import prove_promises
from router.prove.promises.prover import PromiseProver
from router.prove.promises.replay import NOWHERE, ProofInstance, Replay, Surroundings, enforced
from router.prove.promises.verdict import PromiseVerdict, ProofOutcome
from router.rules.calendar import NEVER
from router.rules.clock import OpenTimes
from router.rules.condition import tests_of
from router.rules.example import ExampleContact
from router.rules.load import parse_rules
from router.rules.promise import EVERY_CONTACT, Act, Assumption, AtMost, Never, StatedPromise, Within
from router.rules.rule import RuleSet
from router.rules.value_test import RangeForm, Value

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
QUEUES = ("Alpha", "Beta", "Beta 2", "Gamma")
MINUTES = (0, 5, 10, 15, 20, 30, 40, 60)
FORMS = (
    '"x"',
    '["x", "y"]',
    '"x*"',
    '"*y*"',
    '{ not = "x*" }',
    "{ present = true }",
    "{ present = false }",
    '{ matches = "x[yz]+|7.?" }',
    '{ matches = "(?i)X?y|ann$" }',
    '{ not = ["y", "7*"] }',
)
TEXTS = ("x", "xy", "xyz", "y", "7", "12", "-0.5", "7x", "", "ann")
MOST_TRIES = 60
"""How many contacts are drawn until the promise is about one."""
LIMITS = Limits(cooldown=timedelta(minutes=2))


def rule_file(random: Random) -> str:
    """Returns the text of a rule file with two to five rules and some promises."""
    made = _Writer(random)
    parts = ['[defaults]\nflow = "F"\nagent_flow = "A"']
    parts += [made.rule(number) for number in range(random.randint(1, 5))]
    named = any(quoted("H") in part for part in parts)
    for number in range(4):
        parts.append(made.promise(number))
        if named and random.random() < 0.3:
            parts.append(made.times_of_day())
    return "\n".join(parts) + "\n"


def quoted(text: str) -> str:
    return f'"{text}"'


@dataclass
class _Writer:
    random: Random

    def some(self, *values: str) -> str:
        return self.random.choice(values)

    def maybe(self, chance: float, text: str) -> str:
        return text if self.random.random() < chance else ""

    def hours(self) -> str:
        return self.some(quoted("H"), quoted("queue"))

    def minutes(self) -> str:
        return f'"{self.random.choice(MINUTES)}m"'

    def queue(self) -> str:
        one, two = self.random.sample(QUEUES, 2)
        return self.some(
            f'"{one}"', f'["{one}", "{two}"]', '"Beta*"', '"*"', f'{{ not = "{one}" }}', '{ matches = "B.*|Al+.ha" }'
        )

    def text(self) -> str:
        return self.some(*FORMS)

    def number(self) -> str:
        return self.some("7", "{ min = 1, max = 12 }", "{ max = 0 }", "{ min = 8.5 }")

    def span(self) -> str:
        low, high = sorted(self.random.sample(MINUTES, 2))
        return self.some(f'{{ min = "{low}m" }}', f'{{ max = "{high}m" }}', f'{{ min = "{low}m", max = "{high}m" }}')

    def conditions(self, *, timed: bool = True, deep: bool = True) -> str:
        kinds = ["channel", "queue", "tag", "tag", "number", "name", "hours", "transfers", "priority", "method"]
        kinds += ["waited", "age"] * timed + ["nested"] * 2 * deep
        found: dict[str, str] = {}
        for kind in self.random.sample(kinds, self.random.choice((1, 1, 2, 3))):
            found.update([self._condition(kind, timed)])
        return "{ " + ", ".join(f"{key} = {value}" for key, value in found.items()) + " }"

    def _condition(self, kind: str, timed: bool) -> tuple[str, str]:
        match kind:
            case "channel":
                return "channel", self.some('"TASK"', '"EMAIL"')
            case "queue":
                return "queue", self.queue()
            case "tag":
                return "tags.t", self.text()
            case "number":
                return "attributes.n", self.some(self.number(), self.text())
            case "name":
                return "name", self.text()
            case "hours":
                return "hours", f"{{ name = {self.hours()}, is = {self.some(quoted('open'), quoted('closed'))} }}"
            case "transfers":
                return "transfers", self.some("{ max = 0 }", "{ min = 1 }", "{ min = 2, max = 3 }")
            case "priority":
                return "priority", self.some("{ max = 4 }", "{ min = 5 }")
            case "method":
                return "initiation_method", self.some('"API"', '"TRANSFER"', '{ not = "API" }')
            case "waited" | "age":
                return kind, self.span()
        inside = ", ".join(self.conditions(timed=timed, deep=False) for _ in range(self.random.randint(1, 2)))
        return self.some("any", "all", "none"), f"[{inside}]"

    def rule(self, number: int) -> str:
        random = self.random
        scope = self.maybe(0.7, f"all = [{{ queue = {self.queue()} }}]")
        match = self.conditions()
        lines = [
            "[[rule]]",
            f'name = "r{number}"',
            f"match = {{ {', '.join(filter(None, (f'any = [{match}]', scope)))} }}",
        ]
        hours = self.maybe(0.25, f"hours = {self.hours()}")
        clock = self.maybe(0.25, 'clock = "chain"')
        lines += [f"sla = {{ {', '.join(filter(None, (hours, clock)))} }}"]
        lines += [self.maybe(0.3, 'on_hold = "next"'), self.maybe(0.1, 'mode = "observe"')]
        lines += [self.maybe(0.08, "from = 2026-06-01T12:10:00Z"), self.maybe(0.08, "until = 2026-06-01T12:20:00Z")]
        guards = [self.maybe(0.06, "enqueued_after = 2026-06-01T12:00:00Z"), self.maybe(0.1, "max_transfers = 1")]
        lines.append(f"guard = {{ {', '.join(filter(None, guards))} }}")
        times = sorted(random.sample(MINUTES, random.choice((0, 1, 1, 2, 2, 3))))
        return "\n".join((*filter(None, lines), *(self.step(time) for time in times)))

    def step(self, minutes: int) -> str:
        kind = self.random.random()
        lines = ["[[rule.step]]", f'at = "{minutes}m"']
        if kind < 0.65:
            lines.append(f"to = {self.destinations()}")
            lines.append(self.maybe(0.2, f"pick = {self.some(quoted('most-slots'), quoted('round-robin'))}"))
        elif kind < 0.8:
            lines.append("routing = { priority = 2 }")
        if kind >= 0.8 or self.random.random() < 0.2:
            lines.append('warn = "late"')
        return "\n".join(filter(None, lines))

    def destinations(self) -> str:
        entries = [self.entry() for _ in range(self.random.choice((1, 1, 2, 2, 3)))]
        if self.random.random() < 0.2:
            return "[" + ", ".join(f"[{one}]" for one in entries) + "]"
        return "[" + ", ".join(entries) + "]"

    def entry(self) -> str:
        if self.random.random() < 0.2:
            return self.some(
                '{ agent = "ann" }', '{ agent = "bob", require_available = false }', '{ agent_from = "attributes.n" }'
            )
        conditions = [
            self.maybe(0.3, "slots_available = { min = 1 }"),
            self.maybe(0.1, "contacts_in_queue = { max = 5 }"),
            self.maybe(0.1, "shorter_wait = true"),
            self.maybe(0.12, f"open = {self.some('true', 'true', 'false')}"),
            self.maybe(0.3, "revisit = true"),
        ]
        return "{ " + ", ".join(filter(None, (f'queue = "{self.some(*QUEUES)}"', *conditions))) + " }"

    def times_of_day(self) -> str:
        """Returns the hours ``H`` of a promise: open or closed for some minutes of the wait, or until the next day."""
        ends = sorted(self.random.sample(range(11 * 60 + 50, 13 * 60), 4))
        first, second = (
            "-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in pair) for pair in (ends[:2], ends[2:])
        )
        turned = "-".join(reversed(first.split("-")))
        return self.some(
            f"hours.H = {quoted(first)}",
            f"hours.H = {quoted(turned)}",
            f"hours.H = [{{ between = {quoted(first)} }}, {{ between = {quoted(second)} }}]",
            f'hours.H = {{ days = ["SUNDAY", "MONDAY"], between = {quoted(self.some(first, turned))} }}',
            f'hours.H = {{ days = ["TUESDAY"], between = {quoted(first)} }}',
        )

    def promise(self, number: int) -> str:
        random, kind = self.random, self.random.random()
        lines = ["[[promise]]", f'name = "p{number}"']
        if kind < 0.5:
            lines.append(self.maybe(0.8, f"match = {self.conditions(timed=False)}"))
            limit = f'"{random.choice(MINUTES[1:])}m"'
            lines.append(f"within = {self.some(limit, limit, f'{{ age = {limit} }}')}")
            acts = ('["move"]', '["move", "warn"]', '["any"]', '["warn"]', '["routing", "warn"]')
            lines.append(f"act = {self.some(*acts)}")
        elif kind < 0.8:
            lines.append(self.maybe(0.6, f"match = {self.conditions()}"))
            hours = self.some(
                "", "", ', hours = "closed"', ', hours = "open"', ', hours = { name = "H", is = "closed" }'
            )
            lines.append(f"never = {{ to = {self.some(*map(quoted, QUEUES), quoted('B*'))}{hours} }}")
        else:
            lines.append(self.maybe(0.6, f"match = {self.conditions()}"))
            limits = ("moves = 1", "moves = 2", "visits_of_a_queue = 1", "moves = 2, visits_of_a_queue = 1")
            lines.append(f"at_most = {{ {self.some(*limits)} }}")
        chosen = [f'"{one}"' for one in Assumption if random.random() < 0.6]
        lines.append(f"assume = [{', '.join(chosen)}]")
        return "\n".join(filter(None, lines))


def parsed(text: str) -> RuleSet:
    return parse_rules([("rules.toml", text.encode())])


def verdicts(ruleset: RuleSet) -> tuple[PromiseVerdict, ...]:
    return tuple(prove_promises(ruleset, limits=LIMITS, now=NOW))


@dataclass(frozen=True)
class Schedule:
    """Opens and closes at instants, in order; it is open at first if ``first`` is true."""

    first: bool
    changes: tuple[datetime, ...]

    def is_open(self, at: datetime) -> bool:
        return self.first is (sum(one <= at for one in self.changes) % 2 == 0)

    def open_time(self, start: datetime, end: datetime) -> timedelta:
        ends = [start, *(one for one in self.changes if start < one < end), end]
        spans = pairwise(ends)
        return sum((high - low for low, high in spans if high > low and self.is_open(low)), timedelta())

    def after(self, start: datetime, amount: timedelta) -> datetime:
        at, left = start, amount
        for change in (*(one for one in self.changes if one > start), NEVER):
            if self.is_open(at):
                if left < change - at or (left == change - at and change == NEVER):
                    return at + left
                left -= change - at
            at = change
        return NEVER

    def open_until(self, at: datetime) -> datetime:
        return next((one for one in self.changes if one > at), NEVER)


@dataclass
class Scheduled(Replay):
    """Follows a contact while hours open and close."""

    schedules: Mapping[str, OpenTimes] = field(default_factory=dict)
    own: Mapping[str, Schedule] = field(default_factory=dict)

    def _hours(self, world: Surroundings, directory: Directory) -> dict[HoursId, OpenTimes]:
        always = Schedule(True, ())
        found: dict[HoursId, OpenTimes] = {
            one.id: self.schedules.get(one.name or "", always) for one in directory.hours
        }
        for queue in directory.queues:
            if queue.hours_id is not None:
                found[queue.hours_id] = self.own.get(queue.name or "", always)
        return found


@dataclass(frozen=True)
class Values:
    """Shows the contact of a promise to its condition."""

    contact: ExampleContact
    waited: timedelta
    age: timedelta
    is_open: Mapping[str, bool]

    def value(self, key: str) -> Value | None:
        group, _, name = key.partition(".")
        contact = self.contact
        match group:
            case "queue":
                return (contact.queue,)
            case "waited":
                return self.waited
            case "age":
                return self.age
            case "tags" | "attributes" | "segment_attributes":
                found: str | None = getattr(contact, group).get(name)
                return found
            case "transfers":
                return contact.transfers or 0
            case "priority":
                return contact.priority or 5
        value: Value | None = getattr(contact, group)
        return value


@dataclass
class Life:
    """Lets a random contact live through a promise, and finds out whether the promise is kept."""

    ruleset: RuleSet
    promise: StatedPromise
    random: Random
    stage: ProofInstance
    queues: tuple[str, ...]

    def contact(self) -> ExampleContact:
        random = self.random

        def text(key: str) -> dict[str, str]:
            return {key: random.choice(TEXTS)} if random.random() < 0.8 else {}

        return ExampleContact(
            channel=random.choice((Channel.TASK, Channel.EMAIL)),
            queue=random.choice(self.queues),
            tags=text("t"),
            attributes=text("n"),
            name=random.choice((None, *TEXTS[:7])),
            initiation_method=random.choice((None, "API", "TRANSFER", "QUEUE_TRANSFER")),
            priority=random.choice((None, 1, 4, 5, 9)),
            transfers=random.choice((None, None, 1, 2, 3)),
        )

    def _schedule(self, began: datetime) -> Schedule:
        if Assumption.OPEN in self.promise.assume:
            return Schedule(True, ())
        count = self.random.choice((0, 0, 1, 2, 3))
        minutes = sorted(self.random.sample(range(-20, 60), count))
        offsets = [timedelta(minutes=one, seconds=self.random.choice((0, 0, 1, -1))) for one in minutes]
        return Schedule(self.random.random() < 0.6, tuple(sorted({began + one for one in offsets})))

    def is_broken(self) -> bool | None:
        """Returns whether the contact breaks the promise; ``None`` if the promise is not about it."""
        replay = self._replay()
        for _ in range(MOST_TRIES):
            if any(self._about(replay, timedelta(minutes=at)) for at in MINUTES):
                break
            replay = self._replay()
        claim = self.promise.claim
        if isinstance(claim, Within):
            return self._late(replay, claim)
        return self._moved_wrongly(replay, claim)

    def _replay(self) -> Scheduled:
        random, contact = self.random, self.contact()
        began = NOW + timedelta(minutes=random.choice((0, 0, -5, 5, 12)), seconds=random.choice((0, 0, 1)))
        age = timedelta(minutes=random.choice((0, 0, 0, 5, 7, 10, 30)), seconds=random.choice((0, 0, 1)))
        schedules: dict[str, OpenTimes] = {"H": self._schedule(began), **self.promise.hours}
        own = {queue: self._schedule(began) for queue in self.queues}
        agents = frozenset({"ann", "bob", *(value for value in contact.attributes.values() if value)})
        return Scheduled(self.stage, contact, began, age, agents, schedules=schedules, own=own)

    def _about(self, replay: Scheduled, at: timedelta) -> bool:
        now = replay.began_at + at
        is_open = {"H": replay.schedules["H"].is_open(now), "queue": replay.own[replay.contact.queue].is_open(now)}
        values = _ValuesWithHours(replay.contact, at, replay.age + at, is_open)
        return _holds(self.promise, values)

    def _worlds(self, replay: Scheduled, now: datetime) -> Surroundings | None:
        """Returns a random world that the assumptions allow; ``None`` if that world cannot be made."""
        assume, random = self.promise.assume, self.random
        entries = [entry for rule in self.ruleset.rules for step in rule.steps for entry in step.entries]
        favourable = Assumption.DESTINATION in assume
        wanted = [(entry, favourable or random.random() < 0.5) for entry in entries if entry.queue is not None]
        found = Answer(contact=replay.contact, began_at=None, age=replay.age, hours={}, own={}, times=())
        guarded = Assumption.NO_GUARD not in assume and random.random() < 0.3
        world = world_of(found, wanted, agents=False, guarded=guarded)
        if favourable:
            for entry, _ in wanted:
                if entry.open is not None and replay.own[entry.queue or ""].is_open(now) is not entry.open:
                    return None
        free = (
            sorted(replay.agents)
            if Assumption.AGENTS in assume
            else [one for one in replay.agents if random.random() < 0.5]
        )
        return replace(world, agents=dict.fromkeys(free, 1))

    def _given_times(self, replay: Scheduled, start: datetime) -> Iterator[timedelta]:
        """Yields when the hours of the promise open or close, and when they have been open for the time of a step."""
        rules = RuleBook.of(self.ruleset).rules
        for name, calendar in self.promise.hours.items():
            minute = replay.began_at.replace(second=0)
            for at in (minute + timedelta(minutes=number) for number in range(1, 80)):
                if calendar.is_open(at) != calendar.is_open(at - timedelta.resolution):
                    yield at - replay.began_at
            steps = {step.at for rule in rules if rule.sla.hours == name for step in rule.steps}
            starts = (start, replay.began_at - replay.age)
            yield from (calendar.after(one, at) - replay.began_at for one in starts for at in steps)

    def _instants(self, replay: Scheduled, limit: timedelta) -> Iterator[timedelta]:
        yield timedelta()
        yield from (one for one in self._given_times(replay, replay.began_at) if timedelta() <= one <= limit)
        for rule in RuleBook.of(self.ruleset).rules:
            ends = [test.form for test in tests_of(rule.condition) if test.key in ("waited", "age")]
            edges = [
                end
                for form in ends
                if isinstance(form, RangeForm)
                for end in (form.min, form.max)
                if isinstance(end, timedelta)
            ]
            for time in (*(step.at for step in rule.steps), *edges):
                for at in (time, time - replay.age):
                    yield from (
                        at + one for one in (timedelta(), timedelta.resolution) if timedelta() <= at + one <= limit
                    )
        for _ in range(2):
            yield timedelta(seconds=self.random.randint(0, max(int(limit.total_seconds()), 1)))

    def _late(self, replay: Scheduled, claim: Within) -> bool | None:
        limit = claim.limit - replay.age if claim.of_age else claim.limit
        if limit < timedelta() or not self._about(replay, limit):
            return None
        if (replay.contact.transfers or 0) > 5:
            return None
        kinds = {Act.MOVE: Transfer, Act.WARN: Warn, Act.ROUTING: RoutingUpdate}
        wanted = tuple(kinds[act] for act in claim.acts)
        times = {one for one in self._instants(replay, limit) if one <= limit}
        moved: list[timedelta] = []
        pending = sorted({*times, limit})
        while pending:
            at = pending.pop(0)
            world = self._worlds(replay, replay.began_at + at)
            if world is None:
                return None
            before = len(replay.actions)
            account = replay.look(at, world)
            if any(isinstance(one, wanted) and one.mode == "enforce" for one in account.decisions):
                return False
            if any(one.moved for one in replay.actions[before:]):
                moved.append(at)
                again = [*(at + one for one in times), *self._given_times(replay, replay.began_at + at)]
                pending = sorted({*pending, *(one for one in again if at <= one <= limit)})
        return True

    def _moved_wrongly(self, replay: Scheduled, claim: Never | AtMost) -> bool | None:
        about, limit = None, timedelta(minutes=75)
        known = sorted({*self._instants(replay, limit)})
        times = sorted(self.random.sample(known, k=min(6, len(known))))
        places = [replay.contact.queue]
        for at in times:
            world = self._worlds(replay, replay.began_at + at)
            if world is None:
                return about
            before = len(replay.actions)
            replay.look(at, world)
            about = False if about is None and self._about(replay, at) else about
            for act in replay.actions[before:]:
                if not act.moved or act.target is None:
                    continue
                places.append(act.target.queue_id or f"agent {act.target.agent_id}")
                if not self._about(replay, at):
                    continue
                about = False
                if self._forbidden(claim, places, replay, replay.began_at + at):
                    return True
        return about

    def _forbidden(self, claim: Never | AtMost, places: list[str], replay: Scheduled, now: datetime) -> bool:
        last = places[-1]
        if isinstance(claim, AtMost):
            many = claim.moves is not None and len(places) - 1 > claim.moves
            return many or (claim.visits is not None and places.count(last) > claim.visits)
        if not claim.to((last,)):
            return False
        if claim.hours is None:
            return True
        schedule = replay.own.get(last) if claim.hours.name == "queue" else replay.schedules["H"]
        return schedule is not None and schedule.is_open(now) is (claim.hours.wanted == "open")


class _ValuesWithHours(Values):
    pass


def _holds(promise: StatedPromise, values: Values) -> bool:
    from router.rules.condition import AllOf, AnyOf, Condition, Test
    from router.rules.value_test import HoursForm

    def holds(condition: Condition) -> bool:
        if isinstance(condition, Test):
            if isinstance(condition.form, HoursForm):
                return values.is_open[condition.form.name] is (condition.form.wanted == "open")
            key = "segment_attributes.connect:Subtype" if condition.key == "subtype" else condition.key
            return condition.fits(values.value(key))
        parts = [holds(one) for one in condition.children]
        if isinstance(condition, AllOf):
            return all(parts)
        return any(parts) if isinstance(condition, AnyOf) else not any(parts)

    return holds(promise.condition)


def lives(ruleset: RuleSet, promise: StatedPromise, random: Random, count: int) -> Iterator[bool | None]:
    """Yields, for random contacts, whether each breaks the promise; ``None`` if the promise is not about it."""
    prover = PromiseProver(ruleset, LIMITS, NOW)
    life = Life(ruleset, promise, random, prover.stage, prover.queues)
    for _ in range(count):
        yield life.is_broken()


def proved(found: tuple[PromiseVerdict, ...]) -> list[StatedPromise]:
    return [one.promise for one in found if one.outcome is ProofOutcome.PROVED]


def another(text: str, random: Random) -> str:
    """Returns the rules with one small change, which may change nothing that they do."""
    changes = [
        ("[[rule]]", "# a comment\n[[rule]]"),
        ('"x*"', '["x*", "xy*"]'),
        ('"10m"', '"15m"'),
        ('name = "r0"', 'name = "other"'),
        ('warn = "late"', 'warn = "later"'),
        ("{ min = 8.5 }", "{ min = 9 }"),
        ('on_hold = "next"', 'on_hold = "wait"'),
        ('{ not = "x*" }', '{ not = ["x*", "xyz"] }'),
        ('mode = "observe"', 'mode = "off"'),
        ("revisit = true", "revisit = false"),
    ]
    old, new = random.choice([one for one in changes if one[0] in text])
    return text.replace(old, new, 1)


def decide_the_same(one: RuleSet, other: RuleSet, random: Random, count: int) -> bool:
    """Returns whether both rule sets act alike on random contacts on which no rule has acted."""
    prover = PromiseProver(one, LIMITS, NOW, more=(other,))
    lives = [
        Life(ruleset, EVERY, random, ProofInstance(ruleset, prover.queues, LIMITS), prover.queues)
        for ruleset in (one, other)
    ]
    for _ in range(count):
        contact, at = lives[0].contact(), timedelta(minutes=random.choice(MINUTES), seconds=random.choice((0, 0, 1)))
        age, open_hours = timedelta(minutes=random.choice((0, 0, 5, 30))), random.random() < 0.7
        own = {queue: random.random() < 0.7 for queue in prover.queues}
        began = NOW + timedelta(minutes=random.choice((0, 5, 12, -5)))
        seed = random.random()
        acts = []
        for life in lives:
            replay = Replay(life.stage, contact, began, age)
            wanted = [
                (entry, Random(f"{seed}{content(entry)}").random() < 0.5)
                for rule in life.ruleset.rules
                for step in rule.steps
                for entry in step.entries
            ]
            found = Answer(contact=contact, began_at=None, age=age, hours={"H": open_hours}, own=own, times=())
            account = replay.look(at, world_of(found, wanted, agents=False, guarded=False))
            acts.append([act for one in enforced(account) if (act := _shown(one)) is not None])
        if acts[0] != acts[1]:
            return False
    return True


def _shown(decision: Decision) -> object:
    match decision:
        case Transfer():
            return decision.target
        case Warn():
            return decision.text
        case RoutingUpdate():
            return decision.routing
    return None


EVERY = StatedPromise(name="every", place=NOWHERE, condition=EVERY_CONTACT, claim=AtMost())
