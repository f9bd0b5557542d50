"""Changes single expressions of the code, and counts the changes that a test notices (``make mutants``).

Each mutant is one small change in a copy of the tree. Only tests that execute the changed lines run on it, the quickest
first, until one fails. The sample follows from the seed. ``--same FILE`` looks up the mutants of an earlier run by
function and statement text, so that a tree whose files have moved is measured with the same changes.

One run under coverage.py shows which test executes which line. It is kept in ``build/mutants`` until code or
tests change. It leaves out tests that start processes, because coverage.py does not see into these.

mutmut 3.8 and cosmic-ray 8.7 do not fit. mutmut numbers the mutants of each function, so that a number means another
change when the function changes. It selects tests by function, not by line, and draws no sample. cosmic-ray runs one
command for every mutant: the whole suite.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from functools import cache
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any

from coverage import CoverageData

if not __package__:  # run as a script; last: the installed packages are found first
    sys.path.append(str(Path(__file__).resolve().parents[2]))

from tests.mutants.changes import Enums, Mutant, enums_of, mutants_of, source_of

PACKAGES = ("execute", "followup", "safety", "search", "lookup", "decide", "rules")
NOT_MEASURED = ("mutants", "measures", "chaos", "fuzz", "docs", "contract", "process", "api_model", "unit/packaging")
"""Folders of tests that start processes, or that test other packages."""
LONGEST_S = 10.0
"""A test that takes longer, measured under coverage.py, runs on no mutant."""
LIMIT_S = 60.0
FIRST = 40
"""Tests of the first pytest run on a mutant. Most mutants are killed by them. All other tests run after them."""
SURE_S = 1.0
"""A slower test may depend on time. It must fail twice before its failure counts."""
STUCK_S = 15.0


@dataclass(frozen=True, slots=True)
class Ending:
    """Holds how one pytest run ended. ``failed`` is the test that failed, ``hung`` the one that did not end."""

    failed: str | None = None
    hung: bool = False
    in_time: bool = True
    ran: int = 0


@dataclass(slots=True)
class Tree:
    """A temporary copy of the tree, in which one file at a time is changed."""

    folder: Path
    python: str
    sources: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for path in sorted((self.folder / "router").rglob("*.py")):
            self.sources[path.relative_to(self.folder).as_posix()] = path.read_text(encoding="utf-8")

    @property
    def fingerprint(self) -> str:
        """Returns a name for the code and its tests, without the folder of this script."""
        whole = hashlib.sha256()
        tests = (self.folder / "tests").rglob("*.py")
        for path in [*map(self.folder.joinpath, self.sources), *sorted(tests)]:
            if "tests/mutants/" not in path.as_posix():
                whole.update(path.relative_to(self.folder).as_posix().encode() + b"\0" + path.read_bytes())
        return whole.hexdigest()[:12]

    @contextmanager
    def with_text(self, file: str, text: str) -> Iterator[None]:
        """Replaces the text of a file temporarily. Removes its bytecode too: Python compares only size and time."""
        path = self.folder / file
        try:
            self._write(path, text)
            yield
        finally:
            self._write(path, self.sources[file])

    def _write(self, path: Path, text: str) -> None:
        path.write_text(text, encoding="utf-8")
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
            compiled.unlink(missing_ok=True)

    def pytest(self, *arguments: str) -> list[str]:
        """Returns the command line of a pytest run."""
        scratch = self.folder.parent / "t"
        plugins = ["-p", "no:cacheprovider", "-p", "mutants_plugin"]
        return [
            self.python,
            "-m",
            "pytest",
            "-q",
            f"--rootdir={self.folder}",
            f"--basetemp={scratch}",
            *plugins,
            *arguments,
        ]

    @property
    def environment(self) -> dict[str, str]:
        """Returns the environment of a pytest run: it tests the copy, and the same inputs each time."""
        others = ("TEST_THE_WHEEL", "PYTHONSAFEPATH", "PYTEST_")
        own = {key: value for key, value in os.environ.items() if not key.startswith(others)}
        return own | {"PYTHONPATH": str(Path(__file__).resolve().parent), "HYPOTHESIS_PROFILE": "suite"}

    @property
    def output(self) -> str:
        """Returns what the last run of pytest printed."""
        return (self.folder.parent / "output.txt").read_text(encoding="utf-8", errors="replace")

    def run(self, tests: Sequence[str], seconds: Mapping[str, float], *, limit_s: float, first: bool = True) -> Ending:
        """Runs these tests in this order, until one fails unless ``first`` is false."""
        listed = self.folder.parent / "tests.json"
        log = listed.with_suffix(".log")
        log.unlink(missing_ok=True)
        listed.write_text(json.dumps(list(tests)), encoding="utf-8")
        files = sorted({test.partition("::")[0] for test in tests})
        command = self.pytest(*(["-x"] if first else []), f"--mutants-tests={listed}", *files)
        with (self.folder.parent / "output.txt").open("w") as output:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
            try:
                return _watched(process, log, seconds, limit_s, first=first)
            finally:
                _end(process)


def _watched(
    process: subprocess.Popen[bytes], log: Path, seconds: Mapping[str, float], limit_s: float, *, first: bool
) -> Ending:
    """Waits for the first failure, the end of the run, the end of its time, or a test that does not end."""
    deadline = time.monotonic() + limit_s
    while True:
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.2)
        started, failed = _read(log)
        if failed and first:
            return Ending(failed[0], ran=len(started))
        if process.returncode is not None:
            # Without a failed test, a status of pytest's own means that the mutant cannot be imported.
            broken = None if process.returncode in (0, 5) else f"(pytest ended with {process.returncode})"
            return Ending(broken, ran=len(started))
        if started and time.time() - log.stat().st_mtime > max(STUCK_S, 10 * seconds.get(started[-1], 0)):
            return Ending(started[-1], hung=True, ran=len(started))
        if time.monotonic() > deadline:
            return Ending(in_time=False, ran=max(len(started) - 1, 0))


def _read(log: Path) -> tuple[list[str], list[str]]:
    """Returns the tests that have started and those that have failed."""
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    found: dict[str, list[str]] = {"started": [], "failed": []}
    for line in lines:
        what, _, nodeid = line.partition(" ")
        found[what].append(nodeid)
    return found["started"], found["failed"]


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends the run and whatever it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def copy_of(root: Path, python: str) -> Iterator[Tree]:
    """Copies all files except ignored ones to a temporary folder. The checkout itself is never changed."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=root, capture_output=True, check=True, text=True).stdout.split("\0")
    with tempfile.TemporaryDirectory(prefix="mutants-") as temporary:
        folder = Path(temporary) / "tree"
        for name in filter(None, names):
            if (root / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(root / name, folder / name)
        yield Tree(folder, python)


@dataclass(slots=True)
class Measured:
    """Knows which tests execute which lines, and how long each test takes."""

    folder: Path
    seconds: dict[str, float] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        for file in self.folder.glob("tests.*.json"):
            for nodeid, test in json.loads(file.read_text(encoding="utf-8")).items():
                if test["outcome"] != "passed":
                    self.left_out[test["outcome"]] += 1
                elif test["seconds"] > LONGEST_S:
                    self.left_out[f"over {LONGEST_S:g} s"] += 1
                else:
                    self.seconds[nodeid] = test["seconds"]

    def tests_of(self, mutant: Mutant) -> list[str]:
        """Returns the tests that execute the changed lines, the quickest first."""
        lines = _lines(self.folder, mutant.file)
        found = {test for line in range(mutant.line, mutant.end + 1) for test in lines.get(line, ())}
        found = found or set(lines.get(mutant.statement_line, ()))
        return sorted(found & self.seconds.keys(), key=lambda test: (self.seconds[test], test))


@cache
def _lines(folder: Path, file: str) -> dict[int, list[str]]:
    found: defaultdict[int, list[str]] = defaultdict(list)
    for data_file in folder.glob("coverage.*"):
        data = CoverageData(str(data_file))
        data.read()
        for line, tests in data.contexts_by_lineno(file).items():
            found[line] += tests
    return found


def measure(tree: Tree, folder: Path, workers: int) -> Measured:
    """Runs the suite under coverage.py, unless code and tests are those of the last time."""
    mark = folder / "tree"
    if not mark.exists() or mark.read_text(encoding="utf-8") != tree.fingerprint:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        print("which test executes which line: one run of the suite under coverage.py", flush=True)
        skipped = [f"--ignore=tests/{name}" for name in NOT_MEASURED if (tree.folder / "tests" / name).exists()]
        spread = ["-n", str(workers), "--dist", "worksteal", f"--mutants-record={folder.resolve()}"]
        ended = subprocess.run(tree.pytest(*spread, *skipped, "tests"), cwd=tree.folder, env=tree.environment)
        if ended.returncode not in (0, 1):
            raise SystemExit(f"pytest ended with {ended.returncode}")
        mark.write_text(tree.fingerprint, encoding="utf-8")
    return Measured(folder)


def sample(tree: Tree, layout: Mapping[str, Sequence[str]], enums: Enums, count: int, seed: int) -> list[Mutant]:
    """Draws as many mutants of each package, and takes them by turns: a run that ends early is spread as well."""
    drawn = []
    for number, (package, places) in enumerate(layout.items()):
        files = [one for one in tree.sources if any(one == place or one.startswith(f"{place}/") for place in places)]
        every = [mutant for one in files for mutant in mutants_of(one, tree.sources[one], enums)]
        share = count // len(layout) + (number < count % len(layout))
        if len(every) < share:
            raise SystemExit(f"{package}: {len(every)} mutants in {len(files)} files, {share} wanted")
        drawn.append([(turn, mutant) for turn, mutant in enumerate(Random(f"{seed}:{package}").sample(every, share))])
    return [mutant for _turn, mutant in sorted((one for some in drawn for one in some), key=lambda one: one[0])]


class Finder:
    """Finds the mutants of an earlier run in a tree whose files, classes and names may have moved."""

    def __init__(self, tree: Tree, enums: Enums) -> None:
        self._by: dict[tuple[str, ...], list[Mutant]] = defaultdict(list)
        for file, source in tree.sources.items():
            for mutant in mutants_of(file, source, enums):
                for key in self._keys(mutant):
                    self._by[key].append(mutant)

    def find(self, wanted: Mutant) -> tuple[Mutant, str] | None:
        """Returns the mutant and by what it was found: the closest likeness first."""
        for key in self._keys(wanted):
            found = self._by.get(key, [])
            if len(found) == 1 or (found and key[0] != "statement alone"):
                return found[min(wanted.nth, len(found) - 1)], key[0]
        return None

    @staticmethod
    def _keys(mutant: Mutant) -> list[tuple[str, ...]]:
        name = mutant.function.rpartition(".")[2]
        statement = (mutant.before, mutant.after)
        return [
            ("function of the class and statement", mutant.function, *statement),
            ("function and statement", name, *statement),
            ("function and part of the statement", name, mutant.operator, mutant.part_before, mutant.part_after),
            ("statement alone", *statement),
        ]


def renamed(mutant: Mutant, renames: Sequence[str]) -> Mutant:
    """Returns the mutant in the words of the new tree. ``case=wait`` changes ``case_id``, but not ``lowercase``."""
    texts = {key: value for key, value in asdict(mutant).items() if isinstance(value, str) and key != "file"}
    for rename in renames:
        old, _, new = rename.partition("=")
        part = re.compile(rf"(?<![a-z]){old}(?![a-z])" if old.islower() else rf"{old}(?![a-z])")
        texts = {key: value if key == "operator" else part.sub(new, value) for key, value in texts.items()}
    return Mutant(**(asdict(mutant) | texts))


def judge(tree: Tree, mutant: Mutant, enums: Enums, measured: Measured, limit_s: float) -> dict[str, Any]:
    """Runs the tests of one mutant. A failure of a slow test counts only if the test fails again."""
    tests, ran, began = measured.tests_of(mutant), 0, time.monotonic()
    result: dict[str, Any] = {"outcome": "survived" if tests else "no test", "tests": len(tests), "by": None}
    left, size = tests, FIRST
    with tree.with_text(mutant.file, source_of(mutant, tree.sources[mutant.file], enums)):
        while left:
            batch, left, size = left[:size], left[size:], len(tests)
            remaining = limit_s - (time.monotonic() - began)
            ending = tree.run(batch, measured.seconds, limit_s=max(remaining, 1))
            ran += ending.ran
            if not ending.in_time:
                result["outcome"] = "not finished"
                break
            if ending.failed is None:
                continue
            if ending.failed in measured.seconds and measured.seconds[ending.failed] > SURE_S and not ending.hung:
                again = tree.run([ending.failed], measured.seconds, limit_s=limit_s)
                if again.failed is None:
                    left = [*batch[batch.index(ending.failed) + 1 :], *left]
                    continue
            result |= {"outcome": "killed", "by": ending.failed, "hung": ending.hung}
            break
    if result["outcome"] == "killed" and result["by"] not in measured.seconds:
        unchanged = tree.run(batch, measured.seconds, limit_s=limit_s)
        if unchanged.failed not in (None, *measured.seconds):
            raise SystemExit(f"the unchanged code cannot be tested: {tree.output}")
    if result["outcome"] == "survived" and ran < len(tests):
        result["outcome"] = "not finished"
    return result | {"ran": ran, "seconds": round(time.monotonic() - began, 1)}


def control(tree: Tree, results: Sequence[Mapping[str, Any]], measured: Measured) -> list[str]:
    """Runs every test that killed a mutant on the unchanged code, and returns those that fail there too."""
    killers = sorted({one["by"] for one in results if one["outcome"] == "killed" and one["by"] in measured.seconds})
    if not killers:
        return []
    ending = tree.run(killers, measured.seconds, limit_s=20 * LIMIT_S, first=False)
    failed = _read(tree.folder.parent / "tests.log")[1]
    return failed + ([] if ending.ran >= len(killers) else [f"only {ending.ran} of {len(killers)} tests ran"])


def summary(results: Sequence[Mapping[str, Any]]) -> str:
    """Returns the counts of each package and of each operator as a table."""
    outcomes = ("killed", "survived", "not finished", "no test", "gone")
    lines = [f"{'':<26}" + "".join(f"{name:>14}" for name in outcomes)]
    for key in ("package", "operator"):
        groups = Counter((one[key], one["outcome"]) for one in results)
        for group in sorted({name for name, _outcome in groups}):
            lines.append(f"{group:<26}" + "".join(f"{groups[group, name]:>14}" for name in outcomes))
        lines.append("")
    whole = Counter(one["outcome"] for one in results)
    return "\n".join([*lines, f"{'all':<26}" + "".join(f"{whole[name]:>14}" for name in outcomes)])


def compared(results: Sequence[Mapping[str, Any]]) -> str:
    """Returns how many mutants had each pair of outcomes, before and now, and the mutants that are no longer killed."""
    pairs = Counter((one["outcome before"], one["outcome"]) for one in results)
    lines = [f"{before:<14}{now:<14}{number:>6}" for (before, now), number in sorted(pairs.items())]
    lost = [one for one in results if one["outcome before"] == "killed" and one["outcome"] not in ("killed", "gone")]
    return "\n".join(["before        now", *lines, "", "killed before, not now:", *(described(one) for one in lost)])


def described(result: Mapping[str, Any]) -> str:
    """Returns one mutant in words: its place, its change, and how it ended."""
    place = f"{result['file']}:{result['line']} {result['function']} ({result['operator']})"
    return f"{result['outcome']}: {place}\n    - {result['before']}\n    + {result['after']}"


def main() -> int:
    """Runs the mutants, and prints those that survived."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--tree", type=Path, default=Path(__file__).resolve().parents[2], help="the checkout to measure"
    )
    parser.add_argument("--layout", type=Path, help="JSON: the files or folders of each package, for another layout")
    parser.add_argument(
        "--same", type=Path, metavar="FILE", help="the mutants of this results file instead of a sample"
    )
    parser.add_argument("--rename", action="append", default=[], metavar="OLD=NEW", help="with --same: a changed word")
    parser.add_argument("--results", type=Path, help="JSON lines; a run continues where the file ends")
    parser.add_argument("--limit", type=float, default=LIMIT_S, metavar="SECONDS", help="time for one mutant")
    parser.add_argument("--minutes", type=float, help="end the run after this time; the next run continues")
    parser.add_argument("--workers", type=int, default=2, help="processes of the run under coverage.py")
    parser.add_argument("--list", action="store_true", help="show the mutants, run nothing")
    arguments = parser.parse_args()
    results_file = arguments.results or arguments.tree / "build" / "mutants.jsonl"
    with copy_of(arguments.tree.resolve(), sys.executable) as tree:
        return _run(tree, arguments, results_file)


def _run(tree: Tree, arguments: argparse.Namespace, results_file: Path) -> int:
    enums, fingerprint = enums_of(tree.sources), tree.fingerprint
    wanted = list(_wanted(tree, arguments, enums))
    if arguments.list:
        for one, mutant in wanted:
            print(
                described(one | (asdict(mutant) if mutant else {}) | {"outcome": one["found by"] if mutant else "gone"})
            )
        print(f"{len(wanted)} mutants, {sum(mutant is None for _, mutant in wanted)} of them gone")
        return 0
    measured = measure(tree, arguments.tree / "build" / "mutants", arguments.workers)
    print(f"{len(measured.seconds)} tests; left out: {dict(measured.left_out) or 'none'}", flush=True)
    results_file.parent.mkdir(parents=True, exist_ok=True)
    lines = results_file.read_text(encoding="utf-8").splitlines() if results_file.exists() else []
    known = {one["id"]: one for one in map(json.loads, lines)}
    if any(one["tree"] != fingerprint for one in known.values()):
        raise SystemExit(f"{results_file} is of another tree: name another file with --results")
    quickest = sorted(measured.seconds, key=lambda test: measured.seconds[test])[:FIRST]
    ending = tree.run(quickest, measured.seconds, limit_s=5 * LIMIT_S)
    if ending != Ending(ran=len(quickest)):
        raise SystemExit(f"the unchanged code fails: {ending}\n{tree.output}")
    results, began = [], time.monotonic()
    with results_file.open("a", encoding="utf-8") as output:
        for number, (one, mutant) in enumerate(wanted, 1):
            if arguments.minutes and time.monotonic() - began > 60 * arguments.minutes:
                print(f"the time is used up after {number - 1} of {len(wanted)} mutants")
                break
            result = known.get(one["id"])
            if result is None:
                judged = judge(tree, mutant, enums, measured, arguments.limit) if mutant else {"outcome": "gone"}
                result = one | (asdict(mutant) if mutant else {}) | judged | {"tree": fingerprint}
                output.write(json.dumps(result) + "\n")
                output.flush()
                spent = f"{number} of {len(wanted)}, {time.monotonic() - began:.0f} s"
                print(
                    f"{spent}: {result['outcome']}"
                    if result["outcome"] == "killed"
                    else f"{spent}: {described(result)}"
                )
                sys.stdout.flush()
            results.append(result)
    print("\nnot killed:\n" + "\n".join(described(one) for one in results if one["outcome"] != "killed"))
    print(f"\n{summary(results)}")
    if arguments.same:
        print(f"\n{compared(results)}")
    doubtful = control(tree, results, measured)
    print(f"\nkilled by a test that fails on the unchanged code too: {doubtful or 'none'}")
    return 0


def _wanted(tree: Tree, arguments: argparse.Namespace, enums: Enums) -> Iterator[tuple[dict[str, Any], Mutant | None]]:
    """Yields each mutant with further fields of its record. ``None`` means that its statement no longer exists."""
    if arguments.same is None:
        layout = {name: [f"router/{name}"] for name in PACKAGES}
        if arguments.layout:
            layout = json.loads(arguments.layout.read_text(encoding="utf-8"))
        package_of = {place: name for name, places in layout.items() for place in places}
        for mutant in sample(tree, layout, enums, arguments.count, arguments.seed):
            place = next(one for one in package_of if mutant.file == one or mutant.file.startswith(f"{one}/"))
            yield {"id": _id(mutant), "package": package_of[place], "found by": "sample"}, mutant
        return
    finder = Finder(tree, enums)
    for line in arguments.same.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        before = Mutant(**{name: record[name] for name in Mutant.__dataclass_fields__})
        sizes = range(len(arguments.rename) + 1)
        words = (some for size in sizes for some in combinations(arguments.rename, size))
        found = next(filter(None, (finder.find(renamed(before, some)) for some in words)), None)
        kept = {"id": record["id"], "package": record["package"], "outcome before": record["outcome"]}
        kept |= asdict(before) | {"file before": before.file}
        yield (kept | {"found by": found[1]}, found[0]) if found else (kept, None)


def _id(mutant: Mutant) -> str:
    """Returns the name of a mutant, which does not depend on its line."""
    texts = (mutant.file, mutant.function, mutant.before, mutant.after, str(mutant.nth))
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:12]


if __name__ == "__main__":
    sys.exit(main())
