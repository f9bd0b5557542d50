"""Measures functions and classes, and finds the modules of the core that no unit test imports."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.measures.source import FUNCTION, Module, modules

CORE = ("execute", "followup", "safety", "search", "lookup")


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    assert node.end_lineno is not None, "the parser sets it"
    return node.end_lineno - node.lineno + 1


def ninth_decile(numbers: list[int]) -> int:
    return sorted(numbers)[len(numbers) * 9 // 10]


def fields(node: ast.ClassDef) -> int:
    """Counts annotated fields of the class, except class variables, and attributes that ``__init__`` sets."""
    names = {
        item.target.id
        for item in node.body
        if isinstance(item, ast.AnnAssign)
        and isinstance(item.target, ast.Name)
        and "ClassVar" not in ast.unparse(item.annotation)
    }
    for item in node.body:
        if isinstance(item, FUNCTION) and item.name == "__init__":
            names |= {
                inner.attr
                for inner in ast.walk(item)
                if isinstance(inner, ast.Attribute)
                and isinstance(inner.ctx, ast.Store)
                and isinstance(inner.value, ast.Name)
                and inner.value.id == "self"
            }
    return len(names)


def is_data_row(module: Module, node: ast.ClassDef) -> bool:
    """Distinguishes frozen values of the domain and sections of the settings from all other classes."""
    package = module.path.parts[1]
    frozen = any("frozen=True" in ast.unparse(decorator) for decorator in node.decorator_list)
    return package == "settings" or (package == "model" and frozen)


def without_a_unit_test(root: Path) -> list[str] | None:
    """Returns the modules of the core that no test of their package imports, ``None`` if there is no core.

    The tests of a package are in ``tests/unit/<package>/``.
    """
    packages = [package for package in CORE if (root / "router" / package).is_dir()]
    if not packages:
        return None
    missing = []
    for package in packages:
        tested = _imported(modules(root, Path("tests/unit") / package))
        for module in modules(root, Path("router") / package):
            name = ".".join(module.path.with_suffix("").parts)
            if module.path.stem != "__init__" and name not in tested:
                missing.append(str(module.path))
    return missing


def _imported(tests: list[Module]) -> set[str]:
    names = set[str]()
    for test in tests:
        for node in test.nodes:
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names
