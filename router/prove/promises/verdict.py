"""Holds the outcome of a proof: proved, broken with its causes, or unknown with its reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from router.problems import Place
from router.rules.promise import StatedPromise


class Unsure(Exception):
    """Reports why a promise can be neither proved nor broken."""


class ProofOutcome(StrEnum):
    PROVED = "PROVED"
    BROKEN = "BROKEN"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterexample:
    """Holds one cause for which a promise is broken.

    ``cause`` describes it, ``place`` is the rule or step that causes it, ``instant`` when it shows, and ``example`` is
    the contact as an ``[[example]]`` of a rule file.
    """

    cause: str
    place: Place | None
    instant: str
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseVerdict:
    """Holds the outcome for one promise. ``assumed`` is what was not proved; ``reason`` explains ``UNKNOWN``."""

    promise: StatedPromise
    outcome: ProofOutcome
    causes: tuple[Counterexample, ...] = ()
    assumed: tuple[str, ...] = field(default=())
    reason: str = ""
