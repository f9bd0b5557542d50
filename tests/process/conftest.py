"""Runs real processes of the command, against a real sandbox over HTTP."""

import pytest

from tests.e2e.bench import end, open_bench, until_event


@pytest.fixture
def bench(tmp_path):
    with open_bench(tmp_path) as opened:
        yield opened


@pytest.fixture
def reading():
    return until_event


@pytest.fixture
def ending():
    return end
