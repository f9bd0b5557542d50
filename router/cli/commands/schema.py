"""Prints the JSON Schema of the files that users write, for their editors: the command ``schema``."""

from __future__ import annotations

import argparse

DESCRIPTION = "Prints the JSON Schema of rule files or of config.toml, for editors that complete and check TOML."
EXAMPLE = """\
  connect-router schema rules > rules/rules.schema.json
  connect-router schema config > config.schema.json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "of",
        nargs="?",
        choices=("rules", "config"),
        default="rules",
        help="of rule files (the default) or of config.toml; editors find it by a first line `#:schema ./FILE`",
    )
    parser.add_argument("--json", action="store_true", help="changes nothing, because a schema is always JSON")


def run(arguments: argparse.Namespace) -> int:
    from router.cli.output.tables import print_json
    from router.rules.file.rule_table import RuleFile
    from router.settings import Settings
    from router.toml_source import editor_schema

    if arguments.of == "rules":
        schema = editor_schema(RuleFile, title="connect-router rules")
    else:
        schema = editor_schema(Settings, title="connect-router config.toml")
    print_json(schema)
    return 0
