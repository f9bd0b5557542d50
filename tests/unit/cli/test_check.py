import gc
import json

import pytest

LADDER = """\
late  rules/10-late.toml:5:1  Billing is answered within the hour
  when  channel = "EMAIL" and queue = "Billing"
  promised within 1h, on the queue clock
  +30m     50%           warn "half of the time is gone"
  +1h      breach        -> Overflow | General

1 rule, 1 of 1 example passed, 0 errors, 0 warnings
"""


def test_sound_rules_are_printed_as_times_and_exit_0(command):
    done = command("check")

    assert (done.status, done.err) == (0, "")
    assert done.out == LADDER


def test_an_example_that_fails_is_an_error_with_its_place_and_what_came_instead(command):
    command.rules.write_text(command.rules.read_text().replace('queue = "General" }\n', 'queue = "Overflow" }\n'))

    done = command("check")

    assert done.status == 1
    assert done.err == (
        'rules/10-late.toml:20:1: example "late": expected queue "Overflow",'
        ' got a warning by step 1 of "late" and queue "General"\n'
    )
    assert done.out.splitlines()[-1] == "1 rule, 0 of 1 example passed, 1 error, 0 warnings"


def test_warnings_say_that_they_are_and_count_with_strict_only(command):
    rules = command.rules.read_text().replace('at = "50%"', 'at = "5s"')
    command.rules.write_text(rules)

    lenient, strict = command("check"), command("check", "--strict")

    assert (lenient.status, strict.status) == (0, 1)
    assert lenient.err == strict.err
    assert lenient.err.startswith("rules/10-late.toml:13:1: warning: step 1 is due at 5s")
    assert "0 errors, 1 warning" in lenient.out


def test_as_json_it_tells_the_same(command):
    command.rules.write_text(command.rules.read_text().replace('queue = "General" }\n', 'queue = "Overflow" }\n'))

    done = command("check", "--json")
    told = json.loads(done.out)

    assert (done.status, done.err) == (1, "")
    assert [step["at_s"] for step in told["rules"][0]["steps"]] == [1800.0, 3600.0]
    assert told["rules"][0]["steps"][1]["to"] == [["Overflow", "General"]]
    assert told["problems"][0]["message"].startswith('example "late": expected')
    assert (told["problems"][0]["file"], told["problems"][0]["line"]) == ("rules/10-late.toml", 20)
    assert told["examples"] == [{"name": "late", "file": "rules/10-late.toml", "line": 20, "passed": False}]


def test_names_are_never_taken_for_markup(command):
    rules = command.rules.read_text().replace("Billing is answered within the hour", "[red]hour[/red] :smile:")
    command.rules.write_text(rules)

    assert "[red]hour[/red] :smile:" in command("check").out


def test_a_mistake_in_the_configuration_hides_none_in_the_rules(command):
    command.rules.write_text(command.rules.read_text().replace("match", "matc"))
    (command.folder / "config.toml").write_text((command.folder / "config.toml").read_text() + "\n[pol]\n")

    done = command("check")

    assert done.status == 2
    told = done.err.splitlines()
    assert any("unknown key 'pol' (did you mean 'poll'?)" in line for line in told)
    assert any("unknown key 'matc' (did you mean 'match'?)" in line for line in told)


def test_the_garbage_collector_is_on_again_after_a_check_that_failed(command):
    command("check", "--config", "missing.toml")

    assert gc.isenabled()


@pytest.mark.parametrize(
    ("settings", "warned"),
    [
        (["--set=poll.every=1s"], True),
        (["--set=poll.every=5s"], False),
        (["--set=poll.every=1s", "--set=quotas.source=auto"], False),
        (["--set=poll.every=1s", "--set=quotas.SearchContacts={ rate = 10, burst = 10 }"], False),
    ],
)
def test_a_poll_that_the_quota_does_not_allow_is_a_warning_at_its_key(command, settings, warned):
    done = command("check", *settings)

    assert done.status == 0
    assert ('--set poll.every: warning: poll.every ("1s") is too short' in done.err) == warned


