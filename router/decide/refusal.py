"""Why something is not done."""

from __future__ import annotations

from dataclasses import dataclass

from router.model import HoldReason


@dataclass(frozen=True, slots=True)
class Refusal:
    """``why`` is for people. ``needs`` is what must be read before it is known whether anything refuses at all."""

    reason: HoldReason
    why: str
    needs: tuple[object, ...] = ()
