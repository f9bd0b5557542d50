import pytest
from structlog.testing import capture_logs

from tests.docs.test_log_events_page import CONTACT, fields_of, sections
from tests.e2e.bench import open_bench
from tests.e2e.centre import open_centre


@pytest.fixture(autouse=True)
def _credentials(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "sandbox")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sandbox")
    monkeypatch.delenv("AWS_PROFILE", raising=False)


@pytest.fixture
def behaviours():
    return None


@pytest.fixture
def centre(tmp_path, monkeypatch, behaviours):
    with open_centre(tmp_path, behaviours) as opened:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CONNECT", opened.sandbox.endpoint)
        yield opened


@pytest.fixture
def bench(tmp_path):
    with open_bench(tmp_path) as opened:
        yield opened


@pytest.fixture
def events():
    """Yields the log lines so far, each a dict. Each event that the service logs is on the page of log events."""
    with capture_logs() as lines:
        yield lines
    documented = sections()
    for line in lines:
        section = documented[line["event"]]
        said = set(line) - {"event", "log_level", "exc_info"}
        assert said <= fields_of(section) | CONTACT, line
        assert line["log_level"] in section.partition(".")[0], line
