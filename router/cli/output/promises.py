"""Prints the verdicts on promises: as text, as JSON, and as findings of ``check``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from router.problems import Problem, printable

if TYPE_CHECKING:
    from router.prove.promises.verdict import Counterexample, PromiseVerdict


def lines(verdicts: Sequence[PromiseVerdict]) -> Iterator[str]:
    """Yields what to print of the verdicts."""
    for verdict in verdicts:
        says = f": {verdict.promise.says}" if verdict.promise.says else ""
        assumed = f" (assumed: {', '.join(verdict.assumed)})" if verdict.assumed else ""
        yield printable(f"{verdict.outcome:<8} {verdict.promise.name}{says}{assumed}")
        if verdict.reason:
            yield printable(f"         {verdict.reason}")
        for cause in verdict.causes:
            where = f"{cause.place}: " if cause.place is not None else ""
            yield printable(f"         {where}{cause.cause}, {cause.instant}")
            yield from (f"           {printable(line)}" for line in cause.example.splitlines())


def problems(verdicts: Sequence[PromiseVerdict]) -> Iterator[Problem]:
    """Yields an error for each broken promise, and a warning for each that is neither proved nor broken."""
    for verdict in verdicts:
        place, name = verdict.promise.place, verdict.promise.name
        if verdict.reason:
            text = f'promise "{name}" is neither proved nor broken: {verdict.reason}'
            yield replace(place.problem(text), severity="warning")
        elif verdict.causes:
            yield place.problem(f'promise "{name}" is broken: {"; ".join(map(_cause, verdict.causes))}')


def _cause(cause: Counterexample) -> str:
    where = f" ({cause.place})" if cause.place is not None else ""
    return f"{cause.cause}{where}, {cause.instant}"


def as_json(verdicts: Sequence[PromiseVerdict]) -> list[dict[str, Any]]:
    return [
        {
            "name": verdict.promise.name,
            "file": verdict.promise.place.file,
            "line": verdict.promise.place.line,
            "outcome": verdict.outcome.lower(),
            "assumed": list(verdict.assumed),
            "reason": verdict.reason or None,
            "causes": [
                {
                    "cause": cause.cause,
                    "file": cause.place.file if cause.place is not None else None,
                    "line": cause.place.line if cause.place is not None else None,
                    "instant": cause.instant,
                    "example": cause.example,
                }
                for cause in verdict.causes
            ],
        }
        for verdict in verdicts
    ]


def summary(verdicts: Sequence[PromiseVerdict]) -> str:
    from router.cli.output.tables import count

    proved = sum(not verdict.causes and not verdict.reason for verdict in verdicts)
    return f"{proved} of {count(len(verdicts), 'promise')} proved"
