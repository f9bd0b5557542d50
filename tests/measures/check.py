"""Prints each line that breaks a rule of the project's language, as file:line: reason.

A path is a file or a folder of the checkout. Without a path, all of the checkout is checked.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if not __package__:  # run as a script
    sys.path.append(str(ROOT))

from tests.measures.findings import RULES, Finding, classes_of_one_name, of_path  # noqa: E402
from tests.measures.source import modules  # noqa: E402

WHOLE = ("router", "tests", "docs", "README.md", "CHANGELOG.md")


def findings(root: Path, paths: list[Path]) -> list[Finding]:
    """Returns what is found in these paths. The names of classes are compared with all of the router's."""
    found = [finding for path in paths for finding in of_path(root, path).found]
    inside = [
        finding
        for finding in classes_of_one_name(modules(root, Path("router")))
        if any(Path(finding.path).is_relative_to(path) for path in paths)
    ]
    return sorted(found + inside)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", metavar="PATH")
    parser.add_argument("--rule", choices=RULES, help="print the findings of this rule only")
    arguments = parser.parse_args()
    paths = [Path(path).absolute().resolve() for path in arguments.paths or [ROOT / path for path in WHOLE]]
    for path in paths:
        if not path.exists() or not path.is_relative_to(ROOT):
            parser.error(f"{path} is no file or folder of this checkout")
    found = findings(ROOT, [path.relative_to(ROOT) for path in paths])
    shown = [finding for finding in found if arguments.rule in (None, finding.rule)]
    for finding in shown:
        print(finding)
    counts = Counter(finding.rule for finding in shown)
    print(", ".join(f"{rule} {counts[rule]}" for rule in RULES if counts[rule]) or "nothing found", file=sys.stderr)
    return 1 if shown else 0


if __name__ == "__main__":
    sys.exit(main())
