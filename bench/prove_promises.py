"""How long ``check --prove`` takes for many rules over many queues with 20 promises, beside deciding on contacts one by
one.

python bench/prove_promises.py [--times 3]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from check_rules import CONFIG, DEFAULTS, seconds
from support.figures import met, report

from router.decide.snapshot import Limits
from router.model import Channel
from router.prove.promises.prover import PromiseProver
from router.prove.promises.replay import Replay, Surroundings
from router.rules.example import ExampleContact
from router.rules.load import load_rules

RULES_A_QUEUE = 10
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
RULE = """
[[rule]]
name = "rule-{n}"
match = {{ queue = "Queue {queue}", {differs} }}
sla.target = "{target}m"

[[rule.step]]
at = "25%"
warn = "a quarter of the time is gone"

[[rule.step]]
at = "50%"
to = [{{ queue = "Overflow {over}", slots_available = {{ min = 1 }} }}]

[[rule.step]]
at = "breach"
to = [{{ queue = "Supervisors", open = true }}]
"""
DIFFERENCES = (
    'attributes.customer = "c{n}"',
    'tags.team = ["t{n}", "t{n}-*"]',
    "attributes.score = {{ min = {n}.0, max = {n}.9 }}",
    'name = {{ matches = "case-{n}-[0-9]+" }}',
    'any = [{{ tags.team = "u{n}" }}, {{ channel = "EMAIL", priority = {{ max = 2 }} }}]',
)
PROMISES = (
    'match.queue = "Queue {queue}"\nwithin = "20m"\nact = ["warn", "move"]',
    'match = {{ queue = "Queue {queue}", channel = "EMAIL", priority = 1 }}\nwithin = "30m"\nact = ["move"]\n'
    'assume = ["destination", "no_guard"]',
    'match.queue = "Queue {queue}"\nnever = {{ to = "Supervisors", hours = "closed" }}',
    'match.queue = "Queue {queue}"\nat_most = {{ moves = 2, visits_of_a_queue = 1 }}',
    'never = {{ to = "Queue {queue}" }}',
)
LAST = """
[[rule]]
name = "rest-{n}"
match.queue = "Queue {queue}"
step = [{{ at = "20m", warn = "nothing fits" }}]
"""


def write(folder: Path, rules: int) -> None:
    """Writes rules that differ in five ways, ten for each queue, a warning for all other contacts, and 20 promises."""
    queues, parts = rules // RULES_A_QUEUE, []
    for n in range(rules):
        given = {"n": n, "queue": n // RULES_A_QUEUE, "target": 20 + n % 40, "over": n % 20}
        last = n % RULES_A_QUEUE == RULES_A_QUEUE - 1
        parts.append((LAST if last else RULE).format(differs=DIFFERENCES[n % 5].format(n=n), **given))
    for number in range(20):
        promise = PROMISES[number % 5].format(queue=number * queues // 20)
        parts.append(f'\n[[promise]]\nname = "promise-{number}"\n{promise}\n')
    (folder / "config.toml").write_text(CONFIG)
    (folder / "rules").mkdir()
    (folder / "rules" / "all.toml").write_text(DEFAULTS + "".join(parts))


def one_by_one(folder: Path) -> tuple[float, int]:
    """Returns the CPU time of deciding on one contact of each rule at each time of a step, and how many decisions."""
    ruleset = load_rules(folder / "rules")
    stage = PromiseProver(ruleset, Limits(), NOW).stage
    decisions, began = 0, time.process_time()
    for number, rule in enumerate(ruleset.rules):
        queue = f"Queue {number // RULES_A_QUEUE}"
        contact = ExampleContact(channel=Channel.TASK, queue=queue, tags={"team": f"t{number}"})
        replay = Replay(stage, contact, NOW, timedelta())
        for step in rule.steps:
            replay.look(step.at, Surroundings())
            decisions += 1
    return time.process_time() - began, decisions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=3)
    given = parser.parse_args()
    rows = []
    for rules, most in ((100, 1.0), (1000, 20.0)):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write(folder, rules)
            plain = seconds([sys.executable, "-m", "router", "check"], folder, given.times)
            proved = seconds([sys.executable, "-m", "router", "check", "--prove"], folder, given.times)
            took, decisions = one_by_one(folder)
        what = f"20 promises of {rules} rules over {rules // RULES_A_QUEUE} queues"
        beside = f"{plain:.2f} s for check alone; {took:.1f} s for {decisions} decisions on single contacts"
        added = proved - plain
        rows.append((what, f"{added:.2f} s more than check", beside, f"{most:g} s: {met(added <= most)}"))
        print(f"  {rows[-1]}", flush=True)
    method = (
        "Ten rules for each queue differ in an attribute, a tag, a range, a regular expression or alternatives. Five"
        " promises are made for four queues each: an act in time, a move in time, no move to closed supervisors, at"
        " most two moves, no move into the queue. All promises are proved. The CPU time is that of"
        f" `check --prove` less the CPU time of `check`, and each time is the best of {given.times} runs."
        " The alternatives are `check`"
        " alone, and deciding on one contact of each rule at each step, which proves nothing about other contacts."
    )
    report("prove_promises", rows, method=method)


if __name__ == "__main__":
    main()
