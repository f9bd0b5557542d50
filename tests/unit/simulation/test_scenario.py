"""Checks scenarios: what they make, which mistakes are found, and that the command runs them."""

import json
import re
import sys
from collections import Counter
from xml.etree import ElementTree

import pytest

from router.cli.main import main
from router.problems import Problems
from router.runtime import install_command
from router.simulation.randomness import RandomStreams
from router.simulation.scenario import SimulationScenario
from router.simulation.scenario_tables import parse_simulation

CENTRE = """
days = 2
[[hours]]
name = "Office"
zone = "Europe/London"
week.MONDAY = ["09:00-17:00"]
week.TUESDAY = ["09:00-17:00"]
[[queue]]
name = "Billing"
promise = "20m"
[[queue]]
name = "General"
promise = "1h"
[[agent]]
username = "billing"
count = 3
queues = ["Billing"]
slots = { TASK = 1 }
hours = "Office"
[[agent]]
username = "general"
count = 3
queues = ["General"]
slots = { TASK = 1 }
hours = "Office"
[[handling]]
queue = "Billing"
mean = "6m"
[[arrivals]]
queue = "Billing"
names = ["Refund", "Invoice"]
zone = "Europe/London"
period = [{ days = ["MONDAY", "TUESDAY"], between = "09:00-16:00", per_minute = 0.55 }]
[[arrivals]]
queue = "General"
period = [{ days = ["MONDAY", "TUESDAY"], between = "09:00-16:00", per_minute = 0.2 }]
"""
RULES = """
[defaults]
flow = "Overflow"
[[rule]]
name = "billing"
match = { queue = "Billing" }
sla.target = "20m"
[[rule.step]]
at = "50%"
to = [{ queue = "General", slots_available = { min = 1 } }]
"""


@pytest.fixture
def files(tmp_path):
    (tmp_path / "centre.toml").write_text(CENTRE)
    (tmp_path / "rules.toml").write_text(RULES)
    return tmp_path


def command(files, *more):
    return main(["simulate", "--scenario", str(files / "centre.toml"), "--replications", "4", "--jobs", "1", *more])


def test_contacts_arrive_at_the_rates_of_the_periods():
    scenario = SimulationScenario(parse_simulation("centre.toml", CENTRE.encode()))
    many = [scenario.arrivals(RandomStreams(str(n))) for n in range(10)]
    counts = Counter(str(one.contact.queue_id) for arrivals in many for one in arrivals)
    assert counts["Billing"] == pytest.approx(10 * 2 * 420 * 0.55, rel=0.05)
    assert counts["General"] == pytest.approx(10 * 2 * 420 * 0.2, rel=0.08)
    assert {int(one.at // 3600 % 24) for arrivals in many for one in arrivals} == set(range(9, 16))
    assert {one.contact.name for one in many[0] if one.contact.queue_id == "Billing"} == {"Refund", "Invoice"}


def test_agents_work_in_their_hours():
    scenario = SimulationScenario(parse_simulation("centre.toml", CENTRE.encode()))
    team = scenario.centre(None).teams[0]
    assert team.agents == ("billing-1", "billing-2", "billing-3")
    assert team.presence is not None
    assert team.presence[:2] == ((32_400.0, 61_200.0), (118_800.0, 147_600.0))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('promise = "20m"', 'promise = "20"'), 'write the unit, as in "20s" or "20m"'),
        (('queues = ["Billing"]', 'queues = ["Biling"]'), "there is no queue 'Biling' (did you mean 'Billing'?)"),
        (("count = 3", "count = 0"), "must be at least 1, got 0"),
        (('hours = "Office"', 'hours = "Offices"'), "no hours of operation 'Offices' (did you mean 'Office'?)"),
        (('mean = "6m"', 'mean = "6m"\nshape = "lognormal"'), "only then"),
        (('mean = "6m"', 'mean = "6m"\nshape = "normal"'), "expected"),
        (('zone = "Europe/London"\nperiod', 'zone = "Europe/Londn"\nperiod'), "is no time zone"),
        (("per_minute = 0.2", "per_hour = 12"), "per_hour"),
        (('username = "general"', 'username = "billing"'), "occurs twice"),
        (("days = 2", 'days = 2\nwarm_up = "2d"'), "must be shorter than `days`"),
        (("days = 2", "days = 2\nsped = 3"), "sped"),
    ],
)
def test_a_mistake_is_found_with_its_place(change, message):
    assert change[0] in CENTRE
    with pytest.raises(Problems) as refused:
        parse_simulation("centre.toml", CENTRE.replace(change[0], change[1], 1).encode())
    assert all(problem.line > 0 for problem in refused.value.problems)
    assert message in str(refused.value)


def test_a_scenario_in_which_nothing_arrives_is_refused():
    with pytest.raises(Problems, match="nothing arrives"):
        parse_simulation("centre.toml", b"days = 1")


