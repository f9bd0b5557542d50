"""Measures the memory of waiting contacts, next to a plain boto3 loop that keeps the rows of its search.

python bench/waiting_list.py [--contacts 10000]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from cycle import NO_QUOTA, Centre
from support.figures import met, report
from support.process import peak_mb, resident_mb
from support.stage import Contender, configure, wait_for

MB = 1024 * 1024
MANY = 50_000
"""The sandbox sorts all contacts for each page. It would take a quarter of an hour for so many."""
RULES = """
[defaults]
flow = "Overflow to queue"
[[rule]]
name = "late"
match.queue = "Billing"
sla.target = "30d"
step = [{ at = "breach", to = [{ queue = "Overflow" }] }]
"""


def complete(contender: Contender) -> bool:
    return any(one["event"] == "cycle.finished" and one["complete"] for one in contender.told)


def service(contacts: int, folder: Path) -> tuple[float, float]:
    """Returns the memory in MB, now and at its peak, of a service that has searched and decided on every contact."""
    centre, contender = Centre(contacts), Contender(folder)
    try:
        folder.mkdir(parents=True)
        configure(folder, centre.told.instance, RULES, more=NO_QUOTA)
        process = contender.router(centre.told.endpoint)
        wait_for(lambda: complete(contender), seconds=600, what="a complete cycle")
        assert not centre.moved(), "something was moved"
        return resident_mb(process.pid), peak_mb(process.pid)
    finally:
        contender.close()
        centre.close()


def plain(contacts: int) -> tuple[float, float]:
    """Returns the memory in MB of a boto3 loop, before its search and with every row of it."""
    centre = Centre(contacts)
    try:
        script = Path(__file__).parent / "support" / "plain_rows.py"
        done = subprocess.run(
            [sys.executable, str(script), centre.told.instance],
            env=Contender.environment(centre.told.endpoint),
            capture_output=True,
            text=True,
            check=True,
        )
        before, after, rows = (float(one) for one in done.stdout.split())
        assert rows == contacts, "the search found others"
        return before, after
    finally:
        centre.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contacts", type=int, default=10_000)
    args = parser.parse_args()
    print(f"waiting_list: {args.contacts} waiting contacts", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        empty, _ = service(1, Path(scratch) / "empty")
        full, peak = service(args.contacts, Path(scratch) / "full")
    print(f"  service: {full:.0f} MB, {peak:.0f} MB at its peak", flush=True)
    before, after = plain(args.contacts)
    ours, theirs = ((all_of_them - few) * MB / args.contacts for all_of_them, few in ((full, empty), (after, before)))
    many = empty + ours * MANY / MB
    beside = f"{theirs:.0f} bytes for a row as boto3 returns it; ratio {ours / theirs:.2f}"
    rows = [
        ("bytes for each waiting contact", f"{ours:.0f}", beside, ""),
        ("memory", f"{full:.0f} MB", f"{after:.0f} MB", ""),
        ("memory at the peak", f"{peak:.0f} MB", "", ""),
        (f"memory of {MANY} contacts, by these bytes", f"{many:.0f} MB", "", f"400 MB: {met(many <= 400)}"),
    ]
    method = (
        f"{args.contacts} tasks wait in one queue, and no task is due. The memory is that of the whole process after it"
        " has searched and decided on all contacts. The bytes for each contact are the difference from a service with"
        " one contact, its decision included. The alternative reads the same search by boto3 and retains its rows."
    )
    report("waiting_list", rows, method=method)


if __name__ == "__main__":
    main()
