"""Checks against AWS what configuration and rules name: the part of ``check --live`` that makes calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from router.inspect.live_check import LiveFindings
    from router.problems import Problem
    from router.rules.rule import RuleSet
    from router.settings import Settings


def read_instance(settings: Settings, ruleset: RuleSet) -> LiveFindings:
    """Returns what the instance shows about the rules. Raises the command's error if it cannot be read."""
    from router.cli.resources import connected, unreachable
    from router.inspect.live_check import LiveFindings, check_live
    from router.runtime import open_clock

    with connected(settings) as connection:
        findings = check_live(connection, ruleset, now=open_clock().now())
    if not isinstance(findings, LiveFindings):
        raise unreachable(findings, settings, connection.endpoint)
    return findings


def surroundings(settings: Settings) -> Iterator[Problem]:
    """Finds what is wrong with the table, topic, queue of events and profile that the configuration names."""
    for problems in (_table, _topic, _event_queue, _profile):
        yield from problems(settings)


def _table(settings: Settings) -> list[Problem]:
    from router.cli.resources import in_one_line
    from router.resources import table_problem

    with in_one_line():
        problem = table_problem(settings)
    return [settings.problem(("ledger", "url"), problem)] if problem is not None else []


def _topic(settings: Settings) -> list[Problem]:
    arn = settings.notify.sns_topic
    if not arn:
        return []
    from router.cli.resources import in_one_line
    from router.connect.topic import Topic

    with in_one_line():
        failure = Topic.open(arn).check()
    if failure is None:
        return []
    return [settings.problem(("notify", "sns_topic"), f"{arn} cannot be read: {failure.code}: {failure.message}")]


def _event_queue(settings: Settings) -> list[Problem]:
    url = settings.events.queue
    if not url:
        return []
    from router.cli.resources import in_one_line
    from router.connect.event_queue import EventQueue

    with in_one_line():
        failure = EventQueue.open(url, region=settings.connect.region).check()
    if failure is None:
        return []
    return [settings.problem(("events", "queue"), f"{url} cannot be used: {failure.code}: {failure.message}")]


def _profile(settings: Settings) -> list[Problem]:
    """Returns why the profile next to config.toml may not describe the instance any longer, if there is a profile."""
    if settings.config_path is None:
        return []
    from botocore import __version__ as botocore

    from router.acceptance.instance_profile import FILE, load_profile
    from router.problems import Problem
    from router.runtime import open_clock

    path = settings.config_path.parent / FILE
    if not path.exists():
        return []
    objections = load_profile(path).objections(
        now=open_clock().now(), botocore=botocore, instance=settings.connect.instance_id
    )
    return [Problem(str(path), 1, 1, objection, "warning") for objection in objections]
