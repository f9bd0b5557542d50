"""Prints the script that completes commands and options in a shell: the command ``completion``."""

from __future__ import annotations

import argparse

from router.cli.errors import DONE

SHELLS = ("bash", "zsh", "fish")
DESCRIPTION = """\
Prints a script for a shell, which then completes commands, options and the names of files. Makes no call."""
EXAMPLE = """\
  connect-router completion bash > connect-router.bash
  connect-router completion zsh > _connect-router
  connect-router completion fish > connect-router.fish
"""
FILES = frozenset({"PATH", "FILE"})


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=SHELLS, help="bash, zsh or fish")


def run(arguments: argparse.Namespace) -> int:
    import shtab

    from router.cli.parser import COMMANDS, add_common, parsers

    whole, commands = parsers()
    add_common(whole)  # these may be written before the command, too
    for parser in (whole, *(command.configured() for command in commands.values())):
        for action in parser._actions:
            if action.metavar in FILES:
                action.complete = shtab.FILE  # type: ignore[attr-defined]
            elif action.metavar == "DIR":
                action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
    for name, parser in commands.items():
        short = COMMANDS[name].help
        parser.description = short[0].upper() + short[1:]  # a shell shows it on one line
    print(shtab.complete(whole, arguments.shell))
    return DONE
