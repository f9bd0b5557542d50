"""A finding of the proofs, as a located problem."""

from __future__ import annotations

from router.problems import Problem
from router.rules.rule import Place


def error(place: Place, message: str) -> Problem:
    """Rules with it are refused."""
    return Problem(place.file, place.line, place.column, message)


def warning(place: Place, message: str) -> Problem:
    """Rules with it run; ``check --strict`` refuses them."""
    return Problem(place.file, place.line, place.column, message, "warning")
