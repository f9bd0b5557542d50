"""How long ``check`` takes for many rules, with examples or on one queue, beside checking the same files against their
schema alone.

python bench/check_rules.py [--rules 1000] [--examples 3000] [--seed 1] [--times 5]
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parent))
from support.figures import met, report

CONFIG = '[connect]\ninstance = "11111111-2222-3333-4444-555555555555"\nregion = "us-east-1"\n[rules]\npath = "rules"\n'
DEFAULTS = '[defaults]\nflow = "Overflow to queue"\n'
RULES_A_FILE = 100

RULE = """
[[rule]]
name = "rule-{n}"
match = {{ queue = "Queue {n}", channel = "{channel}" }}
sla = {{ target = "{target}m" }}

[[rule.step]]
at = "25%"
warn = "a quarter of the time is gone"

[[rule.step]]
at = "50%"
to = [
  {{ queue = "Overflow {over}", slots_available = {{ min = {slots} }} }},
  {{ queue = "General {general}", contacts_in_queue = {{ max = {most} }} }},
]

[[rule.step]]
at = "breach"
to = [{{ queue = "Supervisors" }}]
"""
EXAMPLE = """
[[example]]
name = "example {number}"
contact = {{ channel = "{channel}", queue = "Queue {n}", waited = "{waited}m" }}
{world}
expect = {{ rule = "rule-{n}", {outcome} }}
"""

ONE_QUEUE = """
[[rule]]
name = "rule-{n}"
match = {{ queue = "Shared", {differs} }}
sla = {{ target = "{target}m" }}

[[rule.step]]
at = "50%"
to = [{{ queue = "Overflow {over}", slots_available = {{ min = 1 }} }}]

[[rule.step]]
at = "breach"
to = [{{ queue = "General", contacts_in_queue = {{ max = 50 }} }}]
"""
DIFFERENCES = (
    'attributes.customer = "c{n}"',
    'tags.team = "t{n}"',
    "attributes.score = {{ min = {n}.0, max = {n}.9 }}",
    'any = [{{ tags.team = "t{n}" }}, {{ attributes.customer = "c{n}" }}, {{ name = "n{n}" }}]',
    'name = {{ matches = "case-{n}-[0-9]+" }}',
)

AGAINST_THE_SCHEMA = """
import json, sys, tomllib
from pathlib import Path
import jsonschema
validator = jsonschema.Draft202012Validator(json.loads(Path(sys.argv[1]).read_text()))
for path in sorted(Path("rules").glob("*.toml")):
    for mistake in validator.iter_errors(tomllib.loads(path.read_text())):
        sys.exit(f"{path}: {mistake.message}")
"""


def write(folder: Path, *, rules: int, examples: int, seed: int) -> None:
    """Rules with a warning, two steps and three destinations each, and examples that pass, in files of a hundred."""
    random = Random(seed)
    (folder / "config.toml").write_text(CONFIG)
    (folder / "rules").mkdir()
    for start in range(0, rules, RULES_A_FILE):
        numbers = range(start, min(start + RULES_A_FILE, rules))
        parts = [part for n in numbers for part in _rule(n, range(n, examples, rules), random)]
        (folder / "rules" / f"{start // RULES_A_FILE:03}.toml").write_text(DEFAULTS + "".join(parts))


def write_for_one_queue(folder: Path, rules: int) -> None:
    """Rules for one queue that differ in an attribute, a tag, a range, three alternatives or a regular expression."""
    (folder / "config.toml").write_text(CONFIG)
    (folder / "rules").mkdir()
    different = (DIFFERENCES[n % len(DIFFERENCES)].format(n=n) for n in range(rules))
    text = (ONE_QUEUE.format(n=n, differs=one, target=20 + n % 25, over=n % 50) for n, one in enumerate(different))
    (folder / "rules" / "one-queue.toml").write_text(DEFAULTS + "".join(text))


def _rule(n: int, examples: range, random: Random) -> list[str]:
    given = {
        "n": n,
        "channel": random.choice(["TASK", "EMAIL"]),
        "target": random.randrange(20, 120, 4),
        "over": n % 50,
        "general": n % 7,
        "slots": random.randint(1, 3),
        "most": random.randint(5, 50),
    }
    return [RULE.format(**given), *(_example(number, index % 3, given) for index, number in enumerate(examples))]


def _example(number: int, kind: int, given: dict[str, object]) -> str:
    """In turn: not yet; an overflow queue with a free slot; everything full."""
    target = int(str(given["target"]))
    waited = 1 if kind == 0 else target // 2 + 1
    slots = f'queues."Overflow {given["over"]}" = {{ slots_available = 3 }}'
    full = f'queues."General {given["general"]}" = {{ contacts_in_queue = 99 }}'
    outcome = (
        f'due = "{target // 4 - 1}m"',
        f'step = 2, queue = "Overflow {given["over"]}"',
        'step = 2, hold = "no_eligible_destination"',
    )[kind]
    return EXAMPLE.format(number=number, waited=waited, world=("", slots, full)[kind], outcome=outcome, **given)


def seconds(command: list[str], folder: Path, times: int) -> float:
    """The CPU time of the best of several runs, the interpreter's start included. Raises if the command finds a
    mistake."""
    took = []
    for _ in range(times):
        began = _spent()
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        took.append(_spent() - began)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(command[:4])}: exit status {done.returncode}\n{done.stderr[-2000:]}")
    return min(took)


def _spent() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("rules", 1000), ("examples", 3000), ("seed", 1), ("times", 5)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    router = [sys.executable, "-m", "router"]
    published = subprocess.run([*router, "schema"], capture_output=True, text=True, check=True).stdout
    rows = []
    for rules, examples, most in ((given.rules, given.examples, 1.2), (1000, 0, 1.5), (3000, 0, 5.0)):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            if examples:
                write(folder, rules=rules, examples=examples, seed=given.seed)
            else:
                write_for_one_queue(folder, rules)
            schema = folder / "schema.json"
            schema.write_text(published)
            check = seconds([*router, "check"], folder, given.times)
            alone = seconds([sys.executable, "-c", AGAINST_THE_SCHEMA, str(schema)], folder, given.times)
        where = f"{examples} examples" if examples else "on one queue"
        beside = f"{alone:.2f} s against their JSON Schema alone, {check / alone:.1f} times"
        rows.append((f"check of {rules} rules, {where}", f"{check:.2f} s", beside, f"{most} s: {met(check <= most)}"))
        print(f"  {rows[-1]}", flush=True)
    method = (
        f"`check` loads {given.rules} rules with three steps each and {given.examples} examples. The rules"
        " on one queue differ in an attribute, a tag, a range of numbers, three alternatives or a regular expression."
        f" The CPU time includes the interpreter and the proofs, and is the best of {given.times} runs."
        " The alternative checks the same files"
        " only against their JSON Schema, by jsonschema."
    )
    report("check_rules", rows, method=method)


if __name__ == "__main__":
    main()
