"""Prints the measures of the code's shape and of its language, for one checkout or for two side by side."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[2]
if not __package__:  # run as a script
    sys.path.append(str(ROOT))

from tests.measures.findings import Findings, classes_of_one_name, of_path, together  # noqa: E402
from tests.measures.shape import fields, is_data_row, length, ninth_decile, without_a_unit_test  # noqa: E402
from tests.measures.source import Module, modules  # noqa: E402

Measures = dict[str, str]
WIDE = 7
"""Fields that a class may have; a wider one does more than one thing."""


def measures(root: Path) -> Measures:
    router = modules(root, Path("router"))
    code, tests = of_path(root, Path("router")), of_path(root, Path("tests"))
    docs = together(of_path(root, path) for path in map(Path, ("docs", "README.md")) if (root / path).exists())
    return _shape(router) | _tests(root) | _language(root, router, code, tests, docs)


def _shape(router: list[Module]) -> Measures:
    lines = [module.lines for module in router]
    functions = sorted((length(node), f"{module.path}:{node.name}") for module in router for node in module.functions)
    lengths = [function[0] for function in functions]
    classes = [(module, node) for module in router for node in module.classes]
    rows = [(fields(node), f"{module.path}:{node.name}") for module, node in classes if is_data_row(module, node)]
    parts = [(fields(node), f"{module.path}:{node.name}") for module, node in classes if not is_data_row(module, node)]
    wide = sum(width > WIDE for width, _ in parts)
    return {
        "lines of router/": f"{sum(lines)}",
        "files": f"{len(router)}",
        "files per 1,000 lines": f"{1000 * len(router) / sum(lines):.1f}",
        "modules over 300 lines": f"{sum(count > 300 for count in lines)}",
        "modules under 40 lines, except __init__": f"{_small(router)}",
        "function lines, median / 90 %": f"{median(lengths):.0f} / {ninth_decile(lengths)}",
        "longest function": _widest(functions),
        f"classes with more than {WIDE} fields": f"{_percent(wide, len(parts))} ({wide} of {len(parts)})",
        "widest class": _widest(parts),
        "widest data row or settings section": _widest(rows),
    }


def _tests(root: Path) -> Measures:
    missing = without_a_unit_test(root)
    return {"modules of the core without a unit test": "no such package" if missing is None else f"{len(missing)}"}


def _language(root: Path, router: list[Module], code: Findings, tests: Findings, docs: Findings) -> Measures:
    twice = [finding.reason.split()[1] for finding in classes_of_one_name(router)]
    changelog = of_path(root, Path("CHANGELOG.md"))
    return {
        "class names that occur twice": f"{len(set(twice))} ({len(twice)} classes too many)",
        "module names that are no nouns": f"{code.count('name')}",
        "functions that open with a verb": _opened(code),
        "functions without a docstring": f"{code.undocumented}",
        "modules and classes that open with no sentence": f"{code.count('sentence')}",
        "tests: functions that open with a verb": _opened(tests),
        "tests: modules and classes without a sentence": f"{tests.count('sentence')}",
        "docs: sentences over 30 words": f"{_percent(docs.count('long'), docs.sentences)} ({docs.count('long')})",
        "docs: sentences that begin with a pronoun": f"{docs.count('pronoun')}",
        "docs: words a sentence": f"{docs.words / max(1, docs.sentences):.1f}",
        "words to replace: router/": f"{code.count('word')}",
        "words to replace: tests/": f"{tests.count('word')}",
        "words to replace: docs and README": f"{docs.count('word')}",
        "words to replace: CHANGELOG": f"{changelog.count('word')}",
    }


def _small(router: list[Module]) -> int:
    return sum(module.lines < 40 and not module.path.stem.startswith("__") for module in router)


def _opened(findings: Findings) -> str:
    opened = findings.functions - findings.count("docstring")
    return f"{_percent(opened, findings.functions)} ({opened} of {findings.functions})"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / max(1, whole):.1f} %"


def _widest(sized: list[tuple[int, str]]) -> str:
    if not sized:
        return "none"
    size, place = max(sized)
    return f"{size} {place.removeprefix('router/')}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("older", nargs="?", type=Path, help="a second checkout, shown in a column before this one")
    arguments = parser.parse_args()
    trees = [ROOT] if arguments.older is None else [arguments.older.resolve(), ROOT]
    columns = [measures(tree) for tree in trees]
    widths = [max(map(len, column.values())) for column in columns]
    for name in columns[0]:
        cells = "   ".join(f"{column[name]:<{width}}" for column, width in zip(columns, widths, strict=True))
        print(f"{name:<48}{cells}".rstrip())
    return 0


if __name__ == "__main__":
    sys.exit(main())
