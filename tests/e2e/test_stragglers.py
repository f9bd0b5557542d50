"""One contact whose reading hangs delays no other contact."""

import time
from datetime import timedelta

import pytest

from tests.e2e.centre import LATE_RULE
from tests.e2e.test_daemon import running, until

HOUR = timedelta(hours=1)
OTHERS = 12
HANGS_S = 7.0
WITHIN_S = 4.5
"""Two seconds of patience, and some for a machine that is busy."""
DETAILED = LATE_RULE.replace('queue = "Billing"\n', 'queue = "Billing"\nattributes.tier = "gold"\n')
BUMPING = LATE_RULE.replace('to = [{ queue = "Billing Overflow" }]', "routing = { priority = 1 }")
WARNING = LATE_RULE.replace('to = [{ queue = "Billing Overflow" }]', 'warn = "late"')


@pytest.fixture
def stuck(centre):
    """Returns the centre, with a contact that is late and whose reading hangs, and others that are due soon."""
    centre.stuck = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR, attributes={"tier": "gold"})

    hung: list[bool] = []

    def hang(params):
        if params["ContactId"] == centre.stuck and not hung:
            hung.append(True)
            time.sleep(HANGS_S)

    centre.sandbox.before("DescribeContact", hang)
    centre.others = {}
    for number in range(OTHERS):
        in_s = 1 + number / 4
        contact = centre.world.enqueue(
            "TASK", "Billing", waited=HOUR - timedelta(seconds=in_s), attributes={"tier": "gold"}
        )
        centre.others[contact] = time.monotonic() + in_s
    return centre


def acted_on(centre, contact):
    return centre.world.queue_of(contact) != "Billing" or centre.world.contact(contact).priority == 1


@pytest.mark.parametrize("rules", [LATE_RULE, BUMPING, DETAILED])
def test_the_others_are_acted_on_when_they_are_due(stuck, events, rules):
    app = stuck.router(rules, **{"poll.every": "10s"})
    stuck.disown(app)
    late = {}
    with running(app):

        def all_done():
            for contact, due in stuck.others.items():
                if contact not in late and acted_on(stuck, contact):
                    late[contact] = time.monotonic() - due
            return len(late) == OTHERS

        until(all_done, within=30)
        assert max(late.values()) < WITHIN_S, sorted(late.values())
        until(lambda: acted_on(stuck, stuck.stuck), within=30)


def test_the_others_are_warned_of_when_they_are_due(stuck, events):
    app = stuck.router(WARNING, **{"poll.every": "30s"})
    stuck.disown(app)

    def warned():
        lines = [one for one in events if one["event"] == "contact.warned"]
        return [one["late_s"] for one in lines if one["contact_id"] != stuck.stuck]

    with running(app):
        until(lambda: len(warned()) == OTHERS, within=20)
        assert max(warned()) < WITHIN_S
