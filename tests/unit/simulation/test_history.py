"""Checks what a simulation makes of a history, and the effects that ``backtest --effects`` finds in it."""

import contextlib
import json
from dataclasses import replace
from datetime import timedelta
from xml.etree import ElementTree

import pytest

from router.cli.main import main
from router.history.world import Leaving, Measured, Stay
from router.model import AgentId, Channel, ContactId, Directory, Queue, QueueId, QueueMetrics
from router.simulation.engine import Engine
from router.simulation.randomness import RandomStreams
from router.simulation.recorded_centre import KnownCentre, RecordedCentre
from router.simulation.recorded_waits import contacts_of
from router.simulation.slot_watch import SlotWatch
from tests.unit.simulation.histories import agent_events, recorded, scenario_of, write_agent_events, write_records
from tests.unit.simulation.models import START, contact
from tests.unit.simulation.test_coverage import CENTRE, MOVE, WATCH

DAYS = 4


def stay(number, at, left, *, agent="a", queue="Queue", worked=60.0, how=Leaving.ANSWERED, previous=None):
    seen = replace(
        contact(number, at, queue=queue), previous_id=None if previous is None else ContactId(f"contact-{previous}")
    )
    gone, answered = START + timedelta(seconds=left), how is Leaving.ANSWERED
    return Stay(
        contact=seen,
        enqueued_at=START + timedelta(seconds=at),
        left_at=gone,
        how=how,
        agent_id=AgentId(agent) if answered else None,
        connected_at=gone if answered else None,
        handle_time=timedelta(seconds=worked) if answered else None,
    )


def centre_of(*stays):
    queues = tuple(Queue(id=QueueId(name), name=name) for name in ("Queue", "Other"))
    known = KnownCentre(directory=Directory(queues=queues))
    return RecordedCentre.of(stays, known, START, START + timedelta(days=9))


def numbers(contacts):
    return [[[one.contact.id.split("-")[1] for one in wait.stays] for wait in waits] for waits in contacts]


def test_the_stays_of_a_moved_contact_are_one_wait():
    stays = [stay(1, 0, 100, how=Leaving.ENDED), stay(2, 102, 300, queue="Other", previous=1)]
    assert numbers(contacts_of(stays)) == [[["1", "2"]]]


def test_a_contact_that_an_agent_puts_back_waits_again():
    assert numbers(contacts_of([stay(1, 0, 100), stay(2, 160, 300, previous=1)])) == [[["1"], ["2"]]]


def test_a_transfer_by_an_agent_to_another_queue_is_a_contact_of_its_own():
    assert numbers(contacts_of([stay(1, 0, 100), stay(2, 160, 300, queue="Other", previous=1)])) == [[["1"]], [["2"]]]


def test_agents_put_back_the_share_that_they_put_back_in_the_history():
    found = centre_of(stay(1, 0, 100), stay(2, 160, 300, previous=1), stay(3, 400, 400), stay(4, 500, 500))
    assert [team.put_back for team in found.teams] == [0.25]


def test_the_simulation_puts_back_the_contacts_that_were_put_back_in_the_history():
    found = centre_of(stay(1, 0, 100), stay(2, 160, 300, previous=1), stay(3, 400, 400), stay(4, 500, 500))
    for seed in range(5):
        streams = RandomStreams(str(seed))
        waits = Engine(found.centre(None), found.arrivals(streams), None, streams).run()
        assert [one.arrival.contact.id for one in waits if one.turn] == ["contact-1"]


def test_a_history_without_contacts_or_answers_is_refused():
    with pytest.raises(ValueError, match="no contact waited"):
        centre_of()
    with pytest.raises(ValueError, match="no contact was answered"):
        centre_of(stay(1, 0, 100, how=Leaving.ENDED))


