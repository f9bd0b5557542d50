"""Proves the checker on sentences of which people know whether they are right."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.measures import module_names, prose
from tests.measures.findings import classes_of_one_name, of_code, of_page
from tests.measures.plain_words import left_column
from tests.measures.shape import fields, without_a_unit_test
from tests.measures.source import Module
from tests.measures.verbs import begins_with_a_verb, is_a_sentence, third_person


@pytest.mark.parametrize(
    "sentence",
    [
        "Returns the oldest contact.", "Moves the contact to another queue.", "Waits for a token.",
        "Records that it ended.", "Is called before each cycle.", "Queues the contact again.",
        "Carries out one update.", "Counts one HTTP call.", "Searches until the next poll is due.",
        "Returns ``None`` if the contact has ended.", "Reports which contacts wait.", "Returns which of them ended.",
    ],
)  # fmt: skip
def test_a_verb_is_recognised(sentence: str):
    assert begins_with_a_verb(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "Contacts that have not ended.", "Seconds since the epoch.", "Moves of other contacts by the rule.",
        "As it was.", "Transfers that the chain has behind it.", "Rules with it are refused.",
        "Whether the contact has ended.", "", "Queues Billing and General.", "Return the oldest contact.",
        "``None`` if it has ended.", "Its place in the queue.", "Attempts: all of them.",
        "Minutes after midnight.", "The oldest contact is returned.", "Records which were kept.",
    ],
)  # fmt: skip
def test_a_noun_is_not_taken_for_a_verb(sentence: str):
    assert not begins_with_a_verb(prose.first_sentence(sentence))


def test_the_third_person_is_formed():
    assert [third_person(verb) for verb in ("carry", "pass", "delay", "go", "have", "be")] == [
        "carries", "passes", "delays", "goes", "has", "is",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "sentence",
    [
        "Holds the settings of one poll.", "A contact that waits for an agent.",
        "The types that travel to a worker.", "The rules are tried in order.",
        "A queue counts the contacts in it.", "Contacts that have ended.",
    ],
)  # fmt: skip
def test_a_sentence_has_a_verb(sentence: str):
    assert is_a_sentence(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "The channels of Connect.", "What the search tells.", "Where a contact is.",
        "One router in two copies.", "Names, values, limits.", "A moved contact: it is followed.",
    ],
)  # fmt: skip
def test_a_fragment_is_no_sentence(sentence: str):
    assert not is_a_sentence(sentence)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It tells why, and\nsays so.", ["tells", "says"]),
        ("``tell`` and `ask` are names.", []),
        ("Waits in\nvain.", ["in vain"]),
        ("It asks no more.", ["asks", "no more"]),
        ("There are no more than five, and no more tokens.", []),
        ("None where it has ended", ["where"]),
        ("The queue where it waits", []),
        ("It is full, so the move waits, so that it fits.", ["so"]),
        ("Returns the answers that Connect gave.", []),
        ("Closes it, and answers whether it was open.", ["answers"]),
    ],
)
def test_words_to_replace_are_found(text: str, words: list[str]):
    assert sorted(word for _, word, _ in left_column(text, code=True)) == sorted(words)


def test_sentences_are_cut_at_their_ends_only():
    text = "Use a rule, e.g. CODE. It moves a contact.\nThen 2.5 seconds pass! Another one"
    assert [(one.line, one.text) for one in prose.sentences(prose.Passage(7, text))] == [
        (7, "Use a rule, e.g. CODE."), (7, "It moves a contact."), (8, "Then 2.5 seconds pass!"), (8, "Another one"),
    ]  # fmt: skip


def test_code_and_targets_of_links_are_no_prose_and_lines_stay(tmp_path: Path):
    page = """# Title that says it

<!-- told
asked -->
See [the page](told.md), `asked
twice` and

```sh
tell me
```

| key | means |
|---|---|
| `told` | it is told |
"""
    (tmp_path / "page.md").write_text(page, encoding="utf-8")

    found = of_page(tmp_path, Path("page.md"))

    assert [(one.line, one.reason.split(":")[0]) for one in found.found] == [(1, '"says"'), (14, '"told"')]
    assert [(one.line, one.text) for one in prose.passages(tmp_path / "page.md")][1] == (5, "See the page, CODE\nand")


@pytest.mark.parametrize(
    "sentence",
    [
        "It is read again.", "They count too.", "This counts too.", "Both are refused.", "**It fails**: 500 or 503.",
        "The latter is a bug.", "These do not move.", "The same holds for agents.",
    ],
)  # fmt: skip
def test_a_subject_that_is_only_a_pronoun_is_recognised(sentence: str):
    assert prose.begins_with_a_pronoun(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "Its place is lost.", "This page shows the figures.", "Both routers search.", "These rules load.",
        "The router reads it again.", "Items are counted.", "The same contact is read again.",
    ],
)  # fmt: skip
def test_a_subject_with_a_noun_is_not_taken_for_a_pronoun(sentence: str):
    assert not prose.begins_with_a_pronoun(sentence)


def test_a_long_sentence_is_found_and_a_paragraph_of_short_ones_is_not(tmp_path: Path):
    long = "word " * 31
    (tmp_path / "page.md").write_text(f"A short one. Another.\n\n- {long}\n- {'Six words are in this one. ' * 9}\n")

    found = of_page(tmp_path, Path("page.md")).found

    assert [(one.line, one.rule) for one in found] == [(3, "long")]


CODE = '''"""Holds one thing."""

class One:
    """The channels of Connect."""

    limit: int
    """Told to nobody."""

    def __init__(self):
        """What is made."""
        self.a = self.b = 1
        local = f"it {self.a} says"  # asked

    def name(self): ...

class One:
    """Sends ``asked`` contacts."""
'''


def test_a_module_is_checked_line_by_line():
    module = Module(Path("router/model/one.py"), CODE)

    checked = of_code([module])

    assert [(one.line, one.rule) for one in sorted(checked.found, key=lambda one: one.line)] == [
        (4, "sentence"), (7, "word"), (10, "docstring"), (12, "word"), (12, "word"),
    ]  # fmt: skip
    assert (checked.functions, checked.undocumented) == (1, 1)
    assert [one.line for one in classes_of_one_name([module])] == [16]
    assert [fields(node) for node in module.classes] == [3, 0]


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("landing_slots", True), ("live_check", True), ("last_good_rules", True), ("routing", True),
        ("recheck", True), ("acting", False), ("every", False), ("before_moves", False), ("shown", False),
        ("in_force", False), ("blocked", False), ("enforce", False), ("decide", True),
    ],
)  # fmt: skip
def test_the_name_of_a_module_is_judged(name: str, right: bool):
    module = Module(Path(f"router/some/{name}.py"), "def decide_now(): ...\n")
    assert (module_names.objection(module) is None) == right


def test_a_module_counts_as_tested_if_a_test_of_its_package_imports_it(tmp_path: Path):
    for path, text in {
        "router/safety/breakers.py": "", "router/safety/safety.py": "", "router/safety/__init__.py": "",
        "tests/unit/safety/test_breakers.py": "from router.safety import breakers\n",
        "tests/unit/other/test_safety.py": "import router.safety.safety\n",
    }.items():  # fmt: skip
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")

    assert without_a_unit_test(tmp_path) == ["router/safety/safety.py"]
    assert without_a_unit_test(tmp_path / "tests") is None
