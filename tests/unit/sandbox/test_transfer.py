"""Tests TransferContact: the rules that AWS documents."""

from datetime import timedelta

import pytest

from router.sandbox import FlowOutcome, Refusal

pytestmark = pytest.mark.uses("threads", "sockets")


def test_a_transfer_ends_the_segment_and_starts_another_in_the_queue_it_names(bench):
    first = bench.world.enqueue("EMAIL", "Billing", waited=timedelta(hours=2), name="Invoice", tags={"team": "a"})
    second = bench.transfer(first)
    old, new = bench.describe(first), bench.describe(second)
    assert second != first
    assert old["DisconnectTimestamp"] == bench.clock.now
    assert old["DisconnectReason"] == "TRANSFERRED"
    assert new["PreviousContactId"] == new["InitialContactId"] == first
    assert new["QueueInfo"] == {"Id": bench.queue("General"), "EnqueueTimestamp": bench.clock.now}
    assert (new["Name"], new["Tags"], new["InitiationMethod"]) == ("Invoice", {"team": "a"}, "TRANSFER")
    assert bench.world.queue_of(second) == "General"


def test_the_first_contact_of_a_chain_stays_the_initial_one_through_every_transfer(bench):
    first = bench.world.enqueue()
    third = bench.transfer(bench.transfer(first), "Billing")
    assert bench.describe(third)["InitialContactId"] == first
    assert bench.world.chain(third)[0].id == first


def test_a_transfer_to_a_user_waits_in_the_users_own_queue(bench):
    contact = bench.world.enqueue()
    answer = bench.call(
        "transfer_contact",
        ContactId=contact,
        UserId=bench.user("agent.one"),
        ContactFlowId=bench.flow("Escalate to agent"),
    )
    assert bench.world.queue_of(answer["ContactId"]) == "agent.one"
    assert answer["ContactArn"] == f"{bench.sandbox.instance_arn}/contact/{answer['ContactId']}"
    assert bench.world.transfers[0].to_agent == "agent.one"


def test_queue_flow_user_and_instance_may_be_named_by_their_arns(bench):
    arn = bench.sandbox.instance_arn
    contact = bench.world.enqueue()
    moved = bench.call(
        "transfer_contact",
        InstanceId=arn,
        ContactId=contact,
        QueueId=f"{arn}/queue/{bench.queue('General')}",
        ContactFlowId=f"{arn}/contact-flow/{bench.flow()}",
    )
    assert bench.world.queue_of(moved["ContactId"]) == "General"


@pytest.mark.parametrize("channel", ["VOICE", "CHAT"])
def test_only_tasks_and_emails_can_be_transferred(bench, channel):
    contact = bench.world.enqueue(channel)
    assert refuse(bench, contact) == (400, "InvalidRequestException")


@pytest.mark.parametrize("destinations", [{}, {"QueueId": "q", "UserId": "u"}], ids=["neither", "both"])
def test_exactly_one_of_queue_and_user_must_be_given(bench, destinations):
    contact = bench.world.enqueue()
    params = {"ContactId": contact, "ContactFlowId": bench.flow(), **destinations}
    assert bench.refused("transfer_contact", **params) == (400, "InvalidRequestException")


@pytest.mark.parametrize("kind", ["CONTACT_FLOW", "QUEUE_TRANSFER", "AGENT_TRANSFER"])
def test_flows_of_these_types_transfer(bench, kind):
    bench.world.add_flow("Mine", type=kind)
    assert bench.world.queue_of(bench.transfer(bench.world.enqueue(), flow="Mine")) == "General"


@pytest.mark.parametrize(
    "flow",
    [
        {"type": "CUSTOMER_QUEUE"},
        {"type": "CUSTOMER_HOLD"},
        {"type": "QUEUE_TRANSFER", "state": "ARCHIVED"},
        {"type": "QUEUE_TRANSFER", "status": "SAVED"},
    ],
    ids=str,
)
def test_other_flows_and_flows_that_are_not_in_force_are_refused(bench, flow):
    bench.world.add_flow("Mine", **flow)
    assert refuse(bench, bench.world.enqueue(), flow="Mine") == (400, "InvalidRequestException")


