"""Holds the short form of ``make mutants``: every operator on one small module, and three mutants under tests."""

import ast
import sys

import pytest

from tests.mutants.changes import enums_of, mutants_of, source_of
from tests.mutants.run import Finder, Tree, compared, judge, measure, renamed

LIMITS = '''\
"""A small module."""
from enum import StrEnum

class Came(StrEnum):
    DONE = "done"
    HELD = "held"

def outcome(count, case_open, log):
    """Returns an outcome."""
    assert count is not None
    if not case_open and count > 3 * 2:
        log.append(f"{count + 1}")
        return Came.HELD
    return Came.DONE if count else None

def unused(count):
    return count + 1
'''

TESTS = {
    "unit/test_limits.py": """
from threading import Thread

def test_many_are_held():
    found = []
    thread = Thread(target=lambda: found.append(outcome(9, False, [])))
    thread.start()
    thread.join()
    assert found == [Came.HELD]
""",
    "test_limits.py": """
def test_one_is_done():
    assert outcome(1, False, []) is Came.DONE
""",
}
FILE = "router/limits.py"
ENUMS = enums_of({FILE: LIMITS})


def changes(source=LIMITS):
    return mutants_of(FILE, source, ENUMS)


def one(operator, part_after):
    (found,) = [mutant for mutant in changes() if (mutant.operator, mutant.part_after) == (operator, part_after)]
    return found


def test_each_operator_changes_one_part_of_one_statement():
    assert ENUMS == {"Came": ("DONE", "HELD")}
    assert [(mutant.line, mutant.operator, mutant.part_after) for mutant in changes()] == [
        (11, "and/or", "not case_open or count > 3 * 2"),
        (11, "not", "case_open"),
        (11, "comparison", "count >= 3 * 2"),
        (11, "comparison", "count <= 3 * 2"),
        (11, "arithmetic", "3 / 2"),
        (11, "constant", "4"),
        (11, "constant", "3"),
        (12, "call removed", "..."),
        (13, "return value dropped", "return None"),
        (13, "enum member", "Came.DONE"),
        (14, "return value dropped", "return None"),
        (14, "conditional expression", "None if count else Came.DONE"),
        (14, "enum member", "Came.HELD"),
        (17, "return value dropped", "return None"),
        (17, "arithmetic", "count - 1"),
        (17, "constant", "2"),
    ]


def test_the_changed_module_differs_in_that_part_only():
    for mutant in changes():
        text = source_of(mutant, LIMITS, ENUMS)
        before, after = ast.unparse(ast.parse(LIMITS)).splitlines(), text.splitlines()
        assert len(before) == len(after)
        (differ,) = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
        assert (differ[0].strip(), differ[1].strip()) == (mutant.before, mutant.after)


@pytest.fixture
def tree(tmp_path):
    def made(source=LIMITS, file=FILE):
        folder = tmp_path / "tree"
        (folder / file).parent.mkdir(parents=True)
        (folder / "tests" / "unit").mkdir(parents=True)
        (folder / file).write_text(source, encoding="utf-8")
        (folder / "router" / "__init__.py").touch()
        (folder / "tests" / "conftest.py").write_text(f"import sys\nsys.path.insert(0, {str(folder)!r})\n")
        # Two files of one name need the settings of the tree.
        (folder / "pyproject.toml").write_text('[tool.pytest.ini_options]\naddopts = ["--import-mode=importlib"]\n')
        for file_of_tests, text in TESTS.items():
            (folder / "tests" / file_of_tests).write_text("from router.limits import Came, outcome\n" + text)
        return Tree(folder, sys.executable)

    return made


def test_a_mutant_is_found_again_where_files_classes_and_words_have_changed(tree):
    moved = LIMITS.replace("case_open", "wait_open").replace(
        "    return Came.DONE if count else None\n", "    return 1\n"
    )
    finder = Finder(tree(moved, "router/search/holds.py"), ENUMS)

    def found(mutant):
        seen = finder.find(mutant)
        return seen and (seen[0].file, seen[0].after, seen[1])

    removed = one("not", "case_open")
    assert found(one("enum member", "Came.DONE")) == (
        "router/search/holds.py",
        "return Came.DONE",
        "function of the class and statement",
    )
    assert found(removed) is None
    assert found(renamed(removed, ["case=wait"])) == (
        "router/search/holds.py",
        "if wait_open and count > 3 * 2:",
        "function of the class and statement",
    )
    assert found(one("enum member", "Came.HELD")) is None


def test_tests_that_execute_the_line_judge_a_mutant(tree, tmp_path):
    copy = tree()
    measured = measure(copy, tmp_path / "measured", workers=0)

    killed, survived, untested = (
        judge(copy, one(*change), ENUMS, measured, 60.0)
        for change in [("enum member", "Came.DONE"), ("constant", "4"), ("arithmetic", "count - 1")]
    )

    # The first is found in a thread; the second lets both tests pass; no test enters the function of the third.
    assert (killed["outcome"], killed["by"], killed["tests"]) == (
        "killed",
        "tests/unit/test_limits.py::test_many_are_held",
        1,
    )
    assert (survived["outcome"], survived["ran"]) == ("survived", 2)
    assert (untested["outcome"], untested["tests"]) == ("no test", 0)
    assert (copy.folder / FILE).read_text(encoding="utf-8") == LIMITS


def test_a_comparison_counts_the_outcomes_and_lists_each_mutant_that_is_no_longer_killed():
    place = {"file": FILE, "line": 1, "function": "outcome", "operator": "not", "before": "a", "after": "b"}
    outcomes = [("killed", "killed"), ("killed", "survived"), ("killed", "gone"), ("survived", "survived")]

    lines = compared([place | {"outcome before": before, "outcome": now} for before, now in outcomes]).splitlines()

    assert [line.split() for line in lines[1:5]] == [[*pair, "1"] for pair in sorted(outcomes)]
    assert lines[-3:] == ["survived: router/limits.py:1 outcome (not)", "    - a", "    + b"]
