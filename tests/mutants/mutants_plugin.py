"""Records which test executes which line, or runs chosen tests in order: the pytest plugin of ``make mutants``."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from coverage import Coverage


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the two options; without them the plugin does nothing."""
    parser.addoption("--mutants-record", metavar="FOLDER", help="write coverage and durations of each test there")
    parser.addoption("--mutants-tests", metavar="FILE", help="run the tests of this JSON list in its order")


def pytest_configure(config: pytest.Config) -> None:
    """Registers the part of the plugin that an option names. Under xdist the workers record, not the controller."""
    folder, chosen = config.getoption("--mutants-record"), config.getoption("--mutants-tests")
    worker = getattr(config, "workerinput", {"workerid": "only"})["workerid"]
    if folder and (worker != "only" or not config.getoption("numprocesses", None)):
        config.pluginmanager.register(Recorder(Path(folder), worker))
    if chosen:
        config.pluginmanager.register(Chosen(Path(chosen)))


class Recorder:
    """Records of each test the lines of ``router`` that its threads execute, its duration, and how it ends."""

    def __init__(self, folder: Path, worker: str) -> None:
        self._tests: dict[str, dict[str, Any]] = {}
        self._durations = folder / f"tests.{worker}.json"
        self._coverage = Coverage(
            data_file=folder / "coverage", data_suffix=worker, source=[str(Path.cwd() / "router")], config_file=False
        )
        self._coverage.set_option("run:relative_files", True)
        self._coverage.start()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Attributes the lines to the test. What a thread executes after its test's end belongs to no test."""
        self._coverage.switch_context(item.nodeid)
        began = time.perf_counter()
        try:
            return (yield)
        finally:
            self._coverage.switch_context("")
            self._of(item.nodeid)["seconds"] = time.perf_counter() - began

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Notes failures and skips, in the set-up and the tear-down too."""
        if not report.passed:
            self._of(report.nodeid)["outcome"] = report.outcome

    def pytest_sessionfinish(self) -> None:
        """Writes both files."""
        self._coverage.stop()
        self._coverage.save()
        self._durations.write_text(json.dumps(self._tests), encoding="utf-8")

    def _of(self, nodeid: str) -> dict[str, Any]:
        return self._tests.setdefault(nodeid, {"outcome": "passed", "seconds": 0.0})


class Chosen:
    """Runs the listed tests only, in the order of the list, and writes a line when one starts and when one fails."""

    def __init__(self, file: Path) -> None:
        self._order = {nodeid: number for number, nodeid in enumerate(json.loads(file.read_text(encoding="utf-8")))}
        self._log = file.with_suffix(".log").open("w", encoding="utf-8", buffering=1)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Drops and sorts."""
        items[:] = sorted((one for one in items if one.nodeid in self._order), key=lambda one: self._order[one.nodeid])

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Writes which test is running. The other process sees by it that a test hangs."""
        self._log.write(f"started {nodeid}\n")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Writes which test failed."""
        if report.failed:
            self._log.write(f"failed {report.nodeid}\n")
