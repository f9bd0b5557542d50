"""Checks that an operator may name a contact by any id of its chain, and that an id that is none is refused."""

from datetime import timedelta

import pytest

from router.sandbox import Behaviours
from tests.e2e.centre import FLOW
from tests.e2e.test_operator import ask, cycle

HOUR = timedelta(hours=1)
NOBODY = "aaaaaaaa-0000-0000-0000-000000000000"


def pause(app, name):
    return ask(app, "pause", kind="contact", name=name, for_s=86_400, comment="incident 4711")


def handed_on(centre):
    """Returns the three ids of a chain whose last contact waits in Billing and is late. People have moved it twice."""
    first = centre.world.enqueue("TASK", "General", waited=3 * HOUR)
    second = centre.world.transfer(first, flow=FLOW, queue="General")
    third = centre.world.transfer(second, flow=FLOW, queue="Billing")
    centre.clock.travel(2 * HOUR)
    return first, second, third


def arn(centre, contact_id):
    return f"arn:aws:connect:us-east-1:123456789012:instance/{centre.sandbox.instance_id}/contact/{contact_id}"


FORMS = {
    "as it is": lambda centre, one: one,
    "capitals": lambda centre, one: one.upper(),
    "a blank at its end": lambda centre, one: f"{one} ",
    "an ARN": arn,
    "a link": lambda centre, one: f"https://centre.my.connect.aws/contact-trace-records/details/{one}?tz=UTC",
}


@pytest.mark.parametrize("which", [0, 1, 2], ids=["first", "middle", "last"])
@pytest.mark.parametrize("form", FORMS)
def test_a_pause_by_any_id_in_any_form_holds_the_contact_until_it_is_resumed_by_any_other(centre, form, which):
    chain = handed_on(centre)
    app = centre.router()

    done = pause(app, FORMS[form](centre, chain[which]))

    assert done.ok, done.errors
    assert f'contact "{chain[2]}" is paused by root' in done.result["pause"]
    assert cycle(app).held == {"operator_pause": 1}
    resumed = ask(app, "resume", kind="contact", name=FORMS[form](centre, chain[which - 1]))
    assert resumed.ok, resumed.errors
    cycle(app)
    assert [one.contact_id for one in centre.world.transfers if one.contact_id == chain[2]] == [chain[2]]


def test_the_first_characters_of_a_waiting_contacts_id_are_enough(centre):
    waiting = centre.world.enqueue("TASK", "Billing", waited=timedelta(minutes=1))
    app = centre.router()
    cycle(app)

    done = pause(app, waiting[:8])

    assert done.ok, done.errors
    assert f'contact "{waiting}" is paused by root' in done.result["pause"]
    assert ask(app, "resume", kind="contact", name=waiting[:8]).ok


def test_the_first_characters_of_two_ids_are_refused_with_both(centre):
    waiting = [centre.world.enqueue("TASK", "Billing", waited=timedelta(minutes=1)) for _ in range(17)]
    app = centre.router()
    cycle(app)
    first = [one[0] for one in waiting]
    begun = next(one for one in first if first.count(one) > 1)

    done = pause(app, begun)

    assert not done.ok
    assert done.errors[0].startswith(f"several contact ids begin with '{begun}': ")


LOST = Behaviours(new_segment_initial_id="lost", new_segment_previous_id="lost")


@pytest.mark.parametrize("behaviours", [None, LOST], ids=["ids kept", "ids lost"])
def test_a_pause_of_a_moved_contact_by_its_id_before_the_move(centre):
    """Follows the router's own moves if Connect's ids do not lead on."""
    before = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router()
    cycle(app)
    centre.land(app)

    done = pause(app, before)

    after = centre.world.transfers[0].new_contact_id
    assert done.ok, done.errors
    assert f'contact "{after}" is paused' in done.result["pause"]
    moved = app.ledger.history(contact_id=before)[0]
    assert app.safety.pauses.holding_moved(moved) is not None
    assert ask(app, "resume", kind="contact", name=before).ok


