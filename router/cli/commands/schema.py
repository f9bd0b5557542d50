"""Prints the JSON Schema of the files that users write, for their editors: the command ``schema``."""

from __future__ import annotations

import argparse
from typing import Any

OF = ("rules", "config")
DESCRIPTION = "Prints the JSON Schema of rule files or of config.toml, for editors that complete and check TOML."
EXAMPLE = """\
  connect-router schema rules > rules/rules.schema.json
  connect-router schema config > config.schema.json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "of",
        nargs="?",
        choices=OF,
        default="rules",
        help="of rule files (the default) or of config.toml; editors find it by a first line `#:schema ./FILE`",
    )
    parser.add_argument("--json", action="store_true", help="changes nothing, because a schema is always JSON")


def schema_of(name: str) -> dict[str, Any]:
    """Returns the JSON Schema of rule files or of config.toml."""
    from router.rules.file.rule_table import RuleFile
    from router.settings import Settings
    from router.toml_source import editor_schema

    if name == "rules":
        return editor_schema(RuleFile, title="connect-router rules")
    return editor_schema(Settings, title="connect-router config.toml")


def run(arguments: argparse.Namespace) -> int:
    from router.cli.output.tables import print_json

    print_json(schema_of(arguments.of))
    return 0
