"""Follows a text digit by digit to decide whether it is a plain decimal number within a range."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from router.prove.promises.patterns import Span
from router.rules.value_test import RangeForm

State = tuple[bool, str, bool, tuple[tuple[int, int], ...]]
"""Whether it is negative; the part of the number; whether a digit other than 0 was read; a comparison for each end."""
START, SIGN, WHOLE, POINT, PART = "start", "sign", "whole", "point", "part"
ENDS = (WHOLE, PART)


@dataclass(frozen=True, slots=True)
class RangeEnd:
    """Compares what was read with the digits of one end of the range, without its sign.

    A comparison is the number of digits read of the part, and -1, 0 or 1 for less, equal or more as far as read.
    """

    value: Decimal
    whole: str = field(init=False)
    part: str = field(init=False)

    def __post_init__(self) -> None:
        whole, _, part = format(abs(self.value), "f").partition(".")
        object.__setattr__(self, "whole", whole.lstrip("0"))
        object.__setattr__(self, "part", part.rstrip("0"))

    def digit(self, known: tuple[int, int], digit: str, *, whole: bool, leading: bool) -> tuple[int, int]:
        count, order = known
        if whole and leading and digit == "0":
            return known
        digits = self.whole if whole else self.part
        if order == 0 and (not whole or count < len(digits)):
            other = digits[count] if count < len(digits) else "0"
            order = (digit > other) - (digit < other)
        return min(count + 1, len(digits) + 1), order

    def point(self, known: tuple[int, int]) -> tuple[int, int]:
        """Returns the comparison after the whole part: the longer number is the greater one."""
        count, order = known
        longer = (count > len(self.whole)) - (count < len(self.whole))
        return 0, longer or order

    def order(self, known: tuple[int, int], *, in_part: bool, negative: bool, zero: bool) -> int:
        """Returns how the number that was read compares with the end: -1, 0 or 1."""
        count, order = known if in_part else self.point(known)
        if order == 0 and count < len(self.part):
            order = -1
        if zero:
            return (self.value < 0) - (self.value > 0)
        if negative != (self.value < 0):
            return -1 if negative else 1
        return -order if negative else order


@dataclass(frozen=True, slots=True)
class Numeral:
    """Accepts the texts that are numbers of a range."""

    ends: tuple[RangeEnd, ...]
    low: Decimal | None
    high: Decimal | None

    @classmethod
    def of(cls, form: RangeForm) -> Numeral:
        low = form.min if isinstance(form.min, Decimal) else None
        high = form.max if isinstance(form.max, Decimal) else None
        return cls(tuple(RangeEnd(end) for end in (low, high) if end is not None), low, high)

    def spans(self) -> Iterator[tuple[Span, ...]]:
        return (((ord(one), ord(one)),) for one in "0123456789+-.")

    def start(self) -> frozenset[State]:
        return frozenset({(False, START, False, tuple((0, 0) for _ in self.ends))})

    def after(self, state: State, code: int) -> frozenset[State]:
        negative, part, nonzero, orders = state
        one = chr(code)
        if one in "+-" and part == START:
            return frozenset({(one == "-", SIGN, nonzero, orders)})
        if one == "." and part == WHOLE:
            pairs = zip(self.ends, orders, strict=True)
            return frozenset({(negative, POINT, nonzero, tuple(end.point(order) for end, order in pairs))})
        if one not in "0123456789":
            return frozenset()
        whole = part in (START, SIGN, WHOLE)
        read = tuple(
            end.digit(order, one, whole=whole, leading=not nonzero)
            for end, order in zip(self.ends, orders, strict=True)
        )
        return frozenset({(negative, WHOLE if whole else PART, nonzero or one != "0", read)})

    def accepts(self, states: Iterable[State]) -> bool:
        return any(self._accepts(state) for state in states)

    def accepts_nothing_read(self) -> bool:
        return False

    def _accepts(self, state: State) -> bool:
        negative, part, nonzero, orders = state
        if part not in ENDS:
            return False
        found = {
            end.value: end.order(order, in_part=part == PART, negative=negative, zero=not nonzero)
            for end, order in zip(self.ends, orders, strict=True)
        }
        above = self.low is None or found[self.low] >= 0
        return above and (self.high is None or found[self.high] <= 0)
