"""Makes the JSON Schema of a file's model, by which editors complete and check the file."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from router.durations import format_duration

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def editor_schema(model: type[BaseModel], *, title: str) -> dict[str, Any]:
    """Returns what an editor can check by itself: keys, types, forms and ranges. ``check`` finds more."""
    schema = model.model_json_schema(mode="validation", schema_generator=_WithDurations)
    return {"$schema": DIALECT, **_for_editors(schema), "title": title}


class _WithDurations(GenerateJsonSchema):
    """Writes defaults that are durations as the file does; pydantic would write them in ISO 8601."""

    def encode_default(self, dft: Any) -> Any:
        return format_duration(dft) if isinstance(dft, timedelta) else super().encode_default(dft)


def _for_editors(node: Any) -> Any:
    """Returns the schema without ``null``, which TOML does not have, and with descriptions in Markdown."""
    if isinstance(node, list):
        return [_for_editors(one) for one in node]
    if isinstance(node, str):
        return node.replace("``", "`")
    if not isinstance(node, dict):
        return node
    kept = {key: _for_editors(one) for key, one in node.items() if (key, one) != ("default", None)}
    options = kept.get("anyOf")
    if not isinstance(options, list) or {"type": "null"} not in options:
        return kept
    left = [option for option in options if option != {"type": "null"}]
    if len(left) > 1:
        return {**kept, "anyOf": left}
    return {**left[0], **{key: one for key, one in kept.items() if key != "anyOf"}}
