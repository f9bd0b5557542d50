"""Runs every loader under inputs that are nearly right. No traceback, no hang, every mistake at its place.

Each input follows from the seed and its number alone: what was found is made again by ``--only NUMBER``.
"""

from __future__ import annotations

import argparse
import multiprocessing as mp
import signal
import sys
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

if not __package__:  # run as a script; last: the installed packages are found first
    sys.path.append(str(Path(__file__).resolve().parents[2]))

from tests.fuzz import targets

LIMIT_S = 5.0
"""CPU seconds for one input: the largest is 200 kB."""
STUCK_S = 120.0
"""Seconds without an input finished, after which a worker counts as stuck where Python cannot be interrupted."""
SHARES = (0.45, 0.25, 0.2, 0.1)
MOST_TOLD = 20


class Hangs(Exception):
    """One input has taken longer than it may."""


@dataclass(frozen=True, slots=True)
class Finding:
    number: int
    target: str
    kind: str
    text: str


@dataclass(slots=True)
class Tally:
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    slowest: tuple[float, int] = (0.0, -1)
    findings: list[Finding] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.outcomes += other.outcomes
        self.slowest = max(self.slowest, other.slowest)
        self.findings += other.findings


def made(seed: int, number: int, among: tuple[targets.Target, ...]) -> tuple[targets.Target, object]:
    random = Random(f"{seed}:{number}")
    (target,) = random.choices(among, SHARES)
    return target, target.made(random)


def judge(seed: int, number: int, among: tuple[targets.Target, ...], tally: Tally, *, limit_s: float = LIMIT_S) -> None:
    target, given = made(seed, number, among)
    began = time.process_time()
    signal.setitimer(signal.ITIMER_VIRTUAL, limit_s)
    try:
        outcome = target.run(given)
    except (Exception, SystemExit) as error:
        outcome = type(error).__name__
        where = "".join(traceback.format_exception(error)[-4:])
        tally.findings.append(Finding(number, target.name, outcome, where))
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    tally.outcomes[target.name, outcome] += 1
    tally.slowest = max(tally.slowest, (time.process_time() - began, number))


def fuzz(seed: int, numbers: range, *, done: Any = None) -> Tally:
    """Runs on the main thread, because its timer interrupts what hangs."""
    among, tally = targets.targets(), Tally()
    before = signal.signal(signal.SIGVTALRM, _hangs)
    try:
        for number in numbers:
            if done is not None:
                done.value = number
            judge(seed, number, among, tally)
    finally:
        signal.signal(signal.SIGVTALRM, before)
    return tally


def _hangs(_signal: int, frame: FrameType | None) -> None:
    raise Hangs("longer than one input may take")


def _work(seed: int, numbers: range, done: Any, results: Any) -> None:
    results.put(fuzz(seed, numbers, done=done))


def in_processes(seed: int, count: int, workers: int) -> Tally:
    """Runs in several processes, with a line of progress every ten seconds."""
    results: Any = mp.Queue()
    at = [mp.Value("q", -1) for _ in range(workers)]
    running = [
        mp.Process(target=_work, args=(seed, range(first, count, workers), at[first], results), daemon=True)
        for first in range(workers)
    ]
    for process in running:
        process.start()
    whole, came, began = Tally(), 0, time.monotonic()
    moved = [(began, -1)] * workers
    while came < workers:
        try:
            whole.add(results.get(timeout=10))
            came += 1
        except mp.queues.Empty:  # type: ignore[attr-defined]
            pass
        now = time.monotonic()
        moved = [(now, one.value) if one.value != last[1] else last for one, last in zip(at, moved, strict=True)]
        for (since, number), process in zip(moved, running, strict=True):
            if process.exitcode:
                raise SystemExit(f"the worker at number {number} ended with {process.exitcode}")
            if process.is_alive() and now - since > STUCK_S:
                process.kill()
                raise SystemExit(f"number {number} does not end within {STUCK_S:g} s, nor can it be interrupted")
        print(f"{min(one.value for one in at) + 1:>8} of {count}, {now - began:.0f} s", flush=True)
    return whole


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", type=int, metavar="NUMBER", help="show this input, and what comes of it")
    arguments = parser.parse_args()
    if arguments.only is not None:
        return _show(arguments.seed, arguments.only)
    began = time.monotonic()
    tally = in_processes(arguments.seed, arguments.count, arguments.workers)
    for (target, outcome), times in sorted(tally.outcomes.items()):
        print(f"{target:<14} {outcome:<24} {times:>8}")
    print(f"{tally.outcomes.total()} inputs in {time.monotonic() - began:.0f} s; seed {arguments.seed}")
    print(f"slowest: {tally.slowest[0]:.2f} s of CPU (number {tally.slowest[1]}); findings: {len(tally.findings)}")
    kinds = {(one.target, one.kind, one.text[-200:]): one for one in tally.findings}
    for finding in list(kinds.values())[:MOST_TOLD]:
        print(f"\nnumber {finding.number} ({finding.target}): {finding.kind}\n{finding.text}")
    return 1 if tally.findings else 0


def _show(seed: int, number: int) -> int:
    target, given = made(seed, number, targets.targets())
    print(f"{target.name}: {given!r}")
    signal.signal(signal.SIGVTALRM, _hangs)
    signal.setitimer(signal.ITIMER_VIRTUAL, LIMIT_S)
    print(target.run(given))
    return 0


if __name__ == "__main__":
    sys.exit(main())
