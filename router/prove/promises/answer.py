"""Reads what the solver found back as a contact, its times and the world around it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import product
from types import MappingProxyType
from typing import Any

import z3

from router.model import EMPTY_QUEUE, METRICS, Channel, QueueMetrics
from router.prove.lint_queues import queue_of
from router.prove.promises.logic import Formula, Time
from router.prove.promises.opening_times import EPOCH, LONGEST
from router.prove.promises.replay import Surroundings
from router.prove.promises.scene import LATER_METHOD, SECOND, Scene
from router.prove.promises.verdict import Unsure
from router.rules.example import ExampleContact
from router.rules.rule import DestinationEntry, MetricLimit

MOST_METRICS = 2_000
"""How many combinations of metrics of a queue are tried."""
PLAIN = 3
"""How many classes of each key are tried to make a contact plain."""
GAVE_UP = "the solver gave up after its time limit"
UNSTEADY = "only contacts between two whole seconds, or hours that change while the contact waits, could break it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Holds a contact that the solver found. ``began_at`` is ``None`` if no rule depends on the date; ``times`` are the
    instants of the scene. ``values`` are those of the contact by match key, ``truths`` those of the watched formulas.
    """

    contact: ExampleContact
    began_at: datetime | None
    age: timedelta
    hours: dict[str, bool]
    own: dict[str, bool]
    times: tuple[timedelta, ...]
    values: Mapping[str, str | int | None] = field(default_factory=dict)
    truths: Mapping[Hashable, bool] = field(default_factory=dict)


def possible(scene: Scene, *more: Formula) -> bool:
    """Returns whether some contact fulfils all that was stated. Raises ``Unsure`` if the solver gives up."""
    if any(one is False for one in more):
        return False
    found = scene.solver.check(*(one for one in more if one is not True))
    if found == z3.unknown:
        raise Unsure(GAVE_UP)
    return bool(found == z3.sat)


def answer(
    scene: Scene, variables: Iterable[Time] = (), watched: Mapping[Hashable, Formula] = MappingProxyType({})
) -> Answer:
    """Returns a contact whose times are whole seconds, with hours that stay as they are. ``variables`` are the times
    to be chosen. Raises ``Unsure`` without such a contact."""
    solver = scene.solver
    solver.push()
    try:
        solver.add(*(one for one in scene.steady if one is not True))
        for time in (*variables, scene.age, scene.began):
            if not isinstance(time, int):
                solver.add(time == SECOND * z3.FreshInt("second"))
        solver.add(*_as_transferred(scene))
        if solver.check() != z3.sat:
            raise Unsure(UNSTEADY)
        return _read(scene, _plainest(scene, solver.model()), watched)
    finally:
        solver.pop()


def _plainest(scene: Scene, model: Any) -> Any:
    """Returns a model with the first class of each key that is possible together with those before: no value, if that
    is a class. The wait begins near ``EPOCH`` if it may."""
    wanted = [[variable for _, variable in classes[:PLAIN]] for _, classes in sorted(scene.classes.items())]
    wanted += [[formula] for formula in scene.hours_named().values()]
    if not isinstance(scene.began, int):
        wanted.insert(0, [z3.And(scene.began >= 0, scene.began < LONGEST)])
    chosen: list[Formula] = []
    for choices in wanted:
        for formula in choices:
            if not z3.is_true(model.eval(formula, model_completion=True)):
                if scene.solver.check(*chosen, formula) != z3.sat:
                    continue
                model = scene.solver.model()
            chosen.append(formula)
            break
    return model


def _as_transferred(scene: Scene) -> Iterable[Formula]:
    """Yields that a moved contact shows ``TRANSFER``, as the replay lets it."""
    fits = {form for one, _ in scene.classes.get(LATER_METHOD, ()) for form in one.fits}
    for one, variable in scene.classes.get(LATER_METHOD, ()):
        if all((form in one.fits) == form("TRANSFER") for form in fits):
            yield variable


