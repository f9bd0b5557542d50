"""Simulates a contact centre that a scenario describes, under one or two sets of rules: the command ``simulate``."""

from __future__ import annotations

import argparse
from pathlib import Path

from router.cli.effect_options import add_effect_options, positive, run_with_progress, sources_of
from router.cli.errors import CommandFailed
from router.cli.parser import add_json

DESCRIPTION = """\
Simulates a contact centre that a scenario describes: arrivals, handle times, agents and their shifts. The rules move
the contacts as they would in service, by the same code. With --against it simulates both sets of rules with the same
contacts, and prints what the change does to each queue. Makes no call to AWS and reads no configuration.

The exit status is 0 if no queue is harmed, 1 if one is, and 3 if that cannot be decided yet."""
EXAMPLE = """\
  connect-router simulate --scenario centre.toml
  connect-router simulate --scenario centre.toml --rules rules --against new-rules --harm 2%
  connect-router simulate --scenario centre.toml --against rules --days 20 --junit effects.xml
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--scenario", metavar="FILE", type=Path, required=True, help="the contact centre to simulate")
    parser.add_argument("--rules", metavar="PATH", type=Path, help="rules A: a folder or a file (default: no rules)")
    parser.add_argument("--against", metavar="PATH", type=Path, help="rules B, which are compared with A")
    parser.add_argument("--days", metavar="N", type=positive, help="simulated days (default: those of the scenario)")
    add_effect_options(parser)
    parser.add_argument("--junit", metavar="FILE", type=Path, help="also write JUnit XML, a test case for each queue")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    from router.cli.output.effect_report import report
    from router.simulation.scenario import SimulationScenario
    from router.simulation.study import Study

    scenario = SimulationScenario.load(arguments.scenario)
    try:
        scenario = scenario.with_days(arguments.days)
    except ValueError as error:
        raise CommandFailed(f"connect-router simulate: --days: {error}", misconfigured=True) from None
    study = Study(
        source=scenario,
        rules=sources_of(arguments.rules),
        against=sources_of(arguments.against),
        seed=arguments.seed if arguments.seed is not None else scenario.document.seed,
    )
    return report("simulate", study, run_with_progress(study, arguments), arguments)
