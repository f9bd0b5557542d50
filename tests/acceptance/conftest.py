import pytest

from tests.acceptance.bench import open_bench


@pytest.fixture(autouse=True)
def _credentials(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "sandbox")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sandbox")
    monkeypatch.setenv("AWS_ENDPOINT_URL_CONNECT", "set by each bench")


@pytest.fixture
def bench():
    with open_bench(length="quick") as opened:
        yield opened
