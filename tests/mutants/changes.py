"""Enumerates the small changes (mutants) of a module's functions, and makes the module's text with one of them.

A mutant is named by its function and by the text of its statement before and after, not by file and line.
Therefore it is found again in a tree whose files have moved.
"""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Enums = Mapping[str, tuple[str, ...]]
"""The members of each enum, by the enum's name."""
Change = tuple[str, ast.AST, ast.AST, Callable[[], None], Callable[[], None]]
"""Holds the operator's name, the node before, the node after, and two functions: one changes, one takes back."""

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """Describes one change of one statement. ``nth`` counts equal changes of equal statements in one function.

    ``before`` and ``after`` are the text of the statement, ``part_before`` and ``part_after`` that of its changed part.
    """

    file: str
    line: int
    end: int
    statement_line: int
    function: str
    operator: str
    before: str
    after: str
    part_before: str
    part_after: str
    nth: int


def enums_of(sources: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Returns the members of each enum with two members or more."""
    found = {}
    for source in sources.values():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ClassDef) and any("Enum" in ast.unparse(base) for base in node.bases):
                names = [one.targets[0] for one in node.body if isinstance(one, ast.Assign)]
                members = tuple(one.id for one in names if isinstance(one, ast.Name))
                if len(members) > 1:
                    found[node.name] = members
    return found


def mutants_of(file: str, source: str, enums: Enums) -> list[Mutant]:
    """Returns every mutant of the module."""
    return [mutant for mutant, _tree in _walk(file, source, enums)]


def source_of(wanted: Mutant, source: str, enums: Enums) -> str:
    """Returns the text of the module with this change. Comments and layout are lost."""
    for mutant, tree in _walk(wanted.file, source, enums):
        if mutant == wanted:
            return ast.unparse(tree)
    raise LookupError(f"{wanted.file}:{wanted.line} has no such statement")


def _walk(file: str, source: str, enums: Enums) -> Iterator[tuple[Mutant, ast.Module]]:
    """Yields each mutant while the tree is changed by it."""
    tree = ast.parse(source)
    seen: Counter[tuple[str, str, str]] = Counter()
    for function, statement in _statements(tree, ""):
        before = _text(statement)
        for operator, node, new, make, undo in _changes(statement, enums):
            part_before = _text(node)
            make()
            try:
                after = _text(statement)
                nth = seen[function, before, after]
                seen[function, before, after] += 1
                yield (
                    Mutant(
                        file=file,
                        line=getattr(node, "lineno", statement.lineno),
                        end=getattr(node, "end_lineno", None) or statement.lineno,
                        statement_line=statement.lineno,
                        function=function,
                        operator=operator,
                        before=before,
                        after=after,
                        part_before=part_before,
                        part_after=_text(new),
                        nth=nth,
                    ),
                    tree,
                )
            finally:
                undo()


def _statements(node: ast.AST, inside: str, *, function: bool = False) -> Iterator[tuple[str, ast.stmt]]:
    """Yields the statements inside functions, each with its function's qualified name."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (*FUNCTIONS, ast.ClassDef)):
            name = f"{inside}.{child.name}" if inside else child.name
            yield from _statements(child, name, function=isinstance(child, FUNCTIONS))
        elif isinstance(child, (ast.stmt, ast.excepthandler, ast.match_case)):
            # An assertion narrows a type for the reader and for mypy: it is no behaviour.
            if function and isinstance(child, ast.stmt) and not isinstance(child, ast.Assert):
                yield inside, child
            yield from _statements(child, inside, function=function)


def _text(statement: ast.AST) -> str:
    """Returns the statement in one line; of a compound statement its first line only."""
    if isinstance(statement, ast.expr) or not (hasattr(statement, "body") or isinstance(statement, ast.Match)):
        return ast.unparse(statement)
    head = copy.copy(statement)
    for part in ("body", "orelse", "finalbody", "handlers", "cases"):
        if hasattr(head, part):
            setattr(head, part, [ast.Pass()] if part == "body" else [])
    if isinstance(head, ast.Try):
        return "try:"
    return ast.unparse(head).removesuffix("pass").strip()


def _changes(statement: ast.stmt, enums: Enums) -> Iterator[Change]:
    """Yields the changes of one statement without those of the statements inside it."""
    if isinstance(statement, ast.Return) and _is_something(statement.value):
        yield "return value dropped", statement, *_swap(statement, "value", ast.Constant(None))
    if isinstance(statement, ast.AugAssign) and type(statement.op) in ARITHMETIC:
        yield "arithmetic", statement, *_swap(statement, "op", ARITHMETIC[type(statement.op)]())
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        yield "call removed", statement, *_swap(statement, "value", ast.Constant(...))
    if isinstance(statement, ast.If | ast.While) and isinstance(statement.test, ast.Name | ast.Attribute | ast.Call):
        negated = ast.UnaryOp(ast.Not(), statement.test)
        yield "condition negated", statement.test, *_replace(statement, statement.test, negated)
    for field, value in ast.iter_fields(statement):
        if field not in {"annotation", "decorator_list"}:
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.expr | ast.withitem | ast.keyword):
                    yield from _inside(statement, child, enums)


