"""Checks that docs/log-events.md has every event with its level and its fields, and nothing else."""

import ast
import json
import re
from functools import cache
from pathlib import Path

import pytest

import router
from router.events.messages import MESSAGES, OWN, message_of
from tests.docs.code_sentences import parsed

PAGE = Path(__file__).parents[2] / "docs" / "log-events.md"
TEXT = PAGE.read_text(encoding="utf-8")
NAMES = re.compile(
    r"(service|reload|rules|directory|cycle|follow|search|contact|flow|guard|api|quotas|clock|ledger|pause|lease|library"
    r"|log|control|notify|journal|events)\.[a-z_]+"
)
STAMPS = {"timestamp", "level", "event", "message"}
OMITTED = {"chain_id", "wait_id", "cycle", "revision"}
"""The contact fields that all samples but one omit."""
CONTACT = {"contact_id", "channel", "rule", "step"} | OMITTED
LEVELS = ("debug", "info", "warning", "error")


@cache
def sections():
    """Returns the text of the page for each event."""
    parts = re.split(r"^### `([a-z_.]+)`$", TEXT.partition("## Reasons of a hold")[0], flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def files_of_the_service():
    package = Path(router.__file__).parent
    others = ("acceptance", "cli", "sandbox", "settings")
    table = package / "events" / "messages.py"  # names all events, and writes none
    return [
        file for file in package.rglob("*.py") if file != table and file.relative_to(package).parts[0] not in others
    ]


@cache
def trees_of_the_service():
    return [parsed(file) for file in files_of_the_service()]


def events_in_code():
    """Returns the constants of the service's packages that have the form of an event's name."""
    constants = (
        node.value
        for tree in trees_of_the_service()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    return {constant for constant in constants if NAMES.fullmatch(constant)}


def event_calls():
    """Yields each call that writes a named event: the event, the method's name, the keywords."""
    for tree in trees_of_the_service():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name = node.args[0].value
                if isinstance(name, str) and NAMES.fullmatch(name):
                    method = node.func.attr if isinstance(node.func, ast.Attribute) else None
                    yield name, method, {keyword.arg for keyword in node.keywords if keyword.arg is not None}


def fields_of(section):
    rows = re.findall(r"^\| (.+?) \|", section, flags=re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([a-z_]+)`", row)}
    return named | (CONTACT if "contact fields" in rows else set())


def sample_of(section):
    (line,) = re.findall(r"^```json\n(.+)\n```$", section, flags=re.MULTILINE)
    return json.loads(line)


def test_every_event_of_the_code_is_on_the_page_and_every_event_of_the_page_in_the_code():
    assert set(sections()) == events_in_code()


@pytest.mark.parametrize("event", sections())
def test_the_sample_of_an_event_has_its_name_its_level_and_documented_fields(event):
    section = sections()[event]
    sample = sample_of(section)
    common = STAMPS | (CONTACT if event.startswith("contact.") else set())
    omitted = set() if event == "contact.transferred" else OMITTED

    assert sample["event"] == event
    assert sample["level"] in section.partition(".")[0]
    assert list(sample)[:4] == ["timestamp", "level", "event", "message"]
    assert set(sample) - common <= fields_of(section)
    assert common - omitted <= set(sample)


def test_every_event_has_a_sentence_and_every_sentence_an_event():
    assert set(sections()) == set(MESSAGES)


@pytest.mark.parametrize("event", sections())
def test_the_message_of_a_sample_is_the_one_that_the_code_writes(event):
    sample = sample_of(sections()[event])
    if sample["message"] == message_of({key: value for key, value in sample.items() if key != "message"}):
        return
    before, _, after = message_of({**sample, "message": "\0"}).partition("\0")

    if before or after:
        assert sample["message"].startswith(before)
        assert sample["message"].endswith(after)
    else:
        assert MESSAGES[event] == OWN


def test_what_the_code_writes_has_the_levels_and_fields_of_the_page():
    written = list(event_calls())

    assert len(written) > 25
    for event, method, keywords in written:
        section = sections()[event]
        assert keywords <= fields_of(section) | CONTACT, event
        if method in LEVELS:
            assert method in section.partition(".")[0], event


def test_the_recipes_ask_for_events_and_fields_that_exist():
    recipes = TEXT.partition("## Recipes")[2]
    selected = re.findall(r'event == "([a-z_.]+)"\) \| \[(.*?)\]', recipes)

    assert len(selected) == 2
    for event, wanted in selected:
        assert set(re.findall(r"\.([a-z_]+)", wanted)) <= fields_of(sections()[event]) | STAMPS | CONTACT
    assert set(re.findall(r'event ?==? ?"([a-z_.]+)"', recipes)) <= set(sections())
