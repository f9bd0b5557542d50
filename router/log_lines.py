"""Bounds the length of log lines, because container runtimes and journald cut longer ones in two.

Half a JSON object cannot be read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any

from structlog.typing import EventDict

LONGEST_LINE = 16_000
"""Bytes of a line, its end included. Docker and containerd cut at 16 KiB, journald at 48 KiB (journald.conf(5),
LineMax)."""
LONG = 300
"""Bytes of a value that may be shortened."""

Render = Callable[[EventDict], str]


def bounded(render: Render) -> Callable[[Any, str, EventDict], str]:
    """Returns a renderer of lines that are short enough. The field ``shortened`` names values that were shortened."""

    def rendered(_logger: Any, _method: str, event: EventDict) -> str:
        line = render(dict(event))
        room = LONGEST_LINE
        while _bytes(line) >= LONGEST_LINE and room > LONG:
            line = render(shortened(event, room - LONG))
            room //= 2  # escapes and colours take bytes too
        return line

    return rendered


def shortened(event: Mapping[str, Any], room: int) -> EventDict:
    """Returns the event in about ``room`` bytes: its long values share what the short ones leave."""
    sizes = {key: _size(value) for key, value in event.items()}
    long = [key for key, size in sizes.items() if size > LONG]
    left = room - sum(size + len(key) + 6 for key, size in sizes.items() if key not in long)
    share = max(left // max(len(long), 1), LONG)
    return {key: _cut(value, share) if key in long else value for key, value in event.items()} | {"shortened": long}


def _cut(value: Any, room: int) -> Any:
    match value:
        case Mapping():
            items = [(key, value[key]) for key in _fitting(value, room, lambda key: _size(key) + _size(value[key]))]
            return {**dict(items), "…": f"{len(value) - len(items)} more"}
        case list() | tuple() | set() | frozenset():
            kept = list(_fitting(value, room, _size)) or [_cut(one, room) for one in islice(value, 1)]
            return [*kept, f"… {len(value) - len(kept)} more"]
        case _:
            text = str(value)
            while _size(text) > room:
                text = text[: len(text) * 3 // 4]
            return f"{text}…"


def _fitting(values: Iterable[Any], room: int, size: Callable[[Any], int]) -> Iterable[Any]:
    for value in values:
        room -= size(value) + 2
        if room < 0:
            return
        yield value


def _size(value: Any) -> int:
    return len(json.dumps(value, default=str)) if not isinstance(value, set | frozenset) else sum(map(_size, value))


def _bytes(line: str) -> int:
    return len(line.encode("utf-8", "backslashreplace"))
