"""TOML with positions: what every message about a file that the user wrote is located by."""

from router.toml_source.located import Finding, findings, located
from router.toml_source.reading import read_bytes
from router.toml_source.source import Path, TomlSource
from router.toml_source.words import at_key

__all__ = ["Finding", "Path", "TomlSource", "at_key", "findings", "located", "read_bytes"]
