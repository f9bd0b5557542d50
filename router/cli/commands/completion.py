"""Prints the script that completes commands and options in a shell: the command ``completion``."""

from __future__ import annotations

import argparse
import re

from router.cli.errors import DONE

SHELLS = ("bash", "zsh", "fish")
DESCRIPTION = """\
Prints a script for a shell, which then completes commands, options and the names of files. Makes no call."""
EXAMPLE = """\
  connect-router completion bash > connect-router.bash
  connect-router completion zsh > _connect-router
  connect-router completion fish > connect-router.fish
"""
ZSH_VALUE = re.compile(r'(?<=")(\*?--[a-z-]+)\[(?=(?:[^]\\"]|\\.)*\]:)')
"""An option with a value, in the words of zsh's ``_arguments``. With ``=`` it completes ``--config=x`` as well as
``--config x``."""
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
    script = shtab.complete(whole, arguments.shell)
    print(ZSH_VALUE.sub(r"\1=[", script) if arguments.shell == "zsh" else script)
    return DONE
