"""Puts the command before its options, wherever the user wrote it.

This module imports nothing that takes time, because a signal ends the process until ``main`` knows the command.
"""

from __future__ import annotations

from collections.abc import Sequence

WITH_VALUE = frozenset({"--config", "--set", "--log-level"})
"""The common options that have a value, perhaps as the next word."""
WITHOUT_VALUE = frozenset({"-v", "--verbose", "-q", "--quiet"})


def command_first(words: Sequence[str]) -> list[str]:
    """Returns the words with the common options that come before the command moved behind it.

    Example: ``--config my.toml plan --late`` becomes ``plan --config my.toml --late``. A word that is no common option
    ends the search, and everything after it stays where it is.
    """
    at = 0
    while at < len(words):
        name, equals, _ = words[at].partition("=")
        if name in WITH_VALUE:
            at += 1 if equals else 2
        elif words[at] in WITHOUT_VALUE:
            at += 1
        else:
            break
    options, rest = list(words[:at]), list(words[at:])
    return [*rest[:1], *options, *rest[1:]]
