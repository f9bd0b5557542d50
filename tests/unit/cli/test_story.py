"""Tests the story of the demo: its sentences are of the router's first complete look and of its last."""

from datetime import timedelta
from types import SimpleNamespace

from router.cli.demo.story import Story, in_time
from router.cli.demo.tally import DemoTally
from router.decide.decide import Promise
from router.model import Directory, QueueId
from router.search.progress import SearchProgress
from router.telemetry.cycle_report import CycleReport
from router.telemetry.glance import Glance, QueueGlance


def queue(name, *, waiting=10, late=0, promised=0, ungoverned=0, minutes=0):
    promise = Promise("r", timedelta(minutes=30), timedelta(minutes=30 + minutes)) if promised else None
    return QueueGlance(
        queue_id=QueueId(name), waiting=waiting, due=0, late=late, promised=promised, ungoverned=ungoverned,
        oldest_at=None, promise=promise,
    )  # fmt: skip


def seen(*queues, complete=True):
    return CycleReport(glance=Glance(queues=queues), search=SearchProgress(begun=complete))


def told(*reports, unmet=()):
    app = SimpleNamespace(names=SimpleNamespace(directory=Directory()))
    stage = SimpleNamespace(report=None, app=app, unmet_queues=lambda: unmet)
    story = Story(stage)  # type: ignore[arg-type]
    for report in reports:
        story.stage.report = report  # type: ignore[misc]
        story.look()
    tally = DemoTally()
    for way in ("Billing -> Overflow", "Billing -> Overflow", "Claims -> VIP"):
        tally.routes[way] += 1
    tally.answered = 2
    return story, dict(story.chapters(tally))


def test_the_story_compares_the_first_complete_look_with_the_last():
    first = seen(queue("Billing", late=4, promised=8, minutes=90), queue("Claims", late=1, promised=2, minutes=5))
    last = seen(queue("Billing", promised=6), queue("General", waiting=9, ungoverned=9))

    story, chapters = told(None, seen(queue("Billing"), complete=False), first, last)

    assert chapters == {
        "late": "after the first cycle 5 of 10 with a promise (Billing 4, Claims 1), the latest by 1h30m;"
        " after the last nobody",
        "moved": "3, of which agents have answered 2: Billing -> Overflow 2, Claims -> VIP 1",
        "in time": "50% of the contacts with a promise after the first cycle, 100% after the last",
        "no rule": "looks after General",
    }
    assert story.headline() == "in time: 50% after the first cycle, 100% now"


def test_queues_that_no_rule_names_are_not_searched_and_named_all_the_same():
    _, chapters = told(seen(queue("Billing", promised=6)), unmet=[("Returns", 2)])

    assert chapters["no rule"] == "looks after Returns"


def test_without_a_complete_look_there_is_no_share():
    story, chapters = told(seen(queue("Billing", late=1, promised=1), complete=False))

    assert (story.headline(), chapters["late"]) == (
        "the first look at all contacts is under way",
        "no look was complete",
    )
    assert "in time" not in chapters


def test_the_share_in_time_is_rounded_down():
    assert in_time(Glance(queues=(queue("Billing", late=1, promised=300),))) == 99
    assert in_time(Glance(queues=(queue("General", ungoverned=10),))) is None
