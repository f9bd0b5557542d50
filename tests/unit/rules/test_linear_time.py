"""Runs regular expressions that would hang other engines for years; here they take milliseconds."""

import time

import pytest

from tests.unit.rules.test_match import fits

LONG = "a" * 4_095 + "!"
"""As much of a value as is looked at, made so that the expression fails at its very end."""

EVIL = [
    "(a+)+",
    "(a|aa)+",
    "(a|a?)+",
    "(.*a){20}",
    "([a-z]+)*",
    "(a*)*(a*)*(a*)*",
    "^(([a-z])+.)+[A-Z]([a-z])+",
    "(?:a?){500}a{500}",
]


@pytest.mark.parametrize("expression", EVIL)
def test_an_expression_that_backtracking_would_never_end_is_decided_at_once(expression):
    began = time.process_time()
    for _ in range(20):
        assert not fits(f'attributes.note = {{ matches = "{expression}" }}', attributes__note=LONG)
    assert time.process_time() - began < 10, "seconds of this process for twenty; a backtracking engine needs years"


@pytest.mark.parametrize("stars", [10, 100])
def test_so_is_a_glob_with_many_stars(stars):
    began = time.process_time()
    assert not fits(f'name = "{"a*" * stars}b"', name="a" * 32_768)
    assert time.process_time() - began < 10


def test_what_stands_behind_the_first_4096_characters_is_not_looked_at():
    assert fits('attributes.note = { matches = "a+" }', attributes__note="a" * 4_096 + "b" * 32_768)
