"""Lets random contacts live through every promise that is proved of random rules (``make proofs``).

A contact that breaks a proved promise shows a mistake in the proofs. The rules, the contacts, their instants and the
hours follow from the seed. Each contact is about the promise; a contact that is not is drawn again.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random

if not __package__:  # run as a script; last: the installed packages are found first
    sys.path.append(str(Path(__file__).resolve().parents[2]))

from tests.builders.promises import lives, parsed, proved, rule_file, verdicts

EACH = 200
"""Contacts of each proved promise."""


def main() -> int:
    """Prints each contact that breaks a proved promise, and exits 1 if there is one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100_000, help="contacts that the promises are about")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    counts: Counter[str] = Counter()
    seed, began = arguments.seed, time.monotonic()
    while counts["contacts"] < arguments.count:
        ruleset = parsed(rule_file(Random(seed)))
        found = verdicts(ruleset)
        counts.update(one.outcome.value for one in found)
        for promise in proved(found):
            about = [broken for broken in lives(ruleset, promise, Random(seed), EACH) if broken is not None]
            counts["contacts"] += len(about)
            if any(about):
                counts["false proofs"] += 1
                print(f"seed {seed}: promise {promise.name} is proved, and a contact breaks it", flush=True)
        counts["rule sets"] += 1
        seed += 1
        if counts["rule sets"] % 10 == 0:
            print(f"{time.monotonic() - began:.0f} s: {dict(counts)}", flush=True)
    print(f"{time.monotonic() - began:.0f} s: {dict(counts)}")
    return 1 if counts["false proofs"] else 0


if __name__ == "__main__":
    sys.exit(main())