def _inside(parent: ast.AST, node: ast.AST, enums: Enums) -> Iterator[Change]:
    """Yields the changes of an expression and of all inside it. What is shown to people (an f-string) is left alone."""
    if isinstance(node, ast.JoinedStr):
        return
    yield from _of_expression(parent, node, enums)
    for child in ast.iter_child_nodes(node):
        yield from _inside(node, child, enums)


def _of_expression(parent: ast.AST, node: ast.AST, enums: Enums) -> Iterator[Change]:
    match node:
        case ast.Compare():
            for number, operator in enumerate(node.ops):
                for other in COMPARISONS[type(operator)]:
                    yield "comparison", node, *_swap(node, "ops", _with(node.ops, number, other()))
        case ast.BoolOp():
            other_op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield "and/or", node, *_swap(node, "op", other_op)
        case ast.UnaryOp(op=ast.Not()):
            yield "not", node, *_replace(parent, node, node.operand)
        case ast.BinOp() if type(node.op) in ARITHMETIC and not _is_of_types_or_text(node):
            yield "arithmetic", node, *_swap(node, "op", ARITHMETIC[type(node.op)]())
        case ast.Constant(value=bool()):
            yield "constant", node, *_swap(node, "value", not node.value)
        case ast.Constant(value=int() | float()):
            yield "constant", node, *_swap(node, "value", node.value + 1)  # type: ignore[operator]
        case ast.IfExp():
            yield "conditional expression", node, *_replace(parent, node, _exchanged(node))
        case ast.Attribute(value=ast.Name(id=name)) if node.attr in enums.get(name, ()):
            members = enums[name]
            following = members[(members.index(node.attr) + 1) % len(members)]
            yield "enum member", node, *_swap(node, "attr", following)


def _exchanged(node: ast.IfExp) -> ast.IfExp:
    return ast.copy_location(ast.IfExp(test=node.test, body=node.orelse, orelse=node.body), node)


def _is_something(value: ast.expr | None) -> bool:
    return value is not None and not (isinstance(value, ast.Constant) and value.value is None)


def _is_of_types_or_text(node: ast.BinOp) -> bool:
    """Returns whether ``node`` joins types (``A | B``) or strings. Its change fails on first use."""
    sides = (node.left, node.right)
    if any(isinstance(side, ast.JoinedStr) or _is_text(side) for side in sides):
        return True
    names = [ast.unparse(side).rpartition(".")[2] for side in sides]
    return isinstance(node.op, ast.BitOr) and any(name[:1].isupper() and not name.isupper() for name in names)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _with(items: list[Any], number: int, item: Any) -> list[Any]:
    return [*items[:number], item, *items[number + 1 :]]


def _swap(node: ast.AST, field: str, new: Any) -> tuple[ast.AST, Callable[[], None], Callable[[], None]]:
    old = getattr(node, field)
    return node, (lambda: setattr(node, field, new)), (lambda: setattr(node, field, old))


def _replace(parent: ast.AST, node: ast.AST, new: ast.AST) -> tuple[ast.AST, Callable[[], None], Callable[[], None]]:
    """Puts ``new`` into the place that ``node`` has in ``parent``."""
    for field, value in ast.iter_fields(parent):
        if value is node:
            return new, *_swap(parent, field, new)[1:]
        if isinstance(value, list) and any(one is node for one in value):
            return new, *_swap(parent, field, [new if one is node else one for one in value])[1:]
    raise LookupError("the node is not in its parent")
