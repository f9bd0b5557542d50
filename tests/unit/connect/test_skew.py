from datetime import datetime, timedelta
from email.utils import format_datetime

import pytest

from router.model import ContactId, RoutingData

pytestmark = pytest.mark.uses("threads", "sockets")


def dated(answer, at: datetime, status: int = 200) -> object:
    return answer(status, b"{}", {"Date": format_datetime(at, usegmt=True)})


@pytest.mark.parametrize("ahead", [timedelta(), timedelta(minutes=7), timedelta(minutes=-7)])
@pytest.mark.parametrize("status", [200, 403])
def test_the_difference_is_local_time_less_connects(canned, connection, answer, time, ahead, status):
    canned.says(dated(answer, time.now() - ahead, status))
    connection.mover.reroute(contact_id=ContactId("c"), routing=RoutingData(priority=1))
    assert abs(connection.skew() - ahead) <= timedelta(seconds=1)


def test_before_the_first_answer_and_without_a_date_nothing_is_known(canned, connection, answer, time):
    assert connection.skew() is None
    canned.says(answer(200), answer(200, b"{}", {"Date": "tomorrow"}), dated(answer, time.now()))
    for known in (False, False, True):
        connection.mover.reroute(contact_id=ContactId("c"), routing=RoutingData(priority=1))
        assert (connection.skew() is not None) is known
