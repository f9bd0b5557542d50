"""Writes a run as JUnit XML: a test case for each probe and each step of the main job."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from router.acceptance.suite import Run, line_of
from router.problems import printable

SUITE = "connect-router acceptance"


def write_report(path: Path, run: Run) -> None:
    """Writes the file: an unsettled question is skipped, everything that was left behind is a failure.

    Raises ``OSError``."""
    suite = ElementTree.Element("testsuite", name=SUITE)
    for result in run.results:
        case = _case(suite, "probe", result.name)
        if result.unsettled is not None:
            ElementTree.SubElement(case, "skipped", message=printable(result.unsettled))
        output = "\n".join((result.question, line_of(result), *result.evidence))
        ElementTree.SubElement(case, "system-out").text = printable(output)
    for step in run.main_job:
        case = _case(suite, "main job", step.name)
        if step.problem is not None:
            ElementTree.SubElement(case, "failure", message=printable(step.problem))
    for line in run.left:
        ElementTree.SubElement(_case(suite, "cleaning", line), "failure", message=printable(line))
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("skipped", str(len(suite.findall("testcase/skipped"))))
    ElementTree.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)


def _case(suite: ElementTree.Element, kind: str, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", classname=kind, name=printable(name))
