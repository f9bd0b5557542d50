"""Writes the log events about the service, its rules, its cycles and the systems it depends on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any

from router.connect.answers import Denied, Failure, Full, Rejected, Unauthenticated
from router.events.contacts import log
from router.ledger.errors import LedgerUnavailable
from router.model import ContactId
from router.rules.bound import BoundRuleSet
from router.rules.rule import Mode, RuleSet

# The journal.


def log_journal_failed(message: str) -> None:
    """Logs why records of the journal cannot be written; contacts are moved as before."""
    log.warning("journal.failed", message=message)


def log_journal_recovered(*, lost: int) -> None:
    """Logs that the journal is written again. ``lost`` counts the records that it lacks since the start."""
    log.info("journal.recovered", lost=lost)


def log_journal_broken() -> None:
    """Logs a bug in the journal; called while the exception is handled."""
    log.exception("journal.broken")


# The service.


def log_service_starting(*, instance: str, mode: str, config: str | None) -> None:
    log.info("service.starting", instance=instance, mode=mode, config=config)


def log_service_warned(message: str) -> None:
    """Logs a warning about the environment in which the service starts."""
    log.warning("service.warned", message=message)


def log_service_failed(message: str) -> None:
    """Logs one line of the reason for which the service could not start or go on."""
    log.error("service.failed", message=message)


def log_reload_command_failed(message: str) -> None:
    """Logs one line of the reason for which systemd's reload command failed."""
    log.error("reload.failed", message=message)


def log_service_started(*, endpoint: str, account: str | None, instance: str, mode: str, again: bool) -> None:
    """Logs what runs. ``again`` means that the service continues in another mode."""
    event = "service.turned" if again else "service.started"
    log.info(event, endpoint=endpoint, account=account, instance=instance, mode=mode)


def log_service_ready(rules: BoundRuleSet) -> None:
    log.info("service.ready", rules=len(rules.rules), revision=rules.revision)


def log_service_stopping() -> None:
    log.info("service.stopping")


def log_service_abandoned(calls: int) -> None:
    """Logs how many calls were still under way when the service ended."""
    log.warning("service.abandoned", open_calls=calls)


def log_service_stopped() -> None:
    log.info("service.stopped")


def log_lease_acquired(*, term: int, holder: str | None) -> None:
    log.info("lease.acquired", term=term, holder=holder)


def log_lease_lost(*, term: int, holder: str | None) -> None:
    log.warning("lease.lost", term=term, holder=holder)


def log_lease_failed() -> None:
    """Logs a bug in the thread that renews the lease; called while the exception is handled."""
    log.exception("lease.failed")


def log_standby_check_failed() -> None:
    """Logs a bug in the check that a standby router could work; called while the exception is handled."""
    log.exception("lease.check_failed")


def log_control_unusable(problem: Exception) -> None:
    log.warning("control.unusable", message=str(problem))


def log_control_failed(command: str) -> None:
    """Logs a bug in the answer to a request; called while the exception is handled."""
    log.exception("control.failed", command=command)


def log_control_retried(*, rule: str | None, contact_id: str | None, contacts: int, who: str) -> None:
    log.info("control.retried", rule=rule, contact_id=contact_id, contacts=contacts, who=who)


# Rules, and the names of the instance in them.


def log_rules_loaded(rules: RuleSet, **notes: Collection[object]) -> None:
    """Logs the rules in force. Of the ``notes`` on a reload those are logged that are not empty."""
    found = {name: list(lines) for name, lines in notes.items() if lines}
    log.info("rules.loaded", count=len(rules.rules), revision=rules.revision, **found)


def log_rules_rejected(errors: list[str]) -> None:
    log.error("rules.rejected", errors=errors)


def log_reload_failed(error: Exception) -> None:
    """Logs a bug in a reload; called while the exception is handled."""
    log.exception("rules.rejected", errors=[f"a bug: {type(error).__name__}"])


def log_rules_last_good(revision: str, errors: tuple[str, ...]) -> None:
    log.error("rules.last_good", revision=revision, errors=list(errors))


def log_rules_not_kept(message: str) -> None:
    log.warning("rules.not_kept", message=message)


def log_rules_watch_degraded(error: Exception) -> None:
    log.warning("rules.watch_degraded", message=f"{type(error).__name__}: {error}")


def log_rules_unresolved(message: str) -> None:
    log.error("rules.unresolved", message=message)


def log_directory_changed(*, rule: str, message: str) -> None:
    log.warning("directory.changed", rule=rule, message=message)


# Cycles.


def log_cycle_finished(fields: Mapping[str, Any], *, mode: Mode, revision: str, calls: Mapping[str, int]) -> None:
    log.info("cycle.finished", mode=mode.value, revision=revision, calls=dict(calls), **fields)


def log_cycle_late(*, cycle: int, seconds: float, every: float) -> None:
    log.warning("cycle.late", cycle=cycle, seconds=round(seconds, 3), every_s=every)


