"""Checks that ``explain`` takes any id of a chain, shows the numbers it read, and sends a terminal no commands."""

from datetime import timedelta


def test_it_tells_every_rule_every_value_the_clock_and_the_destinations(bench):
    contact_id = bench.enqueue(waited=timedelta(minutes=75))

    done = bench.run("explain", contact_id, "--enforce")

    assert done.returncode == 0, done.stderr
    for line in (
        "rule late: governs   (rules/10-late.toml:5:1)",
        'yes    queue = "Billing"   (is Billing)',
        "clock (queue): started ",
        "step 1 at 50% = 30m: ",
        "Billing Overflow: eligible   <- chosen",
        "transfer -> Billing Overflow, by flow Overflow to queue   by late, step 2, mode enforce (15m",
        "in the ledger: nothing",
    ):
        assert line in done.stdout, line


def test_any_id_of_the_chain_leads_to_the_contact_as_it_is_now(bench):
    first = bench.enqueue()
    assert bench.run("run", "--once", "--enforce").returncode == 0
    (move,) = bench.sandbox.world.transfers

    for contact_id in (first, move.new_contact_id):
        told = bench.json("explain", contact_id)
        assert told["look"]["contact_id"] == move.new_contact_id
        look = told["look"]
        assert (look["queue"], look["chain_id"], look["moves"]) == ("Billing Overflow", first, 1)
        assert [one["kind"] for one in told["ledger"]].count("transfer") == 1
        assert told["given_id"] == contact_id
        assert told["look"]["rules"][0]["role"] == "has finished with this wait"


def test_an_earlier_id_is_related_to_the_present_one(bench):
    first = bench.enqueue()
    assert bench.run("run", "--once", "--enforce").returncode == 0
    (move,) = bench.sandbox.world.transfers

    assert bench.run("explain", first[:8]).stdout.startswith(f"{first} was moved; now {move.new_contact_id}\n")
    assert "was moved" not in bench.run("explain", move.new_contact_id).stdout


def test_a_contact_that_has_ended_is_told_with_what_the_ledger_has(bench):
    contact_id = bench.enqueue()
    assert bench.run("run", "--once", "--enforce").returncode == 0
    bench.sandbox.world.finish(bench.sandbox.world.latest(contact_id).id)

    done = bench.run("explain", contact_id)

    assert done.returncode == 0
    assert "disconnected" in done.stdout
    assert "Billing -> Billing Overflow, queued after" in done.stdout


def test_what_customers_wrote_is_shown_and_cannot_move_the_cursor(bench):
    rules = bench.folder / "rules" / "05-names.toml"
    rules.write_text('[[rule]]\nname = "named"\n[rule.match]\nname = "*do not move*"\n')
    contact_id = bench.enqueue(name="\x1b[2JJane\nDoe\u202e")

    done = bench.run("explain", contact_id)

    assert "(is \\x1b[2JJane\\nDoe\\u202e)" in done.stdout
    assert not set(done.stdout) & {"\x1b", "\u202e"}


COSTLY = """
[defaults]
flow = "Overflow to queue"

[[rule]]
name = "vip"
[rule.match]
queue = "Billing"
attributes.tier = { not = "gold" }
priority = { max = 5 }
task_template = "Refund*"
from_address = "*@customer.example"
transfers = 0
[[rule.step]]
at = "15m"
to = [{ agent_from = "attributes.last_agent", flow = "Escalate to agent" }, { queue = "Billing Overflow" }]
"""


def test_it_tells_what_was_read_of_the_contact_and_a_plan_does_not(bench):
    bench.sandbox.world.add_flow("Escalate to agent", type="AGENT_TRANSFER")
    (bench.folder / "rules" / "05-vip.toml").write_text(COSTLY)
    contact_id = bench.enqueue(
        waited=timedelta(minutes=20),
        attributes={"tier": "vi\x1b[2Jp", "last_agent": "no\x1bbody"},
        task_template="Refund EU",
        from_address="ann@customer.example",
    )

    done = bench.run("explain", contact_id, "--enforce")

    assert done.returncode == 0, done.stderr
    for line in (
        "rule vip: governs   (rules/05-vip.toml:5:1)",
        'yes    attributes.tier = { not = "gold" }   (is vi\\x1b[2Jp)',
        "yes    priority = { max = 5 }   (is 5)",
        'yes    task_template = "Refund*"   (is Refund EU)',
        'yes    from_address = "*@customer.example"   (is ann@customer.example)',
        "yes    transfers = 0   (is 0)",
        "not eligible: the contact names no agent of this instance there",
        "Billing Overflow: eligible   <- chosen",
    ):
        assert line in done.stdout, line
    assert not set(done.stdout) & {"\x1b"}

    plan = bench.run("plan", "--enforce")
    assert plan.returncode == 0, plan.stderr
    assert "Billing Overflow" in plan.stdout
    assert [value for value in ("customer.example", "Refund", "body", "[2J") if value in plan.stdout] == []


def test_a_contact_that_nobody_knows_exits_1(bench):
    done = bench.run("explain", "aaaaaaaa-0000-0000-0000-000000000000")

    assert done.returncode == 1
    assert done.stderr.endswith("nothing is known of contact aaaaaaaa-0000-0000-0000-000000000000\n")


def test_history_tells_names_where_it_is_asked_to(bench):
    bench.enqueue()
    assert bench.run("run", "--once", "--enforce").returncode == 0

    named, bare = bench.json("history", "--names"), bench.json("history")

    move = next(one for one in named if one["kind"] == "transfer")
    assert (move["from_queue"], move["to_queue"], move["flow"]) == ("Billing", "Billing Overflow", "Overflow to queue")
    assert next(one for one in bare if one["kind"] == "transfer")["from_queue"] != "Billing"


def test_check_live_finds_what_the_instance_lacks_where_it_stands(bench):
    bench.sandbox.world.set_queue("Billing Overflow", name="Billing Overflow 2")

    done = bench.run("check", "--live")

    assert done.returncode == 1
    assert done.stderr == (
        'rules/10-late.toml:16:7: queue "Billing Overflow" does not exist in the instance'
        " (did you mean 'Billing Overflow 2'?)\n"
    )
    assert "no rule matches: Billing Overflow 2, General" in done.stdout


def test_check_live_finds_in_awss_own_flow_that_it_ends_contacts(bench):
    rules = bench.folder / "rules" / "10-late.toml"
    rules.write_text(rules.read_text().replace('"Overflow to queue"', '"Default queue transfer"'))

    done = bench.run("check", "--live")

    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f'rules/10-late.toml:16:7: flow "Default queue transfer": {text}'
        for text in (
            '"Disconnect" can be reached before the contact is in a queue: the contact ends',
            'the branch At capacity of "Transfer to queue" ends the contact: lead it to a fallback queue',
        )
    ]


def test_of_a_paused_task_it_tells_the_rules_as_if_it_were_resumed_now_and_says_so(bench):
    paused = bench.enqueue(waited=timedelta(minutes=20))
    bench.sandbox.world.pause(paused)

    told = bench.run("explain", paused)
    data = bench.json("explain", paused)

    assert told.stderr == (
        f"contact {paused} is paused: nothing is done to it; what follows is as if it were resumed now\n"
    )
    assert "rule late: governs" in told.stdout
    assert "shows 20m" in told.stdout
    assert [rule["role"] for rule in data["look"]["rules"]] == ["governs"]
