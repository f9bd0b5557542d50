"""Collects every sentence in the product's code: docs/messages.md must be complete against them.

They are collected by form, not by the function that prints them. One module builds a message, others pass it on, and a
third prints it; a list of printing functions would miss the next one. Each text of two words or more counts, unless its
place in the syntax shows that it is no message: docstrings, assertions, help and descriptions, annotations.
"""

import ast
import re
from collections.abc import Iterator, Set
from functools import cache
from pathlib import Path

import router
from router.cli.commands.message import normal

PACKAGE = Path(router.__file__).parent
ABOUT_SCENARIOS = ("scenario_file.py", "scenario_tables.py")
"""The modules of the sandbox that read users' files. Its other texts are AWS's words, for an AWS SDK."""
FINDINGS = ("acceptance", "probes")
"""The probes' texts are data of an instance profile: questions, and reasons why one is unsettled."""
SENTENCES_OF_EVENTS = Path("events", "messages.py")
"""The table of the log's sentences: docs/log-events.md explains each event."""
NO_MESSAGE_BY_KEYWORD = {"help", "description", "epilog", "title", "metavar", "style"}
NO_MESSAGE_BY_NAME = frozenset({"DESCRIPTION", "EXAMPLE", "EPILOG"})
"""The constants of commands that ``--help`` prints around the options."""
SQL = re.compile(r"[\s…]*(SELECT|UPDATE|INSERT|DELETE|BEGIN|PRAGMA)\b")
WORD = re.compile(r"[A-Za-z]{2,}")


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


@cache
def sentences() -> dict[str, set[str]]:
    """Returns each sentence, with … for every value in it, and the files that contain it."""
    found: dict[str, set[str]] = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        path = file.relative_to(PACKAGE)
        package = path.parts[0]
        if path == SENTENCES_OF_EVENTS or (package == "sandbox" and file.name not in ABOUT_SCENARIOS):
            continue
        if path.parts[:2] == FINDINGS:
            continue
        by_name = NO_MESSAGE_BY_NAME if package == "cli" else frozenset()
        for text in _texts(parsed(file), by_name):
            found.setdefault(text, set()).add(str(path))
    return found


def _texts(module: ast.Module, by_name: Set[str]) -> Iterator[str]:
    waiting: list[ast.AST] = [module]
    while waiting:
        node = waiting.pop()
        inside, skipped = ast.iter_child_nodes(node), list(_no_messages(node, by_name))
        waiting.extend((child for child in inside if child not in skipped) if skipped else inside)
        if (text := template(node)) is not None:
            plain = normal(text)
            if " " in plain and len(WORD.findall(plain)) > (":" not in plain) and not SQL.match(plain):
                yield plain


def _no_messages(node: ast.AST, by_name: Set[str]) -> Iterator[ast.AST]:
    """Yields the children of a node that are no messages, whatever is in them."""
    match node:
        case ast.Expr(value=ast.Constant() as text):
            yield text
        case ast.Assert(msg=ast.expr() as message):
            yield message
        case ast.keyword(arg=name) if name in NO_MESSAGE_BY_KEYWORD:
            yield node.value
        case ast.Assign(targets=[ast.Name(id=name)]) if name in by_name:
            yield node.value
        case ast.AnnAssign(annotation=annotation) | ast.arg(annotation=ast.expr() as annotation):
            yield annotation
        case ast.JoinedStr(values=parts):
            yield from (part for part in parts if isinstance(part, ast.Constant))
        case ast.Call(func=ast.Name(id="cast"), args=[kind, *_]):
            yield kind


def template(node: ast.AST) -> str | None:
    match node:
        case ast.Constant(value=str(text)):
            return re.sub(r"\{[a-z_]+\}", "…", text)
        case ast.JoinedStr(values=parts):
            return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in parts)
    return None
