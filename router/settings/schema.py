"""The JSON Schema of config.toml, for editors."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from router.durations import format_duration
from router.settings.model import Settings

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def settings_schema() -> dict[str, Any]:
    """What an editor can check: keys, types, single values. That keys agree with each other only loading tells."""
    schema = _readable(Settings.model_json_schema(mode="validation", schema_generator=_AsInTheFile))
    return {"$schema": DIALECT, **schema}


class _AsInTheFile(GenerateJsonSchema):
    """Pydantic would give the defaults of durations in ISO 8601, which the file does not take."""

    def encode_default(self, dft: Any) -> Any:
        return format_duration(dft) if isinstance(dft, timedelta) else super().encode_default(dft)


def _readable(schema: Any) -> Any:
    """TOML has no null: a key that may be left out is left out. Editors show descriptions as Markdown."""
    if isinstance(schema, list):
        return [_readable(each) for each in schema]
    if isinstance(schema, str):
        return schema.replace("``", "`")
    if not isinstance(schema, dict):
        return schema
    choices = [each for each in schema.get("anyOf", []) if each != {"type": "null"}]
    if len(choices) == 1:
        rest = {key: each for key, each in schema.items() if key != "anyOf" and (key, each) != ("default", None)}
        return _readable({**choices[0], **rest})
    return {key: _readable(each) for key, each in schema.items()}