@pytest.mark.parametrize("member", ["ContactFlowId", "QueueId", "ContactId"])
def test_what_does_not_exist_is_not_found(bench, member):
    params = {"ContactId": bench.world.enqueue(), "QueueId": bench.queue("General"), "ContactFlowId": bench.flow()}
    params[member] = "00000000-0000-0000-0000-000000000000"
    assert bench.refused("transfer_contact", **params) == (404, "ResourceNotFoundException")


def test_names_are_no_ids(bench):
    params = {"ContactId": bench.world.enqueue(), "QueueId": "General", "ContactFlowId": bench.flow()}
    assert bench.refused("transfer_contact", **params) == (404, "ResourceNotFoundException")


def test_an_arn_of_another_instance_is_not_found(bench):
    other = f"arn:aws:connect:us-east-1:111122223333:instance/other/queue/{bench.queue('General')}"
    params = {"ContactId": bench.world.enqueue(), "QueueId": other, "ContactFlowId": bench.flow()}
    assert bench.refused("transfer_contact", **params) == (404, "ResourceNotFoundException")


def test_another_instance_is_not_found(bench):
    params = {"ContactId": bench.world.enqueue(), "QueueId": bench.queue("General"), "ContactFlowId": bench.flow()}
    assert bench.refused("transfer_contact", InstanceId="somebody-elses", **params)[0] == 404


def test_a_contact_that_has_ended_or_was_transferred_is_not_active(bench):
    ended, moved = bench.world.enqueue(), bench.world.enqueue()
    bench.world.finish(ended)
    bench.transfer(moved)
    assert refuse(bench, ended) == refuse(bench, moved) == (400, "InvalidRequestException")


def test_a_scheduled_contact_is_not_active_before_its_time(bench):
    contact = bench.world.schedule("TASK", "Billing", start_in=timedelta(hours=1))
    assert refuse(bench, contact) == (400, "InvalidRequestException")
    bench.clock.move(hours=1)
    assert bench.world.queue_of(contact) == "Billing"
    assert bench.world.queue_of(bench.transfer(contact)) == "General"


def test_a_chain_holds_twelve_contacts(bench):
    contact = bench.world.enqueue()
    for _ in range(11):
        contact = bench.transfer(contact)
    assert refuse(bench, contact) == (402, "ServiceQuotaExceededException")
    assert len(bench.world.chain(contact)) == 12
    assert bench.world.queue_of(contact) == "General", "a refused transfer leaves the contact where it was"


def test_a_chain_of_the_past_counts(bench):
    contact = bench.world.enqueue(waited=timedelta(hours=1), age=timedelta(hours=9), chain=11)
    last = bench.transfer(contact)
    assert refuse(bench, last)[0] == 402
    chain = bench.world.chain(last)
    assert [one.chain.previous_id for one in chain[1:]] == [one.id for one in chain[:-1]]
    assert chain[0].life.initiated_at == bench.clock.now - timedelta(hours=9)


def test_connect_takes_a_contact_from_an_agent_without_a_word_and_the_world_remembers(bench):
    contact = bench.world.enqueue(queue="General")
    bench.world.accept(contact, "agent.one")
    assert bench.world.taken_from_agents == ()
    bench.transfer(contact, "Billing")
    (taken,) = bench.world.taken_from_agents
    assert (taken.contact_id, taken.taken_from) == (contact, "agent.one")


def test_every_effective_transfer_is_recorded_with_its_token(bench):
    contact = bench.world.enqueue()
    moved = bench.transfer(contact, ClientToken="t-1")
    assert refuse(bench, contact)[0] == 400
    (transfer,) = bench.world.transfers
    assert (transfer.contact_id, transfer.new_contact_id, transfer.token) == (contact, moved, "t-1")
    assert (transfer.from_queue, transfer.to_queue, transfer.flow) == ("Billing", "General", "Overflow to queue")
    assert transfer.at == bench.clock.now


