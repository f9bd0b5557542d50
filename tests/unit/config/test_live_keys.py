"""Checks which keys a reload may change: the page lists the same keys as the program, and each of them exists."""

import re
from pathlib import Path

from router.daemon.reload import LIVE
from router.settings.sources import keys

PAGE = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text(encoding="utf-8")


def test_the_page_lists_exactly_the_keys_that_take_effect_at_once():
    section = PAGE.partition("### What a reload changes")[2].partition("\n## ")[0]

    assert {tuple(name.split(".")) for name in re.findall(r"`([a-z_]+(?:\.[a-z_]+)+)`", section)} == LIVE


def test_each_of_them_is_a_key():
    assert set(keys()) >= LIVE