def test_a_pause_outlives_a_transfer_by_people(centre):
    chain = handed_on(centre)
    app = centre.router()
    assert pause(app, chain[2]).ok
    last = centre.world.transfer(chain[2], flow=FLOW, queue="Billing")
    centre.clock.travel(2 * HOUR)

    assert cycle(app).held == {"operator_pause": 1}
    assert ask(app, "resume", kind="contact", name=last).ok


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (NOBODY, f"Connect knows no contact {NOBODY}: nothing is paused"),
        ("4711", "Connect knows no contact 4711: nothing is paused"),
        ("task 4711", "'task 4711' is no id of a contact"),
        ("arn:aws:connect:us-east-1:1:instance/i/queue/q", "is the ARN of another kind (queue), not of a contact"),
        (" ", "' ' is no id of a contact"),
    ],
)
def test_an_id_that_does_not_exist_is_refused(centre, name, why):
    app = centre.router()

    done = pause(app, name)

    assert why in done.errors[0]
    assert app.safety.pauses.now.all == ()
    assert not ask(app, "resume", kind="contact", name=name).ok
    assert not ask(app, "retry", contact_id=name).ok


OTHER = "99999999-2222-3333-4444-555555555555"


@pytest.mark.parametrize("command", ["pause", "resume", "retry"])
@pytest.mark.parametrize("paused", [False, True], ids=["not paused", "paused"])
def test_a_contact_of_another_instance_is_refused_with_that_instance(centre, command, paused):
    """Names an id that this instance has as well, because replicas of an instance share their ids."""
    first, _, last = handed_on(centre)
    app = centre.router()
    if paused:
        assert pause(app, last).ok
    name = f"arn:aws:connect:eu-west-1:123456789012:instance/{OTHER}/contact/{first}"
    arguments = {"contact_id": name} if command == "retry" else {"kind": "contact", "name": name}

    done = ask(app, command, **arguments, **({"for_s": 60, "comment": "c"} if command == "pause" else {}))

    belongs = f"belongs to instance {OTHER} in eu-west-1, account 123456789012"
    here = f"this router works for instance {centre.sandbox.instance_id} in us-east-1"
    assert done.errors == (f"'{name}' {belongs}; {here}",)
    assert len(app.safety.pauses.now.all) == paused


@pytest.mark.parametrize("kind", ["queue", "flow"])
def test_a_queue_or_flow_of_another_instance_is_not_paused(centre, kind):
    app = centre.router()
    cycle(app)
    things = app.names.directory.queues if kind == "queue" else app.names.directory.flows
    segment = "queue" if kind == "queue" else "contact-flow"
    name = f"arn:aws:connect:us-east-1:123456789012:instance/{OTHER}/{segment}/{things[0].id}"

    done = ask(app, "pause", kind=kind, name=name, for_s=60, comment="c")
    ours = ask(app, "pause", kind=kind, name=name.replace(OTHER, centre.sandbox.instance_id), for_s=60, comment="c")

    assert f"belongs to instance {OTHER} in us-east-1" in done.errors[0]
    assert ours.ok, ours.errors


def test_a_contact_that_has_ended_is_refused(centre):
    contact = centre.world.enqueue("TASK", "Billing")
    centre.world.finish(contact)
    app = centre.router()

    assert pause(app, contact).errors == (f"contact {contact} has ended: nothing is paused",)


def test_a_contact_that_cannot_be_read_is_refused_with_the_reason(centre):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router()
    centre.world.faults.add("error", "DescribeContact", code="AccessDeniedException", count=1)

    (why,) = pause(app, contact).errors

    assert why.startswith(f"contact {contact} could not be read (AccessDeniedException): nothing is paused")
    assert app.safety.pauses.now.all == ()


