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
