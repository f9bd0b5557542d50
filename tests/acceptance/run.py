"""Runs the acceptance suite in every world: each value of each switch, every pair of values, and random worlds.

The profile must equal the switches of the sandbox, and must be unsettled if no call can show a switch. The same holds
of the second implementation of the API, which gets a quarter of the random worlds.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from pathlib import Path

if not __package__:  # run as a script; last: the installed packages are found first
    sys.path.append(str(Path(__file__).resolve().parents[2]))

from tests.acceptance import worlds
from tests.acceptance.second import explore_second

PROGRESS = 10
"""Worlds between two lines of progress."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--random", type=int, default=200, help="how many random worlds (default: 200)")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    os.environ.update(AWS_ACCESS_KEY_ID="sandbox", AWS_SECRET_ACCESS_KEY="sandbox")
    fixed = [*worlds.each_value(), *worlds.every_pair()]
    chance = worlds.random_worlds(arguments.random, arguments.seed)
    drawn = [(worlds.explore, world) for world in (*fixed, *chance)]
    drawn += [(explore_second, world) for world in (*fixed, *chance[: len(chance) // 4])]
    began, found, settled = time.monotonic(), Counter[str](), 0
    for number, (explore, world) in enumerate(drawn, 1):
        run, left = explore(world)
        lines = [*worlds.differences(world, run), *(f"left behind: {one}" for one in left)]
        settled += sum(result.unsettled is None for result in run.results)
        for line in lines:
            found[line.partition(":")[0]] += 1
            print(f"world {number} of {explore.__name__}: {line}\n  {world}")
        if number % PROGRESS == 0:
            print(f"{number} of {len(drawn)} worlds, {sum(found.values())} differences", file=sys.stderr, flush=True)
    print(
        f"{len(drawn)} worlds, {settled} answers, {sum(found.values())} differences,"
        f" {time.monotonic() - began:.0f} s: {dict(found)}"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
