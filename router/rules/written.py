"""Conditions as the file says them, for people."""

from __future__ import annotations

import json
import re
from datetime import timedelta

from router.durations import format_duration
from router.rules.words import Table


def written_key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key, ensure_ascii=False)


def written(value: object) -> str:
    """A value in TOML, in one line."""
    if isinstance(value, Table):
        given = value.model_dump(by_alias=True, exclude_none=True)
        return "{ " + ", ".join(f"{written_key(key)} = {written(one)}" for key, one in given.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(written(one) for one in value) + "]"
    if isinstance(value, timedelta):
        return f'"{format_duration(value)}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)
