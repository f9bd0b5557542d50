"""An instance that cannot be read: one clear line that says what to do."""

import socket

import pytest

READING = [["plan"], ["check", "--live"], ["run", "--once"]]


def told(done):
    """The one line beside the announcement."""
    (line,) = (line for line in done.stderr.splitlines() if not line.startswith("instance "))
    return line


@pytest.fixture
def nobody_listens():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_nobody_listens(bench, command, nobody_listens):
    done = bench.run(*command, AWS_ENDPOINT_URL_CONNECT=nobody_listens)

    assert done.returncode == 1
    assert told(done).startswith(f"connect-router: cannot reach {nobody_listens} (EndpointConnectionError); check")


@pytest.mark.parametrize("command", [*READING, ["run"]], ids=" ".join)
def test_no_credentials(bench, command):
    done = bench.run(*command, AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)

    assert done.returncode == 1, "a role may hand some out in a moment"
    assert told(done).startswith("connect-router: no AWS credentials: give this machine a role, or set AWS_PROFILE")


@pytest.mark.parametrize(("command", "status"), [(["plan"], 2), (["run"], 78)], ids=["plan", "run"])
def test_no_region(bench, command, status):
    config = bench.folder / "config.toml"
    config.write_text(config.read_text().replace('region = "us-east-1"\n', ""))

    done = bench.run(*command)

    assert done.returncode == status
    assert told(done).startswith("connect-router: no AWS region: set region under [connect]")


@pytest.mark.parametrize(
    ("command", "status"),
    [(["plan"], 2), (["check", "--live"], 2), (["run", "--once"], 78)],
    ids=["plan", "check", "run"],
)
def test_an_instance_that_is_not_there(bench, command, status):
    done = bench.run(*command, "--set", "connect.instance=99999999-2222-3333-4444-555555555555")

    assert done.returncode == status
    assert "knows no instance 99999999-2222-3333-4444-555555555555" in told(done)
    assert "check instance and region under [connect]" in told(done)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("expired_credentials", "AWS refuses the credentials (ExpiredTokenException"),
        ("access_denied", "AWS does not let these credentials read instance"),
    ],
    ids=["expired", "denied"],
)
def test_credentials_that_are_refused(bench, fault, words):
    bench.sandbox.world.faults.add(fault)

    done = bench.run("plan")

    assert done.returncode == 1
    assert words in told(done)


def test_the_service_itself_waits_for_the_instance_and_says_so(bench, nobody_listens, ending, reading):
    service = bench.start("run", AWS_ENDPOINT_URL_CONNECT=nobody_listens)

    degraded = reading(service, "search.degraded")
    ending(service)

    assert degraded["error"] == "EndpointConnectionError"
    assert degraded["retry_in_s"] > 0
    assert service.returncode == 0


def test_a_search_that_breaks_off_is_told_and_exits_1(bench):
    bench.enqueue()
    bench.sandbox.world.faults.add("error_500", "SearchContacts")

    done = bench.run("plan", "--json")

    assert done.returncode == 1
    assert "the search could not be read to its end (InternalServiceException)" in done.stderr
    assert done.stdout == "[]\n"