def test_a_token_with_other_parameters_is_refused_and_a_refused_call_uses_no_token(bench):
    one, two = bench.world.enqueue(), bench.world.enqueue()
    assert refuse(bench, one, flow="Default customer queue", ClientToken="t")[0] == 400
    bench.transfer(one, ClientToken="t")
    assert refuse(bench, two, ClientToken="t") == (409, "IdempotencyException")
    assert bench.world.queue_of(two) == "Billing"


# Outcomes of flows


def test_a_flow_may_take_its_time(bench):
    bench.world.set_flow("Overflow to queue", outcome=FlowOutcome(after=timedelta(seconds=30)))
    moved = bench.transfer(bench.world.enqueue())
    assert "QueueInfo" not in bench.describe(moved)
    bench.clock.move(seconds=29)
    assert bench.world.queue_of(moved) is None
    bench.clock.move(seconds=31)
    assert bench.describe(moved)["QueueInfo"]["EnqueueTimestamp"] == bench.clock.now - timedelta(seconds=30)


def test_a_flow_may_never_queue_the_contact(bench):
    bench.world.set_flow("Overflow to queue", outcome="never")
    moved = bench.transfer(bench.world.enqueue())
    bench.clock.move(hours=1)
    assert bench.world.queue_of(moved) is None
    assert "DisconnectTimestamp" not in bench.describe(moved)


def test_a_flow_may_queue_it_elsewhere_or_end_it(bench):
    bench.world.set_flow("Overflow to queue", outcome="elsewhere", elsewhere="Billing")
    assert bench.world.queue_of(bench.transfer(bench.world.enqueue())) == "Billing"
    bench.world.set_flow("Overflow to queue", outcome="disconnect")
    assert bench.describe(bench.transfer(bench.world.enqueue()))["DisconnectReason"] == "CONTACT_FLOW_DISCONNECT"


def test_a_flow_may_set_priority_or_age(bench):
    bench.world.set_flow("Overflow to queue", outcome=FlowOutcome(priority=2))
    assert bench.describe(bench.transfer(bench.world.enqueue()))["QueuePriority"] == 2
    bench.world.set_flow("Overflow to queue", outcome=FlowOutcome(age=timedelta(minutes=3)))
    assert bench.describe(bench.transfer(bench.world.enqueue()))["QueueTimeAdjustmentSeconds"] == 180


@pytest.mark.parametrize("queue", [{"capacity": 0}, {"enabled": False}], ids=["full", "disabled"])
def test_the_flow_of_a_full_or_disabled_queue_takes_its_error_branch(bench, queue):
    bench.world.add_queue("Shut", **queue)
    assert bench.world.queue_of(bench.transfer(bench.world.enqueue(), "Shut")) is None
    bench.world.set_flow("Overflow to queue", outcome=FlowOutcome(full="disconnect"))
    assert "DisconnectTimestamp" in bench.describe(bench.transfer(bench.world.enqueue(), "Shut"))


def test_awss_own_queue_transfer_disconnects_where_nobody_is_staffed(bench):
    ended = bench.transfer(bench.world.enqueue(), "Billing", "Default queue transfer")
    assert bench.describe(ended)["DisconnectReason"] == "CONTACT_FLOW_DISCONNECT"
    assert bench.world.queue_of(bench.transfer(bench.world.enqueue(), "General", "Default queue transfer")) == "General"


def test_an_agents_queue_holds_ten_contacts(bench):
    for _ in range(11):
        last = bench.world.transfer(bench.world.enqueue(), flow="Escalate to agent", agent="agent.one")
    assert len(bench.world.waiting("agent.one")) == 10
    assert bench.world.queue_of(last) is None


def test_the_worlds_own_transfer_keeps_the_same_rules(bench):
    contact = bench.world.enqueue("CHAT")
    with pytest.raises(Refusal, match="InvalidRequestException"):
        bench.world.transfer(contact, flow="Overflow to queue", queue="General")


def refuse(bench, contact, *, flow="Overflow to queue", **more):
    return bench.refused(
        "transfer_contact",
        ContactId=contact,
        QueueId=bench.queue("General"),
        ContactFlowId=bench.flow(flow),
        **more,
    )
