"""How deep a file's tables and lists nest."""

from __future__ import annotations

from router.toml_source import Path, TomlSource

DEEPEST = 24
"""No rule nests deeper that somebody is meant to read; much deeper, and reading it would exhaust the stack."""


def too_deep(source: TomlSource) -> Path | None:
    """Where the file nests deeper than is read, or ``None``."""
    waiting: list[tuple[Path, object]] = [((), source.data)]
    while waiting:
        path, value = waiting.pop()
        if len(path) > DEEPEST:
            return path
        if isinstance(value, dict):
            waiting.extend(((*path, key), inside) for key, inside in value.items())
        elif isinstance(value, list):
            waiting.extend(((*path, index), inside) for index, inside in enumerate(value))
    return None
