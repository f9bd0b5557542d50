"""TOML with positions: what every message about a file that the user wrote is located by."""

from router.toml_source.source import Path, TomlSource

__all__ = ["Path", "TomlSource"]
