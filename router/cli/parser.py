"""Defines the commands and their common options. A command's module is imported only if that command is given."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from textwrap import fill
from typing import Any, NoReturn, cast

from router import __version__
from router.cli.errors import CONFIG, MISCONFIGURED, WRONG
from router.cli.words import command_first
from router.problems import did_you_mean, printable, shortened

DESCRIPTION = "Moves waiting Amazon Connect tasks and e-mails by rules, before they break their service level."
EPILOG = """\
exit status: 0 done; 1 done, but found problems or some contacts failed; 2 wrong usage or a configuration that does not
load (78 for `run`); 3 a simulation that decides nothing; 70 a bug; 130 interrupted

connect-router COMMAND --help describes a command.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Names a command and its module, which has ``DESCRIPTION``, ``EXAMPLE``, ``configure`` and ``run``.

    ``misconfigured`` is the exit status of wrong usage and of a configuration that does not load."""

    name: str
    module: str
    help: str
    misconfigured: int = WRONG

    def configure(self, parser: argparse.ArgumentParser) -> None:
        module = import_module(f"router.cli.{self.module}")
        parser.description = module.DESCRIPTION
        parser.epilog = f"example:\n{module.EXAMPLE}"
        module.configure(parser)
        add_common(parser)

    def run(self, arguments: argparse.Namespace) -> int:
        status: int = import_module(f"router.cli.{self.module}").run(arguments)
        return status


COMMANDS = {
    command.name: command
    for command in (
        Command(name="run", module="commands.run", help="run the service", misconfigured=MISCONFIGURED),
        Command(name="check", module="commands.check", help="prove configuration, rules and their examples"),
        Command(name="diff", module="commands.diff", help="show what one rule set does and another does not"),
        Command(name="plan", module="commands.plan", help="show what `run` would do now; changes nothing"),
        Command(name="explain", module="commands.explain", help="show why a contact is, or is not, moved"),
        Command(name="test", module="commands.test", help="show what the rules would do with a described contact"),
        Command(name="simulate", module="commands.simulate", help="show what rules do to the waits of a scenario"),
        Command(name="backtest", module="commands.backtest", help="show what changed rules would have done"),
        Command(name="history", module="commands.history", help="print what the router did, from the ledger"),
        Command(name="status", module="commands.status", help="show the running service at a glance"),
        Command(name="reload", module="commands.reload", help="make the service read its files again"),
        Command(name="policy", module="commands.policy", help="print the smallest IAM policy of the loaded rules"),
        Command(name="pause", module="commands.pause", help="hold one contact, or those of a rule, queue or flow"),
        Command(name="resume", module="commands.resume", help="end a pause, or the suspension of a flow"),
        Command(name="retry", module="commands.retry", help="let the service try again what Connect refused"),
        Command(name="ledger", module="commands.ledger", help="make the table for several routers"),
        Command(name="message", module="commands.message", help="explain a message, with what to do about it"),
        Command(name="flow", module="commands.flow", help="the flow that a rule needs, ready to be imported"),
        Command(name="events", module="commands.events", help="the queue of contact events, ready to be deployed"),
        Command(name="completion", module="commands.completion", help="print the completion script of a shell"),
        Command(name="schema", module="commands.schema", help="print the JSON Schema of rule files or config.toml"),
        Command(name="files", module="commands.files", help="write the units, alert rules and other files to a folder"),
        Command(name="acceptance", module="commands.acceptance", help="find out how a test instance behaves"),
        Command(name="sandbox", module="commands.sandbox", help="simulate the Amazon Connect API on this machine"),
        Command(name="demo", module="commands.demo", help="run sandbox and service together, for half a minute"),
    )
}


ALIASES = {
    "-c": ("--config PATH",),
    "-f": ("--config PATH",),
    "--debug": ("--verbose",),
    "--silent": ("--quiet",),
    "-s": ("--quiet",),
    "--dry-run": ("--observe",),
    "-n": ("--observe",),
    "--format": ("--json",),
}
"""Options of other programs, and what they are called here."""


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Leaves room for the longest name of a command, of which argparse forgets the indentation. Wraps paragraphs to
    the terminal; an example retains its lines."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._action_max_length = max(map(len, COMMANDS)) + 4

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        paragraphs = text.strip().split("\n\n")
        return "\n\n".join(one if one.startswith("example:") else fill(one, width) for one in paragraphs)


ALONE = frozenset({"-h", "--help", "--version"})
"""Options that need no command."""


class CommandParser(argparse.ArgumentParser):
    """Adds a command's options only when it is used; therefore ``connect-router --help`` imports no command."""

    def __init__(self, *, command: Command | None = None, **options: Any) -> None:
        super().__init__(formatter_class=HelpFormatter, allow_abbrev=False, **options)
        self.command = command
        self._configured = command is None

    def configured(self) -> CommandParser:
        if not self._configured:
            assert self.command is not None
            self._configured = True
            self.command.configure(self)
        return self

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[argparse.Namespace, list[str]]:
        return super(CommandParser, self.configured()).parse_known_args(args, namespace)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            known = [str(choice) for choice in action.choices]
            what = "command" if isinstance(action, argparse._SubParsersAction) else action.dest.replace("_", " ")
            hint = did_you_mean(str(value), known) or f": one of {', '.join(known)}"
            raise argparse.ArgumentError(None, f"no {what} '{printable(str(value))}'{hint}")

    def error(self, message: str) -> NoReturn:
        """Prints one line with the mistake, without the usage, which ``--help`` prints."""
        status = self.command.misconfigured if self.command else WRONG
        self.exit(status, f"{self.prog}: {printable(shortened(message))} (see {self.prog} --help)\n")


def parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parses the command line. Raises ``SystemExit`` on wrong usage, with the status of the given command."""
    whole, commands = parsers()
    words = command_first(sys.argv[1:] if argv is None else argv)
    _refuse_options_first(words, commands)
    _refuse_unknown_options(words, commands)
    arguments, unknown = whole.parse_known_args(words)
    if arguments.quiet and arguments.log_level is None:
        arguments.log_level = "warning"
    if unknown:
        command = commands[arguments.command]
        name = unknown[0].partition("=")[0]
        if name.startswith("-"):
            _refuse_option(name, command)
        hint = " (--config PATH names a configuration, --set rules.path=PATH the rules)" if os.path.exists(name) else ""
        command.error(f"no argument '{printable(name)}' here{hint}")
    return arguments


def _refuse_options_first(words: list[str], commands: Mapping[str, CommandParser]) -> None:
    name = next((word for word in words if word in COMMANDS), None)
    if name is None or not words[0].startswith("-") or words[0] in ALONE:
        return
    at = words.index(name)
    right = shlex.join([name, *words[:at], *words[at + 1 :]])
    commands[name].error(f"options are written after the command: connect-router {right}")


def _refuse_unknown_options(words: list[str], commands: Mapping[str, CommandParser]) -> None:
    """Refuses a mistyped option before argparse reports that the option that was meant is missing."""
    if not words or words[0] not in commands:
        return
    command = commands[words[0]].configured()
    until = words.index("--") if "--" in words else len(words)
    options = (word for word in words[1:until] if word.startswith("--") and " " not in word)
    names = (word.partition("=")[0] for word in options)
    unknown = next((name for name in names if name not in command._option_string_actions), None)
    if unknown is not None:
        _refuse_option(unknown, command)


def _refuse_option(name: str, command: CommandParser) -> NoReturn:
    command.error(f"no option '{printable(name)}' here{_hint(name, command)}")


def _hint(name: str, command: CommandParser) -> str:
    """Returns what is written instead of an option that the command does not have; empty if that is not known."""
    options = [option for action in command._actions for option in action.option_strings]
    meant = next((option for option in ALIASES.get(name, ()) if option.partition(" ")[0] in options), None)
    if meant is not None:
        return f" (did you mean '{meant}'?)"
    near = did_you_mean(name.lstrip("-"), [option.lstrip("-") for option in options])
    if near:
        return near.replace("'", "'--", 1)
    from router.settings.sources import keys

    word = name.lstrip("-").replace("-", "_")
    leaves = (key for key in keys() if len(key) > 1)
    key = next((key for key in leaves if word in (key[0], key[-1], "_".join(key))), None)
    return f"; set the key of config.toml: --set {'.'.join(key)}=VALUE" if key is not None else ""


def parsers() -> tuple[CommandParser, Mapping[str, CommandParser]]:
    """Returns the parser of the command line, and the parsers of the commands by name."""
    whole = CommandParser(prog="connect-router", description=DESCRIPTION, epilog=EPILOG)
    whole.add_argument("--version", action="version", version=f"connect-router {__version__}")
    commands = whole.add_subparsers(
        dest="command", metavar="COMMAND", required=True, parser_class=CommandParser, title="commands"
    )
    for command in COMMANDS.values():
        commands.add_parser(command.name, command=command, help=command.help)
    return whole, cast("Mapping[str, CommandParser]", commands.choices)


def add_common(parser: argparse.ArgumentParser) -> None:
    common = parser.add_argument_group("configuration")
    common.add_argument(
        "--config",
        metavar="PATH",
        default=os.environ.get(CONFIG) or None,
        help=f"config.toml (default: ${CONFIG}, else ./config.toml, else /etc/connect-router/config.toml)",
    )
    common.add_argument(
        "--set",
        dest="overrides",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="any key of config.toml: --set poll.every=5s (repeatable; wins over file and environment)",
    )
    common.add_argument(
        "--log-level",
        choices=("debug", "info", "warning", "error"),
        help="the same as --set log.level=…; debug also shows the traceback of a bug",
    )
    common.add_argument(
        "-v",
        "--verbose",
        dest="log_level",
        action="store_const",
        const="debug",
        default=argparse.SUPPRESS,
        help="the same as --log-level debug",
    )
    common.add_argument(
        "-q",
        "--quiet",
        action="store_true",
        help="no notes on standard error; `run` logs warnings and errors only",
    )


def contact_id(text: str) -> str:
    """Returns an argument that is the id of a contact as it was given: an ARN names its instance, too."""
    from router.model.ids import contact_id_of  # `connect-router --help` does not wait for it

    try:
        contact_id_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def whole_number(text: str) -> int:
    """Returns an argument that limits how much is printed; 0 is no limit."""
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise argparse.ArgumentTypeError("expected a whole number of at most 9 digits, 0 for all")
    return int(text)


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="JSON on standard output, for programs")


def add_mode(parser: argparse.ArgumentParser, *, pretended: bool = False) -> None:
    """Adds ``--observe`` and ``--enforce``. ``pretended``: the command only shows what the service would do."""
    observe, enforce = "decide and log; reading calls only", "move contacts"
    if pretended:
        observe, enforce = "as the service would in this mode", "as the service would in this mode"
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--observe", dest="mode", action="store_const", const="observe", help=observe)
    mode.add_argument("--enforce", dest="mode", action="store_const", const="enforce", help=enforce)
