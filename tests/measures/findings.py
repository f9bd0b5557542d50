"""Finds each line that breaks a countable rule of the project's language."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.measures import module_names, prose
from tests.measures.plain_words import left_column
from tests.measures.source import Module, Text, modules
from tests.measures.verbs import begins_with_a_verb, is_a_sentence

LONGEST_SENTENCE = 30
HISTORY = "CHANGELOG.md"
"""An entry of the changelog is read as a whole. On every other page a sentence is found alone, by a search."""
RULES = ("docstring", "sentence", "name", "class", "word", "long", "pronoun")


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A line that breaks a rule. ``rule`` is one of ``RULES``."""

    path: str
    line: int
    rule: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.reason}"


@dataclass(slots=True)
class Findings:
    """Holds the findings of a part of the tree, with the totals that percentages are made of."""

    found: list[Finding]
    functions: int = 0
    undocumented: int = 0
    sentences: int = 0
    words: int = 0

    def count(self, rule: str) -> int:
        return sum(finding.rule == rule for finding in self.found)


def of_code(code: Iterable[Module], *, tests: bool = False) -> Findings:
    """Checks Python modules. Of tests only docstrings and comments count: their literals are data."""
    findings = Findings([])
    for module in code:
        _docstrings(module, findings)
        texts = [*module.docstrings, *module.comments, *(() if tests else module.messages)]
        findings.found += _words(str(module.path), texts, code=True)
        if not tests and (reason := module_names.objection(module)):
            findings.found.append(Finding(str(module.path), 1, "name", reason))
    return findings


def _docstrings(module: Module, findings: Findings) -> None:
    path = str(module.path)
    for node in module.functions:
        if docstring := ast.get_docstring(node):
            findings.functions += 1
            first = prose.first_sentence(docstring)
            if not begins_with_a_verb(first):
                reason = f'{node.name}: "{_begin(first)}" does not begin with a verb'
                findings.found.append(Finding(path, node.body[0].lineno, "docstring", reason))
        else:
            findings.undocumented += 1
    named: list[tuple[str, ast.Module | ast.ClassDef]] = [("module", module.tree)]
    named += [(part.name, part) for part in module.classes]
    for name, part in named:
        first = prose.first_sentence(ast.get_docstring(part) or "")
        if first and not is_a_sentence(first):
            reason = f'{name}: "{_begin(first)}" is no sentence'
            findings.found.append(Finding(path, part.body[0].lineno, "sentence", reason))


def classes_of_one_name(code: Iterable[Module]) -> Iterator[Finding]:
    """Yields every class but the first of each name."""
    places: defaultdict[str, list[str]] = defaultdict(list)
    for module in code:
        for node in module.classes:
            if node.name in places:
                reason = f"class {node.name} has the name of {places[node.name][0]}"
                yield Finding(str(module.path), node.lineno, "class", reason)
            places[node.name].append(f"{module.path}:{node.lineno}")


def of_page(root: Path, page: Path) -> Findings:
    """Checks a Markdown page: the length and the subjects of its sentences, and its words."""
    findings, path = Findings([]), str(page)
    for passage in prose.passages(root / page):
        findings.found += _words(path, [Text(passage.line, passage.text)], code=False)
        for sentence in () if passage.heading else prose.sentences(passage):
            if not sentence.complete:
                continue
            findings.sentences += 1
            findings.words += sentence.length
            if sentence.length > LONGEST_SENTENCE:
                reason = f'{sentence.length} words: "{_begin(sentence.text)}"'
                findings.found.append(Finding(path, sentence.line, "long", reason))
            if page.name != HISTORY and prose.begins_with_a_pronoun(sentence.text):
                reason = f'"{_begin(sentence.text)}" begins with a pronoun: name the thing again'
                findings.found.append(Finding(path, sentence.line, "pronoun", reason))
    return findings


def together(parts: Iterable[Findings]) -> Findings:
    whole = Findings([])
    for part in parts:
        whole.found += part.found
        whole.functions += part.functions
        whole.undocumented += part.undocumented
        whole.sentences += part.sentences
        whole.words += part.words
    return whole


def pages(root: Path, under: Path) -> list[Path]:
    start = root / under
    files = [start] if start.is_file() else sorted(start.rglob("*.md"))
    return [file.relative_to(root) for file in files if file.suffix == ".md"]


@cache
def of_path(root: Path, under: Path) -> Findings:
    """Checks a file or a folder of code or of pages, a path relative to ``root``."""
    code = modules(root, under)
    checked = [of_code([module], tests=module.path.parts[0] == "tests") for module in code]
    return together([*checked, *(of_page(root, page) for page in pages(root, under))])


def _words(path: str, texts: Iterable[Text], *, code: bool) -> Iterator[Finding]:
    for text in texts:
        for position, word, instead in left_column(text.text, code=code):
            line = text.line + text.text.count("\n", 0, position)
            yield Finding(path, line, "word", f'"{word}": write {instead}')


def _begin(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"
