"""Tests how a lag follows from bounds."""

from datetime import timedelta

import pytest

from router.acceptance.probe import Unsettled
from router.acceptance.probes.index import Watch
from router.acceptance.probes.measurements import Span, lag_of


@pytest.mark.parametrize(
    ("spans", "seconds"),
    [
        ([Span(0.0, 2.5), Span(-1.0, 1.0)], 0),
        ([Span(28.0, 30.5), Span(29.5, 32.0)], 30),
        ([Span(1.0, 2.0), Span(10.0, 12.0), Span(100.0, 110.0)], 11),
    ],
    ids=["it shows at the first look", "the bounds narrow each other", "the lag varies: the median"],
)
def test_a_lag_is_what_all_samples_have_in_common_or_their_median(spans, seconds):
    assert lag_of(spans).value == timedelta(seconds=seconds)


def test_a_known_part_of_the_lag_does_not_count():
    assert lag_of([Span(74.0, 76.0)], less=30.0).value == timedelta(seconds=45)


def test_nothing_follows_from_no_sample():
    with pytest.raises(Unsettled):
        lag_of([])


def test_a_watch_bounds_the_time_by_the_last_look_without_and_the_first_with_the_contact():
    watch = Watch()
    watch.expect("a", 10.0)
    watch.look(lambda _: False, 12.0)
    watch.look(lambda _: False, 14.5)
    assert not watch.complete
    watch.look(lambda _: True, 17.0)
    watch.look(lambda _: True, 19.5)
    assert watch.complete
    assert watch.spans == {"a": Span(4.5, 7.0)}
