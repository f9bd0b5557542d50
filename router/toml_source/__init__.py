"""Reads TOML with positions. Every message about a user's file takes its place from here."""

from router.toml_source.json_schema import editor_schema
from router.toml_source.source import Graft, KeyPath, TomlSource, read_bytes, require_ordinary
from router.toml_source.validation_errors import Finding, findings, located
from router.toml_source.wording import at_key, with_key

__all__ = [
    "Finding",
    "Graft",
    "KeyPath",
    "TomlSource",
    "at_key",
    "editor_schema",
    "findings",
    "located",
    "read_bytes",
    "require_ordinary",
    "with_key",
]
