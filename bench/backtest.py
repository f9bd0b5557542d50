"""A backtest over the journal of 28 days with 50,000 contacts, beside reading the same journal alone.

python bench/backtest.py [--days 28] [--contacts 50000] [--poll 60] [--journal FOLDER]

The journal is written first, which takes many times as long. --journal keeps it, and reads one that is there.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from support.figures import met, report
from support.generated_journal import BEGIN, RULES, generate

from router.backtest.replay import HistoryReplay
from router.history.journal_files import journal_paths
from router.history.journal_reader import read_journal
from router.rules.load import parse_rules

CHANGE = ('guard.per_hour = 40\n[[rule.step]]\nat = "breach"', 'guard.per_hour = 40\n[[rule.step]]\nat = "50m"')
SECONDS, MB = 180.0, 500.0
METHOD = """\
The journal is of a service that worked for {days:g} days on {contacts} contacts, under two rules, with a cycle every
{poll} s. One of the rules gets an earlier step. Times are CPU seconds of one process on one core. The alternative is
reading the same journal without deciding."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--days", type=float, default=28)
    parser.add_argument("--contacts", type=int, default=50_000)
    parser.add_argument("--poll", type=int, default=60)
    parser.add_argument("--journal", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.journal or Path(temporary) / "journal"
        if not folder.exists():
            generate(folder, days=given.days, contacts=given.contacts, poll=timedelta(seconds=given.poll))
        measure(folder, given)


def measure(folder: Path, given: argparse.Namespace) -> None:
    since, until = BEGIN, BEGIN + timedelta(days=given.days)
    began = time.process_time()
    read = sum(1 for _ in read_journal(folder, since=since, until=until))
    reading = time.process_time() - began
    rules = parse_rules([("rules.toml", RULES.replace(*CHANGE).encode())])
    replay = HistoryReplay.of(a=None, b=rules, since=since, until=until)
    began = time.process_time()
    found = replay.run(read_journal(folder, since=since, until=until))
    took = time.process_time() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    size = sum(path.stat().st_size for path in journal_paths(folder)) / 1e6 / given.days
    told, then = f"{len(found.differences)} of {found.contacts} contacts differ", replay.then
    report(
        "backtest",
        [
            ("time", f"{took:.0f} s", f"{reading:.0f} s, {read} events", f"{SECONDS:.0f} s: {met(took <= SECONDS)}"),
            ("memory", f"{memory:.0f} MB", "", f"{MB:.0f} MB: {met(memory <= MB)}"),
            ("not reproduced", f"{then.wrong_count} of {then.decisions}", "", f"0: {met(not then.wrong_count)}"),
            ("evaluations per contact", f"{found.evaluations / found.contacts:.1f}", told, ""),
            ("journal per day", f"{size:.2f} MB", "", ""),
        ],
        method=METHOD.format(days=given.days, contacts=given.contacts, poll=given.poll),
    )


if __name__ == "__main__":
    main()
