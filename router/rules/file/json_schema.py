"""The JSON Schema of rule files, for editors: ``#:schema ./rules.schema.json`` on a file's first line."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from router.rules.file.rule_table import RuleFile

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def rules_schema() -> dict[str, Any]:
    """What an editor can check by itself: keys, types, forms and ranges. ``check`` knows more."""
    schema = RuleFile.model_json_schema(by_alias=True, schema_generator=GenerateJsonSchema, mode="validation")
    return {"$schema": DIALECT, "title": "connect-router rules", **_without_null(schema)}


def _without_null(node: Any) -> Any:
    """The schema without ``null`` and with nothing said about defaults of it: TOML has no null, and editors offer what
    a schema lists."""
    if isinstance(node, list):
        return [_without_null(one) for one in node]
    if not isinstance(node, dict):
        return node
    kept = {key: _without_null(one) for key, one in node.items() if not (key == "default" and one is None)}
    options = kept.get("anyOf")
    if not isinstance(options, list) or {"type": "null"} not in options:
        return kept
    left = [option for option in options if option != {"type": "null"}]
    if len(left) > 1:
        return {**kept, "anyOf": left}
    rest = {key: one for key, one in kept.items() if key != "anyOf"}
    return {**left[0], **rest}