def test_metrics_without_a_free_slot_show_that_nobody_was_there():
    place, watch = (QueueId("Queue"), Channel.TASK), SlotWatch()
    shown = [(0, 3), (10, 0), (15, 0), (19, 2), (25, 0), (60, 0), (65, 1)]
    events = [
        Measured(at=START + timedelta(minutes=at), rows={place: QueueMetrics(slots_available=slots)})
        for at, slots in shown
    ]
    assert list(watch.watch(events)) == events
    minutes = [tuple((at - START) / timedelta(minutes=1) for at in span) for span in watch.unserved[place]]
    assert minutes == [(10, 17), (25, 33), (60, 63)]
    assert watch.measured == {place}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Returns a folder with a history of office hours, and the rules before and after."""
    folder = tmp_path_factory.mktemp("history")
    centre, stays = recorded(scenario_of(CENTRE, DAYS), None, 2)
    write_records(stays, folder / "records.csv")
    until = centre.start + timedelta(days=DAYS)
    write_agent_events(sorted(agent_events(centre, until), key=lambda one: one.at), folder / "agents.json")
    (folder / "a.toml").write_bytes(WATCH)
    (folder / "b.toml").write_bytes(MOVE)
    return folder


def backtest(files, *more):
    return main(
        ["backtest", "--records", str(files / "records.csv"), "--rules", str(files / "a.toml"), "--against",
         str(files / "b.toml"), "--from", "2026-01-01T00:00:00Z", "--effects", "--jobs", "1",
         "--replications", "1", *more]
    )  # fmt: skip


@pytest.mark.parametrize("agents", [(), ("--agents", "agents.json")])
def test_the_past_of_office_hours_is_rebuilt_without_an_error(files, capsys, agents):
    more = [str(files / one) if one.endswith(".json") else one for one in agents]
    assert backtest(files, "--json", *more) in (0, 3)
    found = json.loads(capsys.readouterr().out)
    assert len(found["rebuilt"]) == 16
    for one in found["rebuilt"]:
        assert one["rebuilt"] == pytest.approx(one["observed"], abs=0.05), one
    source = "4 agents by the events in" if agents else "4 agents inferred from the contacts they took"
    assert source in found["agents"]
    rows = {(one["queue"], one["figure"]): one for one in found["effects"]}
    assert rows["Billing", "moves"]["difference"]["value"] > 0
    assert rows["Billing", "in_time"]["difference"]["low"] is not None
    assert rows["Billing", "wait"]["difference"]["low"] is None
    assert rows["General", "wait"]["role"] == "receives"
    assert rows["General", "wait"]["difference"]["value"] > 0


def test_the_source_of_the_presence_and_the_error_stand_before_the_effects(files, capsys):
    backtest(files)
    out = capsys.readouterr().out
    places = [out.index(one) for one in ("reconstructed from", "presence of agents: 4", "observed  simulated", "B - A")]
    assert places == sorted(places)
    assert "no interval" in out


def test_the_report_and_the_test_cases_have_effects_and_differences(files, tmp_path):
    pytest.importorskip("matplotlib")
    backtest(files, "--html", str(tmp_path / "report.html"), "--junit", str(tmp_path / "effects.xml"))
    assert "What it misses is the error of rebuilding the past" in (tmp_path / "report.html").read_text()
    cases = ElementTree.parse(tmp_path / "effects.xml").getroot()
    assert {case.get("classname") for case in cases} >= {"backtest", "effects"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--effects"], "--effects needs the handle times of contact records"),
        (["--records", "records.csv", "--agents", "agents.json"], "--agents is for --effects only"),
        (["--records", "records.csv", "--effects"], "records have no rules"),
        (
            ["--records", "records.csv", "--rules", "a.toml", "--effects", "--agents", "a.toml"],
            "no agent event can be used",
        ),
        (["--records", "records.csv", "--rules", "hours.toml", "--effects"], 'no hours of operation "Office"'),
        (["--records", "records.csv", "--rules", "a.toml", "--effects", "--harm", "2"], "expected a share"),
    ],
)
def test_missing_parts_of_a_history_are_named(files, capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(files)
    (files / "hours.toml").write_bytes(
        WATCH.replace(b'sla.target = "20m"', b'sla = { target = "20m", hours = "Office" }')
    )
    with pytest.raises(SystemExit) if "--harm" in arguments else contextlib.nullcontext():
        assert main(["backtest", "--against", "b.toml", "--from", "2026-01-01T00:00:00Z", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_an_agent_that_the_history_does_not_show_is_named(files, capsys):
    (files / "agent.toml").write_bytes(
        MOVE.replace(b'queue = "General", slots_available = { min = 1 }', b'agent = "ana", flow = "To agent"')
    )
    main(
        ["backtest", "--records", str(files / "records.csv"), "--rules", str(files / "a.toml"), "--against",
         str(files / "agent.toml"), "--from", "2026-01-01T00:00:00Z", "--effects", "--jobs", "1", "--replications", "1"]
    )  # fmt: skip
    assert 'the history does not show agent "ana"' in capsys.readouterr().err
