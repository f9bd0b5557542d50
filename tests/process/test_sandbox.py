"""Runs ``sandbox`` in a process of its own, with the variables that it prints."""

TOPIC = "arn:aws:sns:eu-west-2:111122223333:connect-router"
CENTRE = """
[[queue]]
name = "Billing"
[[queue]]
name = "Billing Overflow"
[[queue]]
name = "General"
[[flow]]
name = "Overflow to queue"
type = "QUEUE_TRANSFER"
[[backlog]]
queue = "Billing"
waited = "40m"
"""


def test_a_warning_of_a_router_with_the_printed_variables_is_shown_in_the_terminal_of_the_sandbox(bench):
    (bench.folder / "centre.toml").write_text(CENTRE)
    sandbox = bench.start("sandbox", "--scenario", "centre.toml", "--port", "0")
    assert sandbox.stdout is not None
    printed = {}
    for line in sandbox.stdout:
        if line.startswith("export "):
            name, _, value = line.removeprefix("export ").strip().partition("=")
            printed[name] = value
        elif "aws connect" in line:
            break
    notify = ("--set", f"notify.sns_topic={TOPIC}", "--set", "execute.mode=enforce")

    checked = bench.run("check", "--live", *notify, **printed)
    ran = bench.start("run", *notify, **printed)
    shown = next(line for line in sandbox.stdout if line.startswith("# Message on"))
    ran.terminate()

    assert (checked.returncode, checked.stderr) == (0, "")
    assert shown == f"# Message on {TOPIC}: connect-router: half of the time is gone\n"
