"""Defines a probe: a question about Connect, and the function that finds the answer by calls."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from router.sandbox.behaviours import Behaviours

if TYPE_CHECKING:
    from router.acceptance.lab import Lab

Value = str | bool | timedelta

LONGEST_EVIDENCE = 8
"""Lines. Of more calls, the first and the last ones are kept."""


class Unsettled(Exception):
    """Reports that a probe cannot distinguish the values. The text is the reason, for the profile."""


@contextmanager
def understood() -> Iterator[None]:
    """Raises ``Unsettled`` if an answer does not have the members or the types that a probe expects."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, AssertionError) as error:
        raise Unsettled(f"an answer of Connect was not as expected ({type(error).__name__}: {error})") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenValue:
    """Holds the value that a probe saw, with a remark on how, and the figures that it measured."""

    value: Value | None
    remark: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """Holds what came of one probe: a value, or the reason why there is none. ``evidence`` has a line for each call."""

    name: str
    question: str
    value: Value | None = None
    unsettled: str | None = None
    remark: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)
    evidence: tuple[str, ...] = ()


Wait = Generator[timedelta, None, SeenValue]
"""The rest of a probe that must wait: it yields how long, and others run meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Holds a question and the function that finds its value. It raises ``Unsettled`` if it cannot."""

    name: str
    question: str
    find: Callable[[Lab], SeenValue | Wait]

    @property
    def values(self) -> tuple[Any, ...] | None:
        """Returns the values that the sandbox knows, ``None`` if any duration or text is one."""
        return SWITCHES.get(self.name)


PROBES: list[Probe] = []
"""Every probe, in the order in which they run."""


def probe(name: str, question: str) -> Callable[[Callable[[Lab], SeenValue | Wait]], Callable[[Lab], SeenValue | Wait]]:
    """Registers a function as the probe of that name."""

    def register(find: Callable[[Lab], SeenValue | Wait]) -> Callable[[Lab], SeenValue | Wait]:
        PROBES.append(Probe(name=name, question=question, find=find))
        return find

    return register


def _switches() -> dict[str, tuple[Any, ...] | None]:
    """Returns the values of every switch of the sandbox, ``None`` for a duration."""
    from typing import get_args, get_type_hints

    hints = get_type_hints(Behaviours)
    return {
        name: None if hint is timedelta else (True, False) if hint is bool else get_args(hint)
        for name, hint in hints.items()
    }


SWITCHES = _switches()
"""The one vocabulary: the switches of the sandbox are the behaviours of the profile."""


def shortened_evidence(lines: list[str]) -> tuple[str, ...]:
    """Returns the first and the last lines, with a line for those in between."""
    if len(lines) <= LONGEST_EVIDENCE:
        return tuple(lines)
    half = LONGEST_EVIDENCE // 2
    return (*lines[:half], f"… {len(lines) - 2 * half} more calls", *lines[-half:])
