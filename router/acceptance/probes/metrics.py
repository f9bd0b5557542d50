"""Watches the number of contacts in a queue grow and fall. It runs first, because it needs a queue at rest."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from router.acceptance.lab import Lab, enqueued_at
from router.acceptance.probe import SeenValue, Unsettled, probe
from router.acceptance.probes.measurements import Span, count_in_queue, lag_of

SHOWS_WITHIN = timedelta(minutes=15)
AGREE_WITHIN = 20.0
"""Seconds."""


def metrics_watch(lab: Lab) -> list[Span]:
    """Starts tasks, and watches the number of contacts in the queue grow and fall."""
    queue_id = lab.resources.queue_a
    if lab.wait_until(lambda: None if count_in_queue(lab, queue_id)[0] else True, within=SHOWS_WITHIN) is None:
        raise Unsettled("by the metrics, queue A is not empty")
    contact_id = lab.queued_task("metrics")
    queued = enqueued_at(lab.describe(contact_id))
    assert queued is not None
    return [
        _until_count(lab, queue_id, lambda count: count > 0),
        _until_count(lab, queue_id, lambda count: count == 0, stopped=contact_id),
    ]


def _until_count(lab: Lab, queue_id: str, shown: Callable[[float], bool], *, stopped: str | None = None) -> Span:
    if stopped is not None and not lab.stop(stopped).ok:
        raise Unsettled("StopContact failed")
    began = unseen = lab.clock.monotonic()

    def look() -> Span | None:
        nonlocal unseen
        count, _ = count_in_queue(lab, queue_id)
        now = lab.clock.monotonic()
        if shown(count):
            return Span(unseen - began, now - began)
        unseen = now
        return None

    span = lab.wait_until(look, within=SHOWS_WITHIN, every=0.5)
    if span is None:
        raise Unsettled("the metrics did not show a change of the number of waiting contacts")
    return span


@probe("metrics_lag", "How far are the real-time metrics behind?")
def metrics_lag(lab: Lab) -> SeenValue:
    spans = lab.once(metrics_watch)
    apart = max(span.least for span in spans) - min(span.most for span in spans)
    if apart > AGREE_WITHIN:
        raise Unsettled(f"two measurements are {apart:.0f} s apart")
    return lag_of(spans)
