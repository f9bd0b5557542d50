"""Writes JUnit XML for CI systems. For ``check`` it has a test case for every example and finding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from router.cli.errors import CommandFailed
from router.cli.output.promises import problems
from router.problems import Problem, printable
from router.prove.examples import ExampleResult

if TYPE_CHECKING:
    from router.prove.promises.verdict import PromiseVerdict

SUITE = "connect-router check"
NOTHING_DENIED: Mapping[str, str] = {}


def write_junit(
    path: Path,
    findings: Sequence[Problem],
    examples: Sequence[ExampleResult],
    short: str | None,
    denied: Mapping[str, str] = NOTHING_DENIED,
    verdicts: Sequence[PromiseVerdict] = (),
    *,
    strict: bool = False,
) -> None:
    """Writes the file. Raises ``CommandFailed`` if it cannot be written.

    ``findings``: those that count as failures. ``short``: how far coverage is below its minimum, in words. ``denied``:
    the operations that IAM denies, with AWS's messages. ``strict``: a promise that is
    neither proved nor broken counts as a failure."""
    suite = ElementTree.Element("testsuite", name=SUITE)
    for finding in findings:
        case = _case(suite, "proof", finding.file, finding.line, f"line {finding.line}, column {finding.column}")
        ElementTree.SubElement(case, "failure", message=printable(finding.message)).text = str(finding)
    for example in examples:
        case = _case(suite, "example", example.place.file, example.place.line, example.name)
        if not example.passed:
            text = f"{example.place}: {example.message}"
            ElementTree.SubElement(case, "failure", message=printable(example.message)).text = printable(text)
    for verdict in verdicts:
        place = verdict.promise.place
        case = _case(suite, "promise", place.file, place.line, verdict.promise.name)
        wrong = next(iter(problems([verdict])), None)
        if wrong is not None and (strict or wrong.severity == "error"):
            text = "\n".join([str(wrong), *(cause.example for cause in verdict.causes)])
            ElementTree.SubElement(case, "failure", message=printable(wrong.message)).text = text
    if short is not None:
        case = ElementTree.SubElement(suite, "testcase", classname="coverage", name="min-coverage")
        ElementTree.SubElement(case, "failure", message=short).text = short
    for operation, message in denied.items():
        case = ElementTree.SubElement(suite, "testcase", classname="permission", name=f"connect:{operation}")
        line = printable(f"IAM denies connect:{operation}, which these rules need ({message})")
        ElementTree.SubElement(case, "failure", message=line).text = line
    write_suite(suite, path, "check")


def write_cases(path: Path, command: str, cases: Sequence[tuple[str, str, str | None]]) -> None:
    """Writes test cases, each with its class, its name and why it failed, or ``None``. Raises ``CommandFailed``."""
    suite = ElementTree.Element("testsuite", name=f"connect-router {command}")
    for classname, title, failure in cases:
        case = ElementTree.SubElement(suite, "testcase", classname=printable(classname), name=printable(title))
        if failure is not None:
            ElementTree.SubElement(case, "failure", message=printable(failure)).text = printable(failure)
    write_suite(suite, path, command)


def write_suite(suite: ElementTree.Element, path: Path, command: str) -> None:
    """Counts the cases of a suite, and writes it. Raises ``CommandFailed`` if the file cannot be written."""
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(sum(1 for case in suite if len(case))))
    suite.set("errors", "0")
    try:
        ElementTree.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)
    except OSError as error:
        line = printable(f"connect-router {command}: --junit {path}: {error.strerror}")
        raise CommandFailed(line, misconfigured=True) from None


def _case(suite: ElementTree.Element, kind: str, file: str, line: int, name: str) -> ElementTree.Element:
    classname = f"{kind}.{printable(file)}"
    return ElementTree.SubElement(
        suite, "testcase", classname=classname, name=printable(name), file=printable(file), line=str(line)
    )
