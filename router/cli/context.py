"""Loads configuration and rules from the command line, the environment and the files together."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from router.cli.errors import ACCEPTANCE, CONFIG, TRACEBACK, CommandFailed
from router.model import ContactId, contact_id_of
from router.problems import Problem, Problems, printable
from router.prove.lint import lint
from router.prove.poll_interval import poll_too_often
from router.rules.bind import foreign_arns
from router.rules.load import load_rules
from router.rules.rule import RuleSet
from router.runtime import SANDBOX_CLOCK
from router.settings import Settings, load_settings, usual_config
from router.settings.sources import service_links
from router.toml_source import TomlSource, read_bytes

if TYPE_CHECKING:
    from router.ledger.sqlite import SqliteLedger

PACKAGE = Path(__file__).parents[1]


def shipped(name: str) -> Path:
    """Returns a file or folder of the repository: its copy in the wheel, or the original if this is a checkout."""
    copy = PACKAGE / "shipped_files" / name
    return copy if copy.exists() else PACKAGE.parent / name


def settings_of(arguments: argparse.Namespace) -> Settings:
    """Loads the settings. Raises ``Problems`` with every mistake, ``CommandFailed`` if ``--set`` is malformed."""
    config = Path(arguments.config) if arguments.config is not None else None
    return load_settings(config, environ=environment(), overrides=overrides_of(arguments))


def environment() -> Mapping[str, str]:
    """Returns the environment, without the variables of connect-router that are no keys of config.toml."""
    ours = (TRACEBACK, CONFIG, SANDBOX_CLOCK, ACCEPTANCE)
    return {name: value for name, value in os.environ.items() if name not in ours}


def overrides_of(arguments: argparse.Namespace) -> dict[str, object]:
    """Returns the keys of ``--set`` and of the options that abbreviate one. Such an option wins over ``--set``."""
    found: dict[str, object] = {}
    for text in arguments.overrides:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            line = f"connect-router: --set {text}: expected KEY=VALUE, as in --set poll.every=5s"
            raise CommandFailed(printable(line), misconfigured=True)
        found[key.strip()] = value
    if arguments.log_level is not None:
        found["log.level"] = arguments.log_level
    if getattr(arguments, "mode", None) is not None:
        found["execute.mode"] = arguments.mode
    return found


def own_contact(text: str, settings: Settings) -> ContactId:
    """Returns the id of a contact of this instance. Raises ``CommandFailed`` for an ARN of another instance."""
    try:
        return contact_id_of(text, settings.connect.home)
    except ValueError as error:
        raise CommandFailed(printable(f"connect-router: {error}"), misconfigured=True) from None


def whole_contact(begun: ContactId, ledger: SqliteLedger, known: Iterable[str] = ()) -> ContactId:
    """Returns the id that begins so, of the ledger or a ``known`` one. Raises ``CommandFailed`` if several do."""
    from router.lookup.id_prefix import AmbiguousId, whole_id

    try:
        return whole_id(begun, ledger, known)
    except AmbiguousId as error:
        raise CommandFailed(printable(f"connect-router: {error}"), misconfigured=True) from None


def settings_and_rules(arguments: argparse.Namespace) -> tuple[Settings, RuleSet]:
    """Loads both. Raises ``Problems`` with every mistake in either: one in config.toml hides none in the rules."""
    try:
        settings = settings_of(arguments)
    except Problems as refused:
        raise Problems([*refused.problems, *_problems_of_rules(arguments)]) from None
    if not settings.rules.path.exists():
        missing = f'there is no folder or file "{settings.rules.path}" with the rules'
        advice = "put your rule files (*.toml) into such a folder, or name another one as rules.path"
        raise Problems([settings.problem(("rules", "path"), f"{missing}: {advice}")])
    return settings, load_rules(settings.rules.path)


def _problems_of_rules(arguments: argparse.Namespace) -> tuple[Problem, ...]:
    """Returns the mistakes in the rules of a config.toml that does not load, if it shows where they are."""
    try:
        config = Path(arguments.config) if arguments.config is not None else usual_config()
        rules = TomlSource.parse(str(config), read_bytes(config)).data.get("rules", {})
    except Problems:
        return ()
    named = rules.get("path", "rules") if isinstance(rules, dict) else None
    path = config.parent / named if isinstance(named, str) else None
    if path is None or not path.exists():
        return ()
    try:
        load_rules(path)
    except Problems as refused:
        return refused.problems
    return ()


def load_both(arguments: argparse.Namespace) -> tuple[Settings, RuleSet]:
    """Loads settings, and rules that may run.

    Raises ``Problems`` with every mistake in the files, or every error that the proofs find."""
    settings, ruleset = settings_and_rules(arguments)
    errors = [problem for problem in proofs(settings, ruleset) if problem.severity == "error"]
    if errors:
        raise Problems(errors)
    return settings, ruleset


def proofs(settings: Settings, ruleset: RuleSet) -> list[Problem]:
    found = lint(ruleset, poll_every=settings.poll.every, max_transfers=settings.guard.max_transfers)
    return sorted([*found, *_poll_interval(settings, ruleset), *_of_another_instance(settings, ruleset)])


def _of_another_instance(settings: Settings, ruleset: RuleSet) -> Iterator[Problem]:
    """Yields a warning for each ARN of another instance, region or account than the configured one, and for a queue of
    events in another region."""
    for one in foreign_arns(ruleset, settings.connect.home):
        yield one.place.problem(one.message, "warning")
    if not settings.events.queue:
        return
    from router.connect.contact_events import region_of

    region = region_of(settings.events.queue)
    if region is not None and settings.connect.region not in (None, region):
        where = f"this queue is in {region}, and the instance in {settings.connect.region}"
        found = settings.problem(("events", "queue"), f"{where}: the instance's events do not arrive there")
        yield replace(found, severity="warning")


def _poll_interval(settings: Settings, ruleset: RuleSet) -> Iterator[Problem]:
    """Yields a warning if polls are more frequent than the quota allows. A rate that only the account knows is left
    out."""
    quotas, poll = settings.quotas, settings.poll
    if quotas.source == "auto" and "SearchContacts" not in quotas.given:
        return
    rate = quotas.rates["SearchContacts"].rate
    found = poll_too_often(ruleset, every=poll.every, sweep=poll.sweep, rate=rate, share=quotas.share)
    if found is not None:
        yield replace(settings.problem(("poll", "every"), found), severity="warning")


def announce(settings: Settings, *, quiet: bool, mode: str | None = None) -> None:
    """Prints instance, mode and configuration to standard error, before anything changes, unless ``quiet``. ``mode``
    replaces that of the settings."""
    if quiet:
        return
    config = settings.config_path or Path("(none)")
    print_note(f"instance {settings.connect.instance}, mode {mode or settings.execute.mode}, config {config}")
    warn_of_service_links()


def announce_in_log(settings: Settings) -> None:
    """Logs what ``announce`` prints. A service whose log is JSON writes no other lines."""
    from router import events

    config = None if settings.config_path is None else str(settings.config_path)
    events.log_service_starting(instance=settings.connect.instance_id, mode=settings.execute.mode, config=config)
    for line in _service_links():
        events.log_service_warned(line)


def warn_of_service_links() -> None:
    """Prints one warning to standard error if Kubernetes has set variables that look like settings."""
    for line in _service_links():
        print_note(f"connect-router: warning: {line}")


def _service_links() -> Iterator[str]:
    links = service_links(environment())
    if links:
        more = f" and {len(links) - 1} more" if links[1:] else ""
        yield (
            f"environment:{links[0]}{more}: no settings, but service links of Kubernetes;"
            " enableServiceLinks: false omits them"
        )


def print_note(text: str) -> None:
    """Prints a line for people to standard error. It is lost if standard error is closed."""
    with suppress(OSError):
        print(printable(text), file=sys.stderr, flush=True)
