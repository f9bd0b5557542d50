"""Measures the start and the first cycle with thousands of rules on one queue, next to a hundred of them.

python bench/many_rules.py [--rules 3000] [--contacts 3000] [--few 100]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from cycle import NO_QUOTA, Centre
from support.figures import met, report
from support.process import cpu_seconds
from support.stage import Contender, configure, wait_for

DEFAULTS = '[defaults]\nflow = "Overflow to queue"\n'
RULE = """
[[rule]]
name = "customer-{n}"
mode = "{mode}"
match = {{ queue = "Billing", attributes.customer = {customers} }}
sla.target = "{target}m"
step = [{{ at = "50%", to = [{{ queue = "Overflow" }}] }}, {{ at = "breach", to = [{{ queue = "Overflow" }}] }}]
"""
START_MOST_S, CYCLE_MOST_S = 6.0, 15.0


@dataclass(frozen=True)
class Figures:
    """Holds seconds to ready, and the first cycle's seconds, its CPU seconds and its ``contact.held`` lines."""

    ready: float
    cycle: float
    cpu: float
    held: int


def rules_for(count: int, contacts: int, mode: str) -> str:
    """Returns rules that share the contacts out by an attribute: one rule matches each contact."""
    names = ([f"c{one}" for one in range(n, contacts, count)] or [f"c{n}"] for n in range(count))
    customers = (json.dumps(one if len(one) > 1 else one[0]) for one in names)
    rules = (RULE.format(n=n, mode=mode, target=20 + n % 25, customers=one) for n, one in enumerate(customers))
    return DEFAULTS + "".join(rules)


def measure(folder: Path, *, rules: int, contacts: int, mode: str, rule_mode: str) -> Figures:
    """Starts a service and ends it when it is ready. Then it runs one cycle."""
    centre, contender = Centre(contacts, customers=True), Contender(folder)
    try:
        folder.mkdir(parents=True)
        text = rules_for(rules, contacts, rule_mode)
        configure(folder, centre.told.instance, text, execute="keep_place = false", more=NO_QUOTA)
        began = time.monotonic()
        service = contender.router(centre.told.endpoint, f"--{mode}")
        ready = time.monotonic() - began
        service.terminate()
        service.wait(60)
        contender.told.clear()
        (folder / "ledger.db").unlink()
        once = contender.listen(["run", "--once", f"--{mode}"], centre.told.endpoint)
        cpu = 0.0

        def ended() -> bool:
            nonlocal cpu
            if once.poll() is None:
                cpu = max(cpu, cpu_seconds(once.pid))
            return once.poll() is not None

        wait_for(ended, seconds=600, what="the end of the cycle")
        cycle: dict[str, Any] = next(one for one in contender.told if one["event"] == "cycle.finished")
        assert cycle["complete"], "the search was incomplete"
        assert cycle["waiting"] == contacts, "others wait"
        held = sum(one["event"] == "contact.held" for one in contender.told)
        return Figures(ready, cycle["seconds"], cpu, held)
    finally:
        contender.close()
        centre.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("rules", 3000), ("contacts", 3000), ("few", 100)):
        parser.add_argument(f"--{name}", type=int, default=default)
    args = parser.parse_args()
    print(f"many_rules: {args.rules} rules on one queue, {args.contacts} contacts", flush=True)
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for mode, rule_mode in (("observe", "enforce"), ("enforce", "observe")):
            of_many, of_few = (
                measure(
                    Path(scratch) / f"{mode}-{rules}",
                    rules=rules,
                    contacts=args.contacts,
                    mode=mode,
                    rule_mode=rule_mode,
                )
                for rules in (args.rules, args.few)
            )
            print(f"  {mode}: {of_many}; {args.few} rules: {of_few}", flush=True)
            what = "the service observes" if mode == "observe" else "the rules observe"
            for name, many, few, most in (
                ("start to ready", of_many.ready, of_few.ready, START_MOST_S),
                ("first cycle", of_many.cycle, of_few.cycle, CYCLE_MOST_S),
            ):
                beside = f"{few:.2f} s with {args.few} rules, {many / few:.2f} times"
                rows.append((f"{name}, {what}", f"{many:.2f} s", beside, f"{most:.0f} s: {met(many <= most)}"))
            beside = f"{of_few.cpu:.1f} s with {args.few} rules, {of_many.cpu / of_few.cpu:.2f} times"
            rows.append((f"CPU of the process, {what}", f"{of_many.cpu:.1f} s", beside, ""))
            rows.append((f"lines contact.held, {what}", f"{of_many.held}", f"{of_few.held}", ""))
    method = (
        f"{args.rules} rules on one queue differ in the value of an attribute, which only DescribeContact has. Each"
        f" rule has two steps. {args.contacts} contacts wait there and are late, each with another value. The first"
        " cycle searches, reads and decides on all of them, and reads each again before it logs what it would do, over"
        " HTTP and without quotas. It is measured once with"
        " enforcing rules in a service that observes, and once with observing rules in a service that enforces. The"
        f" alternative shares the same contacts out among {args.few} rules. The CPU time includes the start."
    )
    report("many_rules", rows, method=method)


if __name__ == "__main__":
    main()