def test_the_command_compares_two_sets_of_rules(files, capsys):
    status = command(files, "--against", str(files / "rules.toml"), "--json", "--junit", str(files / "junit.xml"))
    found = json.loads(capsys.readouterr().out)
    rows = {(one["queue"], one["figure"]): one for one in found["effects"]}
    assert status == 0
    assert found["verdict"]["finding"] == "no harm"
    assert rows["Billing", "in_time"]["difference"]["low"] > 0
    assert rows["Billing", "moves"]["b"]["value"] > rows["Billing", "moves"]["a"]["value"] == 0
    assert rows["General", "wait"]["difference"]["value"] > 0
    assert rows["General", "wait"]["role"] == "receives"
    suite = ElementTree.parse(files / "junit.xml").getroot()
    assert [case.get("name") for case in suite] == ["Billing", "General"]
    assert suite.get("failures") == "0"


def test_the_command_reports_harm_with_its_exit_status(files, capsys):
    (files / "centre.toml").write_text(CENTRE.replace('promise = "1h"', 'promise = "1m"'))
    harmful = RULES.replace(", slots_available = { min = 1 }", "").replace('"50%"', '"1m"')
    (files / "rules.toml").write_text(harmful)
    status = command(files, "--against", str(files / "rules.toml"), "--junit", str(files / "junit.xml"), "--harm", "2%")
    out = capsys.readouterr().out
    assert (status, out.splitlines()[-1].split(":")[0]) == (1, "harm")
    assert 'in "General"' in out
    assert ElementTree.parse(files / "junit.xml").getroot().get("failures") == "1"


def test_the_same_seed_gives_the_same_result(files, capsys):
    def out(*more):
        command(files, "--json", *more)
        return capsys.readouterr().out

    assert out() == out()
    assert out("--seed", "2") != out()


@pytest.mark.uses("processes", "threads")
def test_the_number_of_processes_changes_nothing(files, capsys):
    command(files, "--json")
    alone = capsys.readouterr().out
    command(files, "--json", "--jobs", "2")
    assert capsys.readouterr().out == alone


def test_names_that_the_scenario_lacks_are_reported(files, capsys):
    (files / "rules.toml").write_text(RULES.replace('queue = "General"', 'queue = "Nowhere"'))
    command(files, "--rules", str(files / "rules.toml"))
    assert 'queue "Nowhere" does not exist' in capsys.readouterr().err


HOSTILE = 'G<b>&"$x$</title>'


def test_the_report_is_one_page_that_loads_nothing(files, capsys):
    pytest.importorskip("matplotlib")
    for name, text in (("centre.toml", CENTRE), ("rules.toml", RULES)):
        (files / name).write_text(text.replace('"General"', f"'{HOSTILE}'"))
    page = files / "report.html"
    assert command(files, "--against", str(files / "rules.toml"), "--html", str(page)) == 0
    text = page.read_text()
    assert HOSTILE not in text
    assert "G&lt;b&gt;&amp;" in text
    assert re.findall(r'(?:src|href|url)[=(]["\']?(?!#)(?!["\']#)', text) == []
    assert "<script" not in text
    assert "default-src 'none'" in text
    assert text.count("<svg") == 4
    assert re.findall(r"no harm|undecided|harm", text)[0] == "no harm"
    ids = re.findall(r'\bid="([^"]*)"', text)
    assert len(ids) == len(set(ids))


def test_the_report_is_the_same_for_the_same_seed(files, capsys):
    pytest.importorskip("matplotlib")
    for name in ("one.html", "two.html"):
        command(files, "--against", str(files / "rules.toml"), "--html", str(files / name))
    assert (files / "one.html").read_bytes() == (files / "two.html").read_bytes()


def test_without_matplotlib_one_line_shows_how_to_install_it(files, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert command(files, "--html", str(files / "report.html")) == 2
    line = f"connect-router: --html needs the package matplotlib: {install_command('matplotlib')}\n"
    assert capsys.readouterr().err == line
    assert not (files / "report.html").exists()


def test_a_report_that_cannot_be_written_is_one_line(files, capsys):
    pytest.importorskip("matplotlib")
    assert command(files, "--html", str(files / "missing" / "report.html")) == 2
    assert "--html" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "line"),
    [
        (["--days", "2"], "--days: the warm-up of the scenario takes 2d: simulate more days"),
        (["--days", "3661"], "--days: at most 3660 days can be simulated"),
    ],
)
def test_days_that_cannot_be_simulated_are_refused(files, capsys, more, line):
    (files / "centre.toml").write_text(CENTRE.replace("days = 2", 'days = 3\nwarm_up = "2d"'))
    assert command(files, *more) == 2
    assert capsys.readouterr().err == f"connect-router simulate: {line}\n"


def test_a_share_without_percent_is_refused_in_one_line(files, capsys):
    with pytest.raises(SystemExit) as ended:
        command(files, "--harm", "2")
    assert ended.value.code == 2
    assert "expected a share from 0% to 100%, such as 2% or 0.5% (see" in capsys.readouterr().err
