"""Text from outside, made fit for one line of a log."""

from __future__ import annotations

from router.problems import printable

__all__ = ["MESSAGE_LENGTH", "one_line", "printable"]

MESSAGE_LENGTH = 300


def one_line(text: str, limit: int = MESSAGE_LENGTH) -> str:
    """The text with control characters escaped, cut to ``limit`` characters with ``…``."""
    escaped = printable(text[: limit + 1])
    return escaped if len(escaped) <= limit else escaped[: limit - 1] + "…"
