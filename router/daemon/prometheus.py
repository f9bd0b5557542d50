"""Collects the figures of the running service for Prometheus. Imported only if ``[metrics] listen`` is set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from router.daemon.router import Router
from router.daemon.status import status_of
from router.telemetry.counters import PREFIX
from router.telemetry.cycle_report import FIGURES


class PrometheusCollector:
    """Collects the figures at each scrape, without a call to AWS.

    Rules, reasons, operations and outcomes are labels; contacts and queues never are. Values that grow without bound,
    or that concern a customer, belong in the log.
    """

    def __init__(self, app: Router) -> None:
        self._app = app

    def describe(self) -> Iterable[Metric]:
        """Returns nothing, because the registry would otherwise collect once when this is registered."""
        return ()

    def collect(self) -> Iterator[Metric]:
        status = status_of(self._app)
        yield _labelled(
            "info",
            "What runs: always 1.",
            [((status["version"], status["instance"], status["mode"], status["rules"]["revision"]), 1)],
            labels=("version", "connect_instance", "mode", "revision"),
        )
        yield from _of_cycles(status, status["cycle"] or {})
        if self._app.counters is not None:
            self._app.counters.begin_rules(self._app.names.ruleset.rules)
            yield from self._app.counters.registry.collect()
        yield from _of_calls(status["quotas"])
        yield from _of_rules(status["rules"])
        yield from _of_what_is_open(status)
        yield from _of_notices(status["notify"] or {"sent": 0, "failed": 0, "waiting": 0})
        yield from _of_events(status["events"])
        lost = "Log lines lost because nothing read them, or because they could not be written."
        yield CounterMetricFamily(f"{PREFIX}_log_lines_lost", lost, value=status["log_lines_lost"])


def _of_cycles(status: Mapping[str, Any], cycle: Mapping[str, Any]) -> Iterator[Metric]:
    healthy = "1 while the last complete cycle is at most 4 polls old, ledger and credentials work."
    yield _gauge("healthy", healthy, int(status["healthy"]))
    yield _gauge("silent_seconds", "Seconds since the last complete cycle.", status["silent_s"])
    yield _gauge("poll_seconds", "Seconds between two polls, as configured.", status["poll_every_s"])
    if not cycle:
        return
    for figure in FIGURES:
        if figure.gauge is not None:
            yield _gauge(figure.gauge, figure.text, cycle[figure.name] or 0)
    held = [((reason,), number) for reason, number in cycle["held"].items()]
    yield _labelled("held", "Decisions of the last cycle to leave a contact alone.", held, labels=("reason",))


def _of_calls(quotas: Iterable[Mapping[str, Any]]) -> Iterator[Metric]:
    calls = CounterMetricFamily(f"{PREFIX}_calls", "HTTP calls to Amazon Connect.", labels=["operation"])
    throttles = CounterMetricFamily(f"{PREFIX}_throttles", "Of these, those answered with 429.", labels=["operation"])
    for one in quotas:
        calls.add_metric([one["operation"]], one["calls"])
        throttles.add_metric([one["operation"]], one["throttles"])
    yield calls
    yield throttles


def _of_rules(rules: Mapping[str, Any]) -> Iterator[Metric]:
    yield _gauge("rules", "Rules in force.", rules["count"])
    yield _gauge("rules_unresolved", "Names in them that the instance does not have.", len(rules["unresolved"]))
    yield _gauge("rules_loaded_timestamp_seconds", "When they were loaded.", _epoch(rules["since"]))
    refused = rules["refused"] is not None
    yield _gauge("reload_refused", "1 after a reload that was refused, until one succeeds.", int(refused))
    last_good = rules["last_good"]
    yield _gauge("rules_last_good", "1 while other rules are in force than those in the files.", int(last_good))


def _of_what_is_open(status: Mapping[str, Any]) -> Iterator[Metric]:
    ledger, lease = status["ledger"], status["lease"]
    yield _gauge("working", "1 if this router works; 0 if it is a standby router.", int(lease is None or lease["held"]))
    ledger_up = "1 while the ledger can be read and written; nothing is moved without it."
    yield _gauge("ledger_up", ledger_up, int(ledger["error"] is None))
    if ledger["open_intents"] is not None:
        yield _gauge("ledger_open_intents", "Moves whose outcome is not known yet.", ledger["open_intents"])
    yield _gauge("under_way", "Moved, and not seen to have landed yet.", status["under_way"])
    yield _gauge("strays", "Moved, and not seen to have landed in time.", status["strays"])
    yield _gauge("flows_suspended", "Flows that are not used any more.", len(status["suspended_flows"]))
    for name, key, text in (("", "limit", "Landing slots of a flow."), ("_taken", "taken", "Of these, those in use.")):
        values = [((str(one["flow"]),), one[key]) for one in status["landing_slots"]]
        yield _labelled(f"landing_slots{name}", text, values, labels=("flow",))


def _of_notices(notify: Mapping[str, Any]) -> Iterator[Metric]:
    sent, failed = "Messages that SNS accepted.", "Attempts to publish a message that failed."
    yield CounterMetricFamily(f"{PREFIX}_notices_sent", sent, value=notify["sent"])
    yield CounterMetricFamily(f"{PREFIX}_notices_failed", failed, value=notify["failed"])
    yield _gauge("notices_waiting", "Messages that are to be published.", notify["waiting"])


def _of_events(events: Mapping[str, Any] | None) -> Iterator[Metric]:
    """Yields nothing if no queue of contact events is configured, because 0 would mean that none arrive."""
    if events is None:
        return
    yield _gauge("events_live", "1 while contact events replace searches.", int(events["live"]))
    missing = "1 while queues move without an event, or the queue of events does not answer."
    yield _gauge("events_missing", missing, int(events["silent"] or events["failing"]))
    received = "Messages received from the queue of contact events."
    yield CounterMetricFamily(f"{PREFIX}_events_received", received, value=events["received"])
    yield CounterMetricFamily(f"{PREFIX}_events_applied", "Of these, those applied.", value=events["applied"])
    ignored = CounterMetricFamily(f"{PREFIX}_events_ignored", "Of these, those not used.", labels=["reason"])
    for reason, count in events["ignored"].items():
        ignored.add_metric([reason], count)
    yield ignored
    yield _gauge("events_lag_seconds", "How late the slowest of the last events arrived.", events["lag_s"])


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{PREFIX}_{name}", text, value=value)


def _labelled(
    name: str, text: str, values: Iterable[tuple[tuple[str, ...], float]], *, labels: tuple[str, ...]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"{PREFIX}_{name}", text, labels=labels)
    for of, value in values:
        family.add_metric(of, value)
    return family


def _epoch(at: str | None) -> float:
    return datetime.fromisoformat(at).timestamp() if at is not None else 0.0
