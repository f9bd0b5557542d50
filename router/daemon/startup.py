"""Starts a router: logs what runs, reads the account's quotas, and waits until the instance can be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from router import events
from router.connect.answers import Failure
from router.connect.client import make_quotas_client
from router.connect.quotas import Rate
from router.connect.service_quotas import QuotasUnread, read_rates
from router.daemon.router import Router
from router.news import NewsFilter
from router.rules.rule import Mode, RuleSet
from router.settings import Settings

FIRST_RETRY, LONGEST_RETRY = 1.0, 30.0
"""Seconds between two attempts to read the instance; doubled each time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedFiles:
    """Holds the configuration and the rules that a service starts with.

    ``load`` reads both files again, and raises ``Problems``. ``errors`` are those of the rule files if the last good
    rules are used instead of them. ``needed`` returns the reading operations of rules, which a standby router tries.
    """

    settings: Settings
    ruleset: RuleSet
    load: Callable[[], tuple[Settings, RuleSet]]
    errors: tuple[str, ...] = ()
    needed: Callable[[RuleSet], frozenset[str]] = lambda ruleset: frozenset()

    @property
    def mode(self) -> Mode:
        return Mode(self.settings.execute.mode)


class MetricsUnusable(Exception):
    """Reports that Prometheus cannot be served on the address; its text is one line."""


def log_started(app: Router, *, again: bool = False) -> None:
    """Logs what runs. ``again`` means that the service continues in another mode."""
    events.log_service_started(
        endpoint=app.connection.endpoint,
        account=app.settings.connect.account or app.connection.instance.account(),
        instance=app.settings.connect.instance_id,
        mode=app.shown_mode,
        again=again,
    )
    events.log_rules_loaded(app.names.ruleset)
    if app.ledger.take_created():
        events.log_ledger_created(app.settings.ledger.url)
    events.log_ledger_exposed(app.ledger.warnings)


def report_last_good(app: Router, files: LoadedFiles) -> None:
    """Records in the log and for ``status`` that the last good rules are in force, if they are."""
    if files.errors:
        app.vital.refused(files.errors, last_good=True)
        events.log_rules_last_good(files.ruleset.revision, files.errors)


def read_quotas(app: Router) -> None:
    """Reads the quotas of this account if ``quotas.source`` is ``auto``, and puts them in force.

    If they cannot be read, AWS's defaults stay in force. A quota that the configuration gives stays in any case.
    """
    quotas = app.settings.quotas
    if quotas.source != "auto":
        return
    others = {name: quota for name, quota in quotas.rates.items() if name not in quotas.given}
    known = {name: Rate(quota.rate, quota.burst) for name, quota in others.items()}
    try:
        found = read_rates(lambda: make_quotas_client(region=app.settings.connect.region), known)
    except QuotasUnread as problem:
        events.log_quotas_unread(problem)
        return
    app.connection.quotas.adopt(found)
    changed = {name: rate.rate for name, rate in sorted(found.items()) if rate.rate != known[name].rate}
    events.log_quotas_read(read=len(found), others=changed)


class InstanceWait:
    """Reads the names of the instance until it answers, and logs why it does not.

    A service does not end because of a wrong region or expired credentials: somebody may correct them.
    """

    def __init__(self, app: Router) -> None:
        self._app = app
        self._news = NewsFilter[str](app.clock.monotonic)

    def until_read(self, *, before_each_wait: Callable[[], object]) -> bool:
        """Returns ``False`` if the service was stopped first."""
        pause, safety = FIRST_RETRY, self._app.safety
        while (failure := self._app.names.load()) is not None:
            before_each_wait()
            self._app.vital.unread(f"{failure.code}: {failure.message}")
            if safety.credentials.refused:
                safety.breakers.stop_calls()
            self.log_failure(failure, retry_in=pause)
            if self._app.stopping.wait(pause):
                return False
            pause = min(pause * 2, LONGEST_RETRY)
        safety.breakers.record_response()
        return not self._app.stopping.is_set()

    def log_failure(self, failure: Failure, *, retry_in: float) -> None:
        """Logs the failure if it differs from the last one, or lasts. ``retry_in`` is in seconds."""
        if self._news.is_news("instance", failure.code):
            events.log_instance_unreachable(failure, retry_in=retry_in)


@contextmanager
def serving_metrics(app: Router) -> Iterator[None]:
    """Serves Prometheus, browsers and health checks while the block runs, if ``metrics.listen`` is set.

    Raises ``MetricsUnusable``; the router is closed then."""
    address = app.settings.metrics.address
    if address is None:
        yield
        return
    from router.daemon.web_server import exposed  # its library takes time to import

    host, port = address
    with ExitStack() as stack:
        try:
            stack.enter_context(exposed(app, host=host, port=port))
        except OSError as error:
            app.close()
            why = f"connect-router: metrics.listen {app.settings.metrics.listen}: {error.strerror}"
            raise MetricsUnusable(why) from error
        yield
