"""Checks that docs/performance.md has a section for every benchmark, and no other."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
SCRIPTS = {path.stem for path in (ROOT / "bench").glob("*.py")}


def sections():
    return dict(re.findall(r"<!-- bench:(\w+) -->(.*?)<!-- /bench:\1 -->", PAGE, re.DOTALL))


def test_every_benchmark_has_its_section():
    assert set(sections()) == SCRIPTS


def test_every_section_names_its_script_and_machine_and_says_what_was_met():
    for name, text in sections().items():
        assert f"`bench/{name}.py`" in text, name
        assert re.search(r"\d+ cores, .*Python 3\.", text), name
        assert re.search(r"\b(met|NOT met)\b", text), name


def test_the_list_of_benchmarks_is_the_folder():
    page = (ROOT / "bench" / "README.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `(\w+)\.py`", page, re.MULTILINE))
    assert listed == SCRIPTS
