"""Checks backtests on the journal of a service that worked over HTTP."""

import json
from xml.etree import ElementTree

import pytest

from router.cli import main
from router.rules.rule import Mode
from tests.e2e.test_hours import daily
from tests.e2e.test_journal import HOUR, MINUTE, RULES, TOLD, worked

WINDOW = ("--from", "2d", "--to", "2100-01-01T00:00:00Z")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Returns the folder of the journal of two hours, with attributes, hours and metrics in the rules."""
    return tmp_path_factory.mktemp("recorded")


@pytest.fixture
def journal(centre, recorded):
    """Returns the journal, which the first test writes."""
    folder = recorded / "journal"
    if not folder.exists():
        centre.world.add_hours("Office", week=daily(centre.clock.now(), opens=-3 * HOUR, closes=HOUR / 2))
        centre.world.add_user("ann", queues=["General"], slots={"TASK": 2, "EMAIL": 2})
        for minutes in (5, 12, 29, 31, 45):
            centre.world.enqueue("TASK", "Billing", waited=minutes * MINUTE, attributes=TOLD)
        for minutes in (1, 40, 70, 90, 100, 130):
            centre.world.enqueue("EMAIL", "Billing", waited=minutes * MINUTE)
        worked(centre, Mode.ENFORCE, **{"journal.attributes": True, "journal.path": str(folder)})
    return folder


@pytest.fixture
def backtest(journal, tmp_path, capsys):
    def run(rules, *more):
        path = tmp_path / "b.toml"
        path.write_text(rules)
        status = main(["backtest", "--journal", str(journal), "--against", str(path), *WINDOW, *more])
        done = capsys.readouterr()
        return status, done.out, done.err

    return run


def kinds(output):
    return {(one["kind"], one["act"], one["rule"]) for one in json.loads(output)["differences"]}


def test_the_rules_then_in_force_decide_every_decision_again_and_do_not_differ_from_themselves(backtest):
    status, out, err = backtest(RULES, "--json", "--same")
    report = json.loads(out)
    assert (status, err) == (0, "")
    assert report["repeated"]["decisions"] > 20
    assert (report["repeated"]["different"], report["repeated"]["not_judged"]) == (0, 0)
    assert report["differences"] == []
    assert report["not_judged"] == {}
    assert report["contacts"] > 10
    status, out, _ = backtest(RULES)
    assert "A repeated on the journal: 0 of" in out
    assert out.splitlines()[-1].startswith("0 of ")


def test_an_earlier_step_acts_earlier_and_on_contacts_that_were_not_moved(backtest):
    status, out, _ = backtest(RULES.replace('at = "30m"', 'at = "15m"'), "--json")
    assert status == 0
    assert kinds(out) <= {("earlier", "transfer", "vip"), ("now", "transfer", "vip"), ("elsewhere", "transfer", "vip")}
    assert ("earlier", "transfer", "vip") in kinds(out)


def test_the_number_of_contacts_is_that_of_the_journal_whatever_the_other_rules_do(backtest):
    last = 'at = "breach"\nto = [{ queue = "General" }]'
    reports = [
        json.loads(backtest(text, "--json")[1])
        for text in (RULES, RULES.replace(last, "at = \"breach\"\nwarn = 'late'"))
    ]
    assert reports[0]["contacts"] == reports[1]["contacts"]
    assert set(reports[1]["not_judged"]) == {"an earlier act on their chain would have been different"}


def test_a_rule_that_is_taken_away_no_longer_acts(backtest):
    _, out, _ = backtest(RULES[: RULES.index('[[rule]]\nname = "office"')], "--json")
    assert kinds(out) == {("no_longer", "warn", "office"), ("no_longer", "transfer", "office")}


def test_another_destination_is_elsewhere_and_the_figure_opens_to_contacts(backtest):
    last = 'at = "breach"\nto = [{ queue = "General" }]'
    rules = RULES.replace(last, last.replace("General", "Supervisors"))
    _, out, _ = backtest(rules, "--json")
    ids = {one["contact_id"] for one in json.loads(out)["differences"]}
    assert kinds(out) == {("elsewhere", "transfer", "office")}
    assert ids
    _, out, _ = backtest(rules, "--show", "~office")
    assert {line.split()[0] for line in out.splitlines() if line[:8] in {one[:8] for one in ids}} == ids


def test_a_limit_that_would_have_held_contacts_is_counted(backtest):
    _, out, _ = backtest(RULES.replace("per_cycle = 2", "per_hour = 1"), "--json")
    assert json.loads(out)["limits"]["per_hour"] > 0


def test_values_that_the_journal_does_not_have_are_not_judged(backtest):
    _, out, _ = backtest(RULES.replace("attributes.tier", "attributes.language"), "--json")
    report = json.loads(out)
    assert report["differences"] == []
    assert set(report["not_judged"]) == {"the history has no values of customers (journal.attributes)"}


def test_a_backtest_that_judges_no_contact_is_no_success(backtest):
    status, out, err = backtest(RULES.replace("attributes.tier", "attributes.language"), "--same")
    assert (status, err) == (1, "connect-router backtest: no contact could be judged; the report shows why\n")
    assert "0 of 0 contacts differ" in out


def test_junit_has_a_case_for_each_figure_and_status_1_is_chosen(backtest, tmp_path):
    file = tmp_path / "found.xml"
    status, _, _ = backtest(RULES.replace('at = "30m"', 'at = "15m"'), "--same", "--junit", str(file))
    assert status == 1
    suite = ElementTree.parse(file).getroot()
    assert suite.get("name") == "connect-router backtest"
    assert int(suite.attrib["failures"]) == int(suite.attrib["tests"]) - 1 > 0


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (["--from", "yesterday"], "expected 2026-11-22T10:00:00Z"),
        (["--from", "2026-11-22T10:00:00"], "needs its offset"),
        (["--from", "2026-11-22T10:00:00Z", "--to", "2026-11-21T10:00:00Z"], "--from must be before --to"),
        (["--show", "late"], "expected +RULE"),
        (["--show", "+lat"], "--show: no rule is called 'lat'"),
        (["--journal", "/nowhere"], "No such file"),
        (["--rules", "/nowhere"], "there is no such file"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(backtest, more, why):
    status, _, err = backtest(RULES, *more)
    assert status == 2
    assert why in err


def test_a_journal_and_records_exclude_each_other(backtest):
    status, _, err = backtest(RULES, "--records", "/nowhere")
    assert status == 2
    assert "--records is in place of --journal, except with --effects" in err


def test_a_time_or_a_file_without_contacts_is_no_success(backtest, tmp_path):
    status, _, err = backtest(RULES, "--from", "400d", "--to", "399d")
    assert (status, "has no contacts of this time" in err) == (1, True)
    (tmp_path / "empty").mkdir()
    status, _, err = backtest(RULES, "--journal", str(tmp_path / "empty"))
    assert (status, "has no contacts of this time" in err) == (1, True)
    (tmp_path / "plain.jsonl.gz").write_text("no gzip")
    status, _, err = backtest(RULES, "--journal", str(tmp_path / "plain.jsonl.gz"))
    assert (status, "plain.jsonl.gz, byte 0" in err) == (1, True)
