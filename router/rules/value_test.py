"""Tests one value against the forms of text, of channels and of ranges. Pure, total, comparable."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import takewhile

import re2

from router.model import bare_id

# Text patterns are globs with ``*`` and ``?``, and regular expressions of RE2, which always take linear time.

LONGEST_VALUE = 4096
"""Only so many characters of a value are looked at by a regular expression."""

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False  # it would write to standard error by itself


class PatternError(ValueError):
    """Reports why a pattern cannot be used."""


def is_glob(text: str) -> bool:
    return "*" in text or "?" in text


@lru_cache(maxsize=8_192)
def compile_glob(text: str) -> Callable[[str], bool]:
    """Returns a test: ``*`` is any text, ``?`` any one character; nothing else is special, and there is no escape."""
    if not is_glob(text):
        return text.__eq__
    if not text.strip("*"):
        return _anything
    parts = re.split(r"([*?]+)", text)
    return _compiled("(?s)" + "".join(_wild(part) if is_glob(part) else re2.escape(part) for part in parts))


@lru_cache(maxsize=8_192)
def compile_regex(text: str) -> Callable[[str], bool]:
    """Returns a test that the whole value fits; it reads the first 4,096 characters. Raises ``PatternError``."""
    fits = _compiled(text)
    return lambda value: fits(value[:LONGEST_VALUE])


@lru_cache(maxsize=8_192)
def pattern_start(text: str, *, folded: bool) -> str:
    """Returns the text with which every value begins that fits the regular expression."""
    ends = re2.compile(_cased(text, folded), _OPTIONS).possiblematchrange(40)
    common = takewhile(lambda pair: pair[0] == pair[1], zip(*ends, strict=False))
    return bytes(one for one, _ in common).decode("utf-8", "ignore")


def _cased(pattern: str, folded: bool) -> str:
    return f"(?i:{pattern})" if folded else pattern


def _anything(_value: str) -> bool:
    """Returns true for every value: ``*`` alone is the commonest glob."""
    return True


def _wild(part: str) -> str:
    """Returns a run of wildcards as one: a least number of characters, without an upper limit if it has a ``*``."""
    least = part.count("?")
    if "*" not in part:
        return "." * least
    return "." * least + ".*"


def _compiled(expression: str) -> Callable[[str], bool]:
    try:
        compiled = re2.compile(expression, _OPTIONS)
    except re2.error as error:
        raise PatternError(_plain(error)) from None
    return lambda value: compiled.fullmatch(_well_formed(value)) is not None


def _plain(error: Exception) -> str:
    first = error.args[0] if error.args else "it does not compile"
    return first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)


def _well_formed(value: str) -> str:
    """Replaces lone surrogates, which JSON can carry and UTF-8 cannot."""
    return value.encode("utf-8", "replace").decode("utf-8")


QUEUES_OWN = "queue"
"""Means a queue's own hours wherever hours of operation are named."""

_NUMBER = re.compile(r"[+-]?[0-9]{1,400}(?:\.[0-9]{1,400})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextForm:
    """Tests a text. ``negated`` inverts literals and globs; ``present`` or ``pattern``, if set, is the only test.

    With ``names`` a value is several names of one thing: a literal may be any of them, a pattern is compared with the
    first alone. With ``folded``, upper and lower case are equal. ``as_written`` are the literals as the file has them:
    an ARN names its instance.
    """

    literals: tuple[str, ...] = ()
    as_written: tuple[str, ...] = field(default=(), compare=False)
    globs: tuple[str, ...] = ()
    pattern: str | None = None
    present: bool | None = None
    negated: bool = False
    names: bool = False
    folded: bool = False
    _fits: Callable[[str], bool] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_fits", self._compiled())

    @classmethod
    def of(cls, texts: Iterable[str], *, negated: bool = False, names: bool = False, folded: bool = False) -> TextForm:
        found = tuple(text.casefold() for text in texts) if folded else tuple(texts)
        literals = tuple(text for text in found if not is_glob(text))
        return cls(
            literals=tuple(bare_id(text) for text in literals) if names else literals,
            as_written=literals,
            globs=tuple(text for text in found if is_glob(text)),
            negated=negated,
            names=names,
            folded=folded,
        )

    def with_literals(self, literals: Iterable[str]) -> TextForm:
        return replace(self, literals=tuple(literals))

    def __call__(self, value: Value | None) -> bool:
        if self.present is not None:
            return (value is not None) is self.present
        if value is None:
            return self.negated
        return self._positive(value) is not self.negated

    def _positive(self, value: Value) -> bool:
        texts = value if isinstance(value, tuple) else (str(value),)
        if self.pattern is not None:
            return bool(texts) and self._fits(texts[0])
        if self.folded:
            texts = tuple(text.casefold() for text in texts)
        return any(text in self.literals for text in texts) or (bool(texts) and self._fits(texts[0]))

    def _compiled(self) -> Callable[[str], bool]:
        if self.pattern is not None:
            return compile_regex(_cased(self.pattern, self.folded))
        globs = [compile_glob(glob) for glob in self.globs]
        return lambda text: any(glob(text) for glob in globs)


@dataclass(frozen=True, slots=True)
class RangeForm:
    """Tests a number or duration, both ends inclusive; a value of the file is a range of one.

    Text is read as a plain decimal number; text that is none (``"1e3"``, ``"12 kg"``, ``""``) does not fit.
    """

    min: Decimal | timedelta | None
    max: Decimal | timedelta | None

    @classmethod
    def of(cls, low: float | timedelta | None, high: float | timedelta | None) -> RangeForm:
        return cls(_exact(low), _exact(high))

    def __call__(self, value: Value | None) -> bool:
        shown = _comparable(value)
        if shown is None:
            return False
        return _not_above(self.min, shown) and _not_above(shown, self.max)


@dataclass(frozen=True, slots=True)
class HoursForm:
    """Tests hours, for which the subject returns ``open`` or ``closed``."""

    name: str
    wanted: str

    def __call__(self, value: Value | None) -> bool:
        return value == self.wanted


Form = TextForm | RangeForm | HoursForm


def _exact(end: float | timedelta | None) -> Decimal | timedelta | None:
    return end if end is None or isinstance(end, timedelta) else Decimal(str(end))


def _comparable(value: Value | None) -> Decimal | timedelta | None:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str):
        return as_number(value)
    return Decimal(str(value)) if isinstance(value, int | float) else None


def as_number(text: str) -> Decimal | None:
    """Returns the number that a text is compared as in ranges; ``None`` if it is no plain decimal number."""
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def _not_above(low: Decimal | timedelta | None, high: Decimal | timedelta | None) -> bool:
    """Returns whether ``low`` is not above ``high``; a missing end is no limit, a duration and a number do not fit."""
    if low is None or high is None:
        return True
    if isinstance(low, timedelta):
        return isinstance(high, timedelta) and low <= high
    return isinstance(high, Decimal) and low <= high


Value = str | int | float | timedelta | tuple[str, ...]
"""What a contact shows for a key; a tuple is several names of one thing (a queue's name and its id), of which one must
fit."""
