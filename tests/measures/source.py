"""Reads Python files as syntax trees, and yields their docstrings, comments, messages, functions and classes."""

from __future__ import annotations

import ast
import inspect
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
SQL = ("SELECT ", "UPDATE ", "INSERT ", "DELETE ", "CREATE ", "ALTER ", "BEGIN ", "PRAGMA ", "DROP ")


@dataclass(frozen=True, slots=True)
class Text:
    """A docstring, a comment or a message, and the line that it begins on."""

    line: int
    text: str


@dataclass(frozen=True)
class Module:
    """Holds a Python file. ``path`` is relative to the tree's root, as messages show it."""

    path: Path
    source: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.source)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(self.tree))

    @property
    def lines(self) -> int:
        return self.source.count("\n")

    @property
    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        return (node for node in self.nodes if isinstance(node, FUNCTION))

    @property
    def classes(self) -> Iterator[ast.ClassDef]:
        return (node for node in self.nodes if isinstance(node, ast.ClassDef))

    @property
    def docstrings(self) -> Iterator[Text]:
        """Yields every text that is a statement by itself, also below an attribute."""
        for node in self.nodes:
            match node:
                case ast.Expr(value=ast.Constant(value=str(text))):
                    yield Text(node.lineno, inspect.cleandoc(text))

    @property
    def comments(self) -> Iterator[Text]:
        """Yields comments; those on adjacent lines are one text."""
        block: list[str] = []
        begin = last = 0
        for token in tokenize.generate_tokens(io.StringIO(self.source).readline):
            if token.type == tokenize.COMMENT:
                if block and token.start[0] != last + 1:
                    yield Text(begin, "\n".join(block))
                    block = []
                begin = begin if block else token.start[0]
                last = token.start[0]
                block.append(token.string.lstrip("#! "))
        if block:
            yield Text(begin, "\n".join(block))

    @property
    def messages(self) -> Iterator[Text]:
        """Yields string literals that contain a blank, except docstrings and SQL. An inserted value becomes CODE."""
        parts = {id(part) for node in self.nodes if isinstance(node, ast.JoinedStr) for part in node.values}
        parts |= {id(node.value) for node in self.nodes if isinstance(node, ast.Expr)}
        for node in self.nodes:
            if id(node) in parts:
                continue
            text = _literal(node)
            if " " in text.strip() and not text.lstrip().startswith(SQL):
                yield Text(node.lineno, text)  # type: ignore[attr-defined]


def _literal(node: ast.AST) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(str(part.value) if isinstance(part, ast.Constant) else "CODE" for part in parts)
    return ""


def modules(root: Path, under: Path) -> list[Module]:
    """Returns the Python files at or below ``under``, a path relative to ``root``."""
    start = root / under
    files = [start] if start.is_file() else sorted(start.rglob("*.py"))
    return [
        Module(file.relative_to(root), file.read_text(encoding="utf-8"))
        for file in files
        if file.suffix == ".py" and not any(part.startswith(".") for part in file.relative_to(root).parts)
    ]
