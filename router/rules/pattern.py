"""Text patterns: globs with ``*`` and ``?``, and regular expressions of RE2, which are linear in the text's length
whatever they say."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

import re2

LONGEST_VALUE = 4096
"""Only so many characters of a value are looked at by a regular expression."""

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False  # it would write to standard error by itself


class PatternError(ValueError):
    """The pattern cannot be used; the message says why."""


def is_glob(text: str) -> bool:
    return "*" in text or "?" in text


@lru_cache(maxsize=8_192)
def compile_glob(text: str) -> Callable[[str], bool]:
    """``*`` is any text, ``?`` any one character; nothing else is special, and there is no escape."""
    if not is_glob(text):
        return text.__eq__
    if not text.strip("*"):
        return _anything
    parts = re.split(r"([*?]+)", text)
    return _compiled("(?s)" + "".join(_wild(part) if is_glob(part) else re2.escape(part) for part in parts))


@lru_cache(maxsize=8_192)
def compile_regex(text: str) -> Callable[[str], bool]:
    """The whole value must fit, of which the first 4,096 characters are looked at. Raises ``PatternError``."""
    fits = _compiled(text)
    return lambda value: fits(value[:LONGEST_VALUE])


def _anything(_value: str) -> bool:
    """``*`` alone: the commonest glob, and the one that needs no looking."""
    return True


def _wild(part: str) -> str:
    """A run of wildcards as one: so many characters at least, and no end where a ``*`` is among them."""
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
    """Lone surrogates, which JSON can carry and UTF-8 cannot, become replacement characters."""
    return value.encode("utf-8", "replace").decode("utf-8")
