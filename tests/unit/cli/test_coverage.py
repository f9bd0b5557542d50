"""Tests ``check --coverage``, ``--min-coverage`` and ``--junit``: the coverage of the rules by their examples."""

import json
from xml.etree import ElementTree

HALF = (
    '[[example]]\nname = "early"\ncontact = { channel = "EMAIL", queue = "Billing", waited = "20m" }\n'
    'expect = { rule = "late", due = "10m" }\n'
)


def lines(done):
    return [line for line in done.out.splitlines() if line.startswith("rules/")]


def test_what_no_example_has_exercised_is_told_with_its_place(command):
    done = command("check", "--coverage")

    assert (done.status, done.err) == (0, "")
    assert lines(done) == [
        'rules/10-late.toml:9:11: channel = "EMAIL" fails in no example',
        'rules/10-late.toml:10:9: queue = "Billing" fails in no example',
        'rules/10-late.toml:18:7: "Overflow" of step 2 of "late" is chosen in no example',
    ]
    assert "coverage 70 %: 7 of 10" in done.out


def test_an_example_of_what_is_not_meant_exercises_the_other_side(command):
    command.rules.write_text(
        command.rules.read_text()
        + '[[example]]\nname = "a task"\ncontact = { channel = "TASK", queue = "Billing", waited = "5h" }\n'
        + 'expect = "nothing"\n'
        + '[[example]]\nname = "elsewhere"\ncontact = { channel = "EMAIL", queue = "Claims", waited = "5h" }\n'
        + 'expect = "nothing"\n'
        + '[[example]]\nname = "room"\ncontact = { channel = "EMAIL", queue = "Billing", waited = "2h" }\n'
        + "queues.Overflow = { slots_available = 1 }\n"
        + 'expect = { rule = "late", step = 2, queue = "Overflow" }\n'
    )

    done = command("check", "--coverage", "--min-coverage", "100")

    assert (done.status, lines(done)) == (0, [])
    assert "coverage 100 %: 10 of 10" in done.out


def test_below_the_least_share_it_exits_1_and_says_so(command):
    enough, short = command("check", "--min-coverage", "70"), command("check", "--min-coverage", "70.1")

    assert (enough.status, enough.err) == (0, "")
    assert (short.status, short.err) == (
        1,
        "connect-router check: the examples exercise 70 % of the rules, below 70.1 %\n",
    )
    assert "coverage" not in short.out, "only --coverage prints what is missing"


def test_a_share_that_is_none_is_wrong_usage(command):
    for text in ("101", "-1", "most", "nan"):
        done = command("check", f"--min-coverage={text}")
        assert (done.status, done.out) == (2, "")
        assert "--min-coverage: expected a percentage, 0 to 100" in done.err


def test_as_json_coverage_stands_beside_the_rest(command):
    told = json.loads(command("check", "--json", "--coverage").out)

    assert (told["coverage"]["percent"], told["coverage"]["total"]) == (70.0, 10)
    assert told["coverage"]["missing"][0] == {
        "file": "rules/10-late.toml",
        "line": 9,
        "column": 11,
        "message": 'channel = "EMAIL" fails in no example',
    }
    assert "coverage" not in json.loads(command("check", "--json").out)


def test_junit_has_a_case_for_every_example_and_every_finding(command):
    wrong = command.rules.read_text().replace('queue = "General" }\n', 'queue = "Overflow" }\n')
    command.rules.write_text(wrong + HALF)
    path = command.folder / "out.xml"

    done = command("check", "--junit", str(path), "--min-coverage", "100")
    suite = ElementTree.parse(path).getroot()
    waits = {wait.get("name"): wait for wait in suite}

    assert done.status == 1
    assert (suite.get("tests"), suite.get("failures")) == ("3", "2")
    assert waits["early"].find("failure") is None
    failure = waits["late"].find("failure")
    assert failure is not None
    assert str(failure.get("message")).startswith('expected queue "Overflow", got')
    assert (waits["late"].get("file"), waits["late"].get("line")) == ("rules/10-late.toml", "20")
    assert waits["min-coverage"].find("failure") is not None


def test_warnings_are_cases_only_where_they_count(command):
    command.rules.write_text(command.rules.read_text().replace('at = "50%"', 'at = "5s"'))
    path = command.folder / "out.xml"

    def failures(*options):
        command("check", "--junit", str(path), *options)
        return ElementTree.parse(path).getroot().get("failures")

    assert (failures(), failures("--strict")) == ("0", "1")


def test_names_with_markup_and_control_characters_leave_the_file_readable(command):
    hostile = 'name = "<b>&\\u202e"'
    command.rules.write_text(command.rules.read_text().replace('[[example]]\nname = "late"', f"[[example]]\n{hostile}"))
    path = command.folder / "out.xml"

    done = command("check", "--junit", str(path))

    if done.status == 0:
        (wait,) = ElementTree.parse(path).getroot()
        assert wait.get("name") == "<b>&\\u202e"
    else:
        assert "control characters" in done.err


def test_a_junit_file_that_cannot_be_written_is_one_line(command):
    done = command("check", "--junit", str(command.folder / "no" / "out.xml"))

    assert done.status == 2
    refused = f"connect-router check: --junit {command.folder}/no/out.xml: No such file or directory"
    assert done.err == f"{refused}: choose another file\n"
