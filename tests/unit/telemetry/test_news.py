"""Checks what counts as news: a new subject, a changed state, or the same state after five minutes."""

from datetime import timedelta

import pytest

from router.news import NewsFilter

FIVE_MINUTES = 300.0


class Watch:
    seconds = 0.0

    def __call__(self):
        return self.seconds


@pytest.mark.parametrize(
    ("states", "news"),
    [
        ([None], [True]),
        ([None, None, None], [True, False, False]),
        (["denied", "denied"], [True, False]),
        (["denied", "throttled", "denied"], [True, True, True]),
    ],
)
def test_a_state_is_news_when_it_differs_from_the_last_one(states, news):
    logged = NewsFilter[object]()
    assert [logged.is_news("search", state) for state in states] == news


@pytest.mark.parametrize(("after", "news"), [(FIVE_MINUTES - 1, False), (FIVE_MINUTES, True)])
def test_a_state_that_lasts_is_news_again_after_five_minutes(after, news):
    watch = Watch()
    logged = NewsFilter[str](watch)
    logged.is_news("search", "denied")
    watch.seconds = after
    assert logged.is_news("search", "denied") is news


def test_the_five_minutes_are_counted_from_the_last_line_and_not_from_the_last_question():
    watch = Watch()
    logged = NewsFilter[str](watch)
    logged.is_news("search")
    watch.seconds = 200
    logged.is_news("search")
    watch.seconds = 400
    assert logged.is_news("search")


def test_the_pause_can_be_another_one():
    watch = Watch()
    logged = NewsFilter[str](watch, again_after=timedelta(seconds=10))
    logged.is_news("search")
    watch.seconds = 10
    assert logged.is_news("search")


def test_without_a_clock_a_state_is_never_news_twice_in_a_row():
    logged = NewsFilter[object]()
    assert [logged.is_news("search", "denied") for _ in range(1000)].count(True) == 1


def test_subjects_do_not_disturb_each_other():
    logged = NewsFilter[object]()
    assert [logged.is_news(subject, "full") for subject in ("c1", "c2", "c1", "c2")] == [True, True, False, False]


def test_a_state_that_was_known_to_begin_with_is_no_news():
    logged = NewsFilter[str](known={"clock": "agrees"})
    assert [logged.is_news("clock", state) for state in ("agrees", "differs", "agrees")] == [False, True, True]


def test_a_subject_that_was_forgotten_is_news_again():
    logged = NewsFilter[object]()
    logged.is_news("c1", "full")
    logged.forget("c1")
    logged.forget("never seen")
    assert logged.is_news("c1", "full")


def test_only_the_subjects_named_are_kept():
    logged = NewsFilter[object]()
    for subject in ("c1", "c2"):
        logged.is_news(subject)
    logged.keep_only({"c2", "c3"})
    assert (logged.is_news("c1"), logged.is_news("c2")) == (True, False)


def test_subjects_are_forgotten_by_a_rule():
    logged = NewsFilter[object]()
    for subject in (1, 2, 3):
        logged.is_news(subject)
    logged.forget_if(lambda subject: subject == 3)
    assert [logged.is_news(subject) for subject in (1, 2, 3)] == [False, False, True]


def test_the_subject_logged_longest_ago_is_forgotten_when_there_are_too_many():
    logged = NewsFilter[str](remembered=2)
    for subject in ("c1", "c2"):
        logged.is_news(subject, "full")
    logged.is_news("c1", "refused")
    logged.is_news("c3", "full")
    assert (logged.is_news("c1", "refused"), logged.is_news("c2", "full")) == (False, True)
