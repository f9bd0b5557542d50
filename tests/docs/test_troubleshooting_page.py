"""Checks that the product prints the texts that docs/troubleshooting.md quotes."""

import re
from pathlib import Path

import pytest

from router.decide.tried_rule import Role
from router.model.contact import Standing

TEXT = (Path(__file__).parents[2] / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
LATE = TEXT.partition("## A late contact was not moved: why?")[2].partition("\n## ")[0]


@pytest.mark.parametrize(
    "role", ["matches and excludes the contact", "has finished with this wait", "does not match", "governs"]
)
def test_what_explain_says_of_a_rule_is_quoted_as_it_says_it(role):
    assert role in {one.value for one in Role}
    assert f"`{role}`" in LATE


def test_every_standing_in_which_a_contact_does_not_wait_is_told():
    elsewhere = {one.value.replace("_", " ") for one in Standing} - {"waiting", "not movable"}
    [row] = [line for line in LATE.splitlines() if "in the second line" in line]

    assert set(re.findall(r"`([a-z ]+)`", row)) == elsewhere
