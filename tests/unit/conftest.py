import logging

import pytest
import structlog

from router import logs


@pytest.fixture
def restored_logging():
    """Restores the logging configuration after the test, because other tests rely on it."""
    root, ours = logging.getLogger(), logging.getLogger(logs.OURS)
    handlers, levels, before = root.handlers[:], (root.level, ours.level), structlog.get_config()
    yield
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    ours.setLevel(levels[1])
    structlog.configure(**before)
