import pytest
from structlog.testing import capture_logs

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
def events():
    """The log lines so far, each a dict."""
    with capture_logs() as lines:
        yield lines
