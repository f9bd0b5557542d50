"""Defines the options that every command with simulated effects has, and runs its study."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from router.rules.load import Sources
    from router.simulation.study import Study, StudyResult

REPLICATIONS = 20
HARM = 0.01


def add_effect_options(parser: argparse.ArgumentParser, *, replications: int = REPLICATIONS) -> None:
    parser.add_argument(
        "--replications",
        metavar="N",
        type=positive,
        default=replications,
        help=f"runs of each side with other random numbers (default: {replications})",
    )
    parser.add_argument(
        "--seed", metavar="N", type=_whole, help="the random numbers; the same seed gives the same result (default: 1)"
    )
    parser.add_argument("--jobs", metavar="N", type=positive, help="processes (default: one for each CPU)")
    parser.add_argument(
        "--harm",
        metavar="SHARE",
        type=share,
        default=HARM,
        help="by how much the share of contacts in time may fall in any queue, such as 2%% (default: 1%%)",
    )
    parser.add_argument(
        "--precision",
        metavar="SHARE",
        type=share,
        help="how far the interval of that share may reach on each side (default: any)",
    )
    parser.add_argument("--html", metavar="FILE", type=Path, help="also write a report to look at: one HTML file")


def positive(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < len(text) < 7 and int(text) > 0):
        raise argparse.ArgumentTypeError("expected a whole number from 1 to 999999")
    return int(text)


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise argparse.ArgumentTypeError("expected a whole number of at most 18 digits")
    return int(text)


def share(text: str) -> float:
    """Returns a share that is written in percent."""
    found = re.fullmatch(r"([0-9]{1,2}(?:\.[0-9]{1,4})?|100)\s?%", text, flags=re.ASCII)
    if found is None:
        raise argparse.ArgumentTypeError("expected a share from 0% to 100%, such as 2% or 0.5%")
    return float(found[1]) / 100


def sources_of(path: Path | None) -> Sources | None:
    """Reads a folder of rules, or one file of it; ``None`` without a path. Raises ``Problems`` with every mistake."""
    if path is None:
        return None
    from router.rules.load import load_rules

    return load_rules(path).sources


def run_with_progress(study: Study, arguments: argparse.Namespace) -> StudyResult:
    """Runs the replications. Shows on a terminal how many are done."""
    from router.simulation.study import run_study

    if arguments.html is not None:
        from router.cli.output.effect_charts import require_matplotlib

        require_matplotlib()
    workers = arguments.jobs or os.cpu_count() or 1
    with _shown(arguments.replications, quiet=arguments.quiet) as progress:
        return run_study(study, arguments.replications, workers=workers, progress=progress)


@contextmanager
def _shown(total: int, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    if quiet or not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("simulating", total=total)
        yield lambda done: shown.update(task, completed=done)
