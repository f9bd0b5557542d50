import pytest

from tests.builders.execution import ExecutionBench


@pytest.fixture
def bench():
    bench = ExecutionBench()
    yield bench
    bench.close()
