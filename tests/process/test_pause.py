"""``pause``, ``resume``, ``retry`` as an operator types them."""


def test_a_pause_is_in_force_at_once_shown_everywhere_and_survives_kill_9(bench, reading, ending):
    service = bench.start("run", "--enforce")
    reading(service, "cycle.finished")

    done = bench.run("pause", "--rule", "late", "--for", "30m", "--comment", "incident 4711")
    contact_id = bench.enqueue()
    held = reading(service, "contact.held")
    service.kill()
    service.wait(10)
    planned = bench.json("plan")
    explained = bench.run("explain", contact_id)
    service = bench.start("run", "--enforce")
    again = reading(service, "cycle.finished")
    shown = bench.run("status")
    resumed = bench.run("resume", "--rule", "late")
    moved = reading(service, "contact.transferred")
    ending(service)

    assert done.returncode == 0, done.stderr
    assert done.stderr == f"instance {bench.sandbox.instance_id}, mode enforce, config config.toml\n"
    assert done.stdout.startswith('rule "late" is paused by root until ') or "paused by" in done.stdout
    assert (held["contact_id"], held["reason"]) == (contact_id, "operator_pause")
    assert {one["reason"] for one in planned} == {"operator_pause"}
    assert "incident 4711" in explained.stdout
    assert again["held"] == {"operator_pause": 1}
    assert "incident 4711" in shown.stdout
    assert resumed.stdout.startswith('resumed: rule "late" was paused')
    assert moved["contact_id"] == contact_id


def test_a_pause_needs_its_time_its_comment_and_its_subject(bench):
    for left_out in (["--for", "1m"], ["--comment", "x"], ["--all"]):
        given = [part for part in ["--all", "--for", "1m", "--comment", "x"] if part not in left_out]
        done = bench.run("pause", *given)
        assert done.returncode == 2
        assert left_out[0] in done.stderr


def test_what_the_service_refuses_is_one_line_and_status_1(bench, reading, ending):
    service = bench.start("run")
    reading(service, "service.ready")

    wrong = bench.run("pause", "--queue", "Biling", "--for", "1m", "--comment", "x")
    nothing = bench.run("resume", "--all")
    retried = bench.run("retry")
    ending(service)

    assert (wrong.returncode, nothing.returncode, retried.returncode) == (1, 1, 0)
    assert wrong.stderr.splitlines()[1:] == ["no queue is called 'Biling' (did you mean 'Billing'?)"]
    assert nothing.stderr.splitlines()[1:] == ["resume: everything is not paused"]
    assert retried.stdout == "0 contacts may be tried again\n"