def _read(scene: Scene, model: Any, watched: Mapping[Hashable, Formula]) -> Answer:
    def truth(formula: Formula) -> bool:
        return bool(model.eval(formula, model_completion=True))

    def seconds(time: Time) -> int:
        value = time if isinstance(time, int) else model.eval(time, model_completion=True).as_long()
        return int(value) // SECOND

    values = {
        key: next(one.value for one, variable in classes if truth(variable)) for key, classes in scene.classes.items()
    }
    values.pop(LATER_METHOD, None)
    hours = {name: truth(formula) for name, formula in scene.hours_named().items()}
    began = EPOCH + timedelta(seconds=seconds(scene.began)) if not isinstance(scene.began, int) else None
    return Answer(
        contact=contact_of(scene.queue, values),
        began_at=began,
        age=timedelta(seconds=seconds(scene.age)),
        hours={name: state for name, state in hours.items() if not name.startswith("\x01")},
        own={name[1:]: state for name, state in hours.items() if name.startswith("\x01")},
        times=tuple(timedelta(seconds=seconds(time)) for time in scene.instants),
        values=values,
        truths={key: truth(formula) for key, formula in watched.items()},
    )


def contact_of(queue: str, values: dict[str, Any]) -> ExampleContact:
    """Returns the contact with these values by match key."""
    groups: dict[str, dict[str, str]] = {"tags": {}, "attributes": {}, "segment_attributes": {}}
    plain: dict[str, Any] = {}
    for key, value in values.items():
        group, _, name = key.partition(".")
        if group in groups:
            groups[group].update({} if value is None else {name: str(value)})
        elif value is not None:
            plain[key] = value
    plain["channel"] = Channel(plain.get("channel", "TASK"))
    if not plain.get("transfers"):
        plain.pop("transfers", None)
    return ExampleContact(queue=queue, **groups, **plain)  # type: ignore[arg-type]


def world_of(
    found: Answer, wanted: Sequence[tuple[DestinationEntry, bool]], *, agents: bool, guarded: bool
) -> Surroundings:
    """Returns the world in which these destinations are eligible, or not, as far as metrics can make them so.

    ``agents`` makes every agent free that an entry or the contact names.
    """
    by_queue: dict[str, list[tuple[DestinationEntry, bool]]] = {}
    free: dict[str, int] = {}
    for entry, eligible in wanted:
        queue = queue_of(entry)
        if queue is not None:
            by_queue.setdefault(queue, []).append((entry, eligible))
        elif agents or eligible:
            name = entry.agent or found.contact.attributes.get(entry.agent_from or "")
            free.update({name: 1} if name else {})
    opened = {
        queue: entry.open is eligible
        for queue, some in by_queue.items()
        for entry, eligible in some
        if entry.open is not None
    }
    return Surroundings(
        queues={queue: metrics for queue, some in by_queue.items() if (metrics := metrics_for(some)) != EMPTY_QUEUE},
        agents=free,
        hours=found.hours,
        own={**opened, **found.own},
        guarded=guarded,
    )


def metrics_for(wanted: Sequence[tuple[DestinationEntry, bool]]) -> QueueMetrics:
    """Returns metrics of a queue with which most of the entries are eligible, or not, as wanted."""
    values: dict[str, set[Any]] = {}
    for entry, _ in wanted:
        for limit in entry.limits:
            values.setdefault(limit.metric, set()).update(_edges(limit))
        if entry.shorter_wait:
            values.setdefault("oldest_contact_age", set()).update((timedelta(), timedelta(days=3650)))
    names = [metric.name for metric in METRICS if metric.name in values]
    best, most = EMPTY_QUEUE, -1
    for number, chosen in enumerate(product(*(sorted(values[name]) for name in names))):
        metrics = dict(zip(names, chosen, strict=True))
        right = sum(_admits(entry, metrics) is eligible for entry, eligible in wanted)
        if right > most:
            best, most = QueueMetrics(**{**_EMPTY, **metrics}), right
        if right == len(wanted) or number > MOST_METRICS:
            break
    return best


_EMPTY: dict[str, Any] = {metric.name: timedelta() if metric.is_time else 0 for metric in METRICS}


def _edges(limit: MetricLimit) -> set[Any]:
    step: Any = timedelta(seconds=1) if isinstance(limit.min or limit.max, timedelta) else 1
    nothing: Any = timedelta() if isinstance(step, timedelta) else 0
    low = () if limit.min is None else (limit.min, max(limit.min - step, nothing))
    high = () if limit.max is None else (limit.max, limit.max + step)
    return {nothing, *low, *high}


def _admits(entry: DestinationEntry, metrics: dict[str, Any]) -> bool:
    for limit in entry.limits:
        value = metrics[limit.metric]
        if (limit.min is not None and value < limit.min) or (limit.max is not None and value > limit.max):
            return False
    return not entry.shorter_wait or not metrics["oldest_contact_age"]
