"""Writes out the files that an installation needs next to the program: the command ``files``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from router.cli.context import shipped
from router.cli.errors import DONE, CommandFailed
from router.cli.foreign_folders import require_own_output

DESCRIPTION = """\
Writes the files that belong to this version into a folder: config.toml and rules, the systemd units, the Containerfile,
the lock of all packages, alert rules and a dashboard, the JSON Schemas, and the flows as Terraform. It overwrites no
file that differs. This command makes no call to AWS."""
EXAMPLE = """\
  connect-router files connect-router-files
"""
COPIED = ("config.toml", "rules", "systemd", "Containerfile", "requirements.lock", "monitoring")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="the folder to write to; it is made if it is missing")


def run(arguments: argparse.Namespace) -> int:
    folder: Path = arguments.folder
    require_own_output(folder)
    files = {folder / name: content for name, content in [*_copied(), *_made()]}
    taken = [path for path, content in files.items() if path.exists() and path.read_bytes() != content]
    if taken:
        names = ", ".join(str(path.relative_to(folder)) for path in taken)
        raise CommandFailed(f"connect-router: {folder} has other files: {names}; nothing is written: name a new folder")
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        print(path)
    return DONE


def _copied() -> Iterator[tuple[str, bytes]]:
    for name in COPIED:
        root = shipped(name)
        for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
            if path.is_file():
                yield str(name / path.relative_to(root)), path.read_bytes()


def _made() -> Iterator[tuple[str, bytes]]:
    """Yields the files that other commands print."""
    from router.cli.commands.flow import TYPES, terraform
    from router.cli.commands.schema import OF, schema_of

    for name in OF:
        yield f"schemas/{name}.schema.json", f"{json.dumps(schema_of(name), indent=2)}\n".encode()
    for to in TYPES:
        yield f"terraform/flow-to-{to}/main.tf", terraform(to, f"connect-router to {to}", None).encode()