def test_a_chain_that_cannot_be_followed_is_not_taken_for_one_that_has_ended(centre):
    first, _, last = handed_on(centre)
    app = centre.router()
    centre.world.faults.add("error", "ListAssociatedContacts", code="AccessDeniedException", count=1)

    (why,) = pause(app, first).errors

    assert why.startswith(f"contact {first} could not be read (AccessDeniedException): nothing is paused")
    assert f'contact "{last}" is paused' in pause(app, first).result["pause"]


@pytest.mark.parametrize("which", [0, 1, 2], ids=["first", "middle", "last"])
@pytest.mark.parametrize("form", FORMS)
def test_a_retry_by_any_id_in_any_form(centre, form, which):
    chain = handed_on(centre)
    centre.world.faults.add("error", "TransferContact", code="InvalidRequestException", count=1)
    app = centre.router()
    cycle(app)

    done = ask(app, "retry", contact_id=FORMS[form](centre, chain[which]))

    assert done.ok, done.errors
    assert done.result == {"contacts": 1}
    cycle(app)
    assert chain[2] in [one.contact_id for one in centre.world.transfers]


def test_a_retry_of_a_contact_without_records_is_refused(centre):
    contact = centre.world.enqueue("TASK", "Billing")
    app = centre.router()

    assert ask(app, "retry", contact_id=contact).errors == (f"nothing is recorded of contact {contact}",)
    centre.world.faults.add("error", "DescribeContact", code="AccessDeniedException", count=1)
    (why,) = ask(app, "retry", contact_id=NOBODY).errors
    assert why == f"nothing is recorded of contact {NOBODY}, and Connect could not be read (AccessDeniedException)"


@pytest.mark.parametrize("which", [0, 1, 2], ids=["first", "middle", "last"])
@pytest.mark.parametrize("form", ["as it is", "capitals", "a blank at its end", "a link"])
def test_explain_and_history_by_any_id_in_any_form(bench, form, which):
    world = bench.sandbox.world
    first = bench.enqueue("General")
    second = world.transfer(first, flow="Overflow to queue", queue="General")
    third = world.transfer(second, flow="Overflow to queue", queue="Billing")
    rules = bench.folder / "rules" / "10-late.toml"
    rules.write_text(rules.read_text().replace('target = "1h"', 'target = "1h"\nclock = "chain"'))
    assert bench.run("run", "--once", "--enforce").returncode == 0
    name = FORMS[form](bench, (first, second, third)[which])

    recorded, explained = bench.json("history", name), bench.json("explain", name)

    assert "transfer" in [one["kind"] for one in recorded]
    assert [one["id"] for one in explained["ledger"]] == [one["id"] for one in recorded]
    assert {one["contact_id"] for one in recorded} == {third}


@pytest.mark.parametrize("command", ["history", "explain"])
@pytest.mark.parametrize("segment", [f"instance/{OTHER}/contact", "instance/{own}/queue"])
def test_history_and_explain_refuse_an_arn_of_elsewhere_in_one_line(bench, command, segment):
    contact = bench.enqueue()
    assert bench.run("run", "--once", "--enforce").returncode == 0
    name = f"arn:aws:connect:us-east-1:123456789012:{segment.format(own=bench.sandbox.instance_id)}/{contact}"

    done = bench.run(command, name)

    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert (f"belongs to instance {OTHER}" in done.stderr) or ("is the ARN of another kind (queue)" in done.stderr)


def test_history_of_an_id_that_nobody_knows_exits_1(bench):
    bench.enqueue()
    assert bench.run("run", "--once", "--enforce").returncode == 0

    for options in ([], ["--json"], ["--undo-plan", "1"]):
        done = bench.run("history", NOBODY, *options)
        assert (done.returncode, done.stderr) == (1, f"nothing is recorded of contact {NOBODY}\n")


@pytest.mark.parametrize("command", [["history", ""], ["explain", " "], ["retry", ""]])
def test_an_empty_id_is_wrong_usage(bench, command):
    done = bench.run(*command)

    assert (done.returncode, done.stdout) == (2, "")
    assert "is no id of a contact" in done.stderr