def log_cycle_failed(cycle: int) -> None:
    """Logs a bug in a cycle; called while the exception is handled."""
    log.exception("cycle.failed", cycle=cycle)


def log_follow_failed() -> None:
    """Logs a bug in the tracking of moved contacts; called while the exception is handled."""
    log.exception("follow.failed")


def log_guard_reached(*, cycle: int, guard: str, waiting: int, transferred: int, drain_s: float | None) -> None:
    """Logs that a limit delays contacts. ``drain_s`` is how many seconds they need at the present pace."""
    log.warning(
        "guard.reached",
        cycle=cycle,
        guard=guard,
        waiting=waiting,
        transferred=transferred,
        drain_s=drain_s,
        order="most overdue first",
    )


def log_flow_suspended(*, flow: str | None, limit: int) -> None:
    log.error("flow.suspended", flow=flow, limit=limit)


def log_flow_resumed(*, flow: str | None, strays: int, who: str) -> None:
    log.info("flow.resumed", flow=flow, strays=strays, who=who)


# Amazon Connect, the ledger and the clock.


def log_search_failed(failure: Failure, *, cycle: int) -> None:
    log.warning("search.degraded", cycle=cycle, error=failure.code, message=failure.message)


def log_metrics_late() -> None:
    """Logs that the metrics of the queues are not there in time for a search."""
    message = "no response within 2 s: the queues are searched without the metrics"
    log.warning("api.failing", operation="GetCurrentMetricData", error="NoAnswerYet", message=message)


def log_row_unreadable(contact_id: ContactId | None, problem: str) -> None:
    log.warning("search.degraded", error="UnreadableRow", message=problem, contact_id=contact_id)


def log_filter_refused(message: str) -> None:
    """Logs that Amazon Connect does not accept the search's filter."""
    log.warning("search.degraded", error="FilterRefused", message=message)


def log_instance_unreachable(failure: Failure, *, retry_in: float) -> None:
    """Logs that the instance cannot be read at the start. ``retry_in`` is in seconds."""
    refused = isinstance(failure, Denied | Unauthenticated)
    write, event = (log.error, "api.denied") if refused else (log.warning, "search.degraded")
    write(event, error=failure.code, message=failure.message, retry_in_s=round(retry_in, 3))


def log_denied(failure: Failure | Full, **fields: str | None) -> None:
    """Logs a refused permission or refused credentials. ``fields`` are ``operation``, ``flow`` and ``stops``."""
    log.error("api.denied", error=failure.code, message=failure.message, **fields)


def log_notify_failed(failure: Failure | Full, *, waiting: int | None) -> None:
    """Logs that a notice could not be published. ``waiting`` is how many are to be sent."""
    log.error("notify.failed", error=failure.code, message=failure.message, waiting=waiting)


def log_notify_broken() -> None:
    """Logs a bug in the thread that sends notices; called while the exception is handled."""
    log.exception("notify.failed")


def log_notify_recovered(*, sent: int) -> None:
    log.info("notify.recovered", sent=sent)


def log_notify_held_back(*, waiting: int, seconds: float) -> None:
    """Logs that the hour's notices are used up. ``seconds`` is the time until the rest is counted in one notice."""
    log.warning("notify.held_back", waiting=waiting, seconds=round(seconds, 3))


def log_events_silent(quiet: timedelta) -> None:
    """Logs that contacts come and go, and no event arrives."""
    log.warning("events.silent", silent_s=round(quiet.total_seconds(), 3))


def log_events_returned() -> None:
    log.info("events.returned")


def log_events_failed(operation: str, failure: Failure | Full) -> None:
    """Logs that the queue of events refuses a call, or does not answer."""
    write = log.error if isinstance(failure, Denied | Rejected | Unauthenticated) else log.warning
    write("events.failed", operation=operation, error=failure.code, message=failure.message)


def log_events_broken() -> None:
    """Logs a bug in a thread that handles events; called while the exception is handled."""
    log.exception("events.failed")


def log_events_recovered() -> None:
    log.info("events.recovered")


def log_quotas_read(*, read: int, others: Mapping[str, float]) -> None:
    log.info("quotas.read", read=read, others=dict(others))


def log_quotas_unread(problem: Exception) -> None:
    log.warning("quotas.unread", message=str(problem))


def log_clock_skew(skew: timedelta, *, warns: bool, stops: bool) -> None:
    write = log.error if stops else log.warning
    write("clock.skew", skew_s=round(skew.total_seconds(), 3), warns=warns, stops=stops)


def log_ledger_created(url: str) -> None:
    log.warning("ledger.created", url=url)


def log_ledger_exposed(findings: Iterable[str]) -> None:
    for finding in findings:
        log.warning("ledger.exposed", message=finding)


def log_ledger_failed(problem: LedgerUnavailable, **fields: Any) -> None:
    """Logs that the ledger could not be read or written. ``fields`` name the contact concerned, if there is one."""
    log.error("ledger.failed", message=str(problem), **fields)