def test_a_file_that_is_not_read_is_a_warning(command):
    (command.folder / "rules" / "20-B.TOML").write_text("")

    done, strict = command("check"), command("check", "--strict")

    assert (done.status, strict.status) == (0, 1)
    assert done.err == (
        'rules/20-B.TOML: warning: this file is not read, because its name does not end in ".toml"; rename it\n'
    )


OWN = "11111111-2222-3333-4444-555555555555"
OTHER = "99999999-2222-3333-4444-555555555555"


def arn(kind, instance=OWN, region="us-east-1", account="111122223333"):
    return f"arn:aws:connect:{region}:{account}:instance/{instance}/{kind}/{OTHER}"


def destination(**foreign):
    return arn("queue", **foreign).replace(f"queue/{OTHER}", f"queue/{OWN}")


RULES_WITH_ARNS = """
[[rule]]
name = "late"
match.queue = "QUEUE"
sla = { target = "1h", hours = "HOURS" }
[[rule.step]]
at = "breach"
to = [{ queue = "DESTINATION", flow = "FLOW" }]
"""
SOUND = {
    "QUEUE": arn("queue"),
    "HOURS": arn("operating-hours"),
    "DESTINATION": destination(),
    "FLOW": arn("contact-flow"),
}


def check_with_arns(command, *arguments, **changed):
    rules = RULES_WITH_ARNS
    for name, value in (SOUND | changed).items():
        rules = rules.replace(name, value)
    command.rules.write_text(rules)
    return command("check", *arguments)


@pytest.mark.parametrize("instance", [f"arn:aws:connect:us-east-1:111122223333:instance/{OWN}", OWN])
def test_arns_of_the_configured_instance_are_no_finding(command, instance):
    done = check_with_arns(command, f"--set=connect.instance={instance}", "--strict")
    assert (done.status, done.err) == (0, "")


@pytest.mark.parametrize(
    ("where", "place"), [("QUEUE", "4:15"), ("HOURS", "5"), ("DESTINATION", "8:7"), ("FLOW", "8:7")]
)
@pytest.mark.parametrize(
    "foreign",
    [
        {"instance": OTHER},
        {"region": "us-west-2"},
        {"account": "999999999999"},
    ],
    ids=lambda foreign: next(iter(foreign)),
)
def test_an_arn_of_another_instance_region_or_account_is_a_warning_without_a_call(command, where, place, foreign):
    kind = {"HOURS": "operating-hours", "FLOW": "contact-flow"}.get(where, "queue")
    value = destination(**foreign) if where == "DESTINATION" else arn(kind, **foreign)
    instance = f"--set=connect.instance=arn:aws:connect:us-east-1:111122223333:instance/{OWN}"

    done = check_with_arns(command, instance, **{where: value})
    strict = check_with_arns(command, instance, "--strict", **{where: value})

    assert (done.status, strict.status) == (0, 1)
    [line] = done.err.splitlines()
    assert line.startswith(f"rules/10-late.toml:{place}")
    assert ": warning: " in line
    assert f"this router works for instance {OWN} in us-east-1, account 111122223333" in line


def test_an_arn_of_another_kind_is_a_warning_and_what_is_not_configured_is_not_compared(command):
    assert check_with_arns(command, DESTINATION=destination(account="999999999999")).err == ""
    assert "is the ARN of another kind (flow)" in check_with_arns(command, DESTINATION=arn("contact-flow")).err


def test_a_queue_of_events_in_another_region_is_a_warning(command):
    url = "https://sqs.us-east-1.amazonaws.com/111122223333/events"
    done = command("check", "--set=connect.region=eu-west-1", f"--set=events.queue={url}")
    assert done.status == 0
    assert "--set events.queue: warning: this queue is in us-east-1, and the instance in eu-west-1" in done.err
    assert command("check", "--set=connect.region=us-east-1", f"--set=events.queue={url}").err == ""
