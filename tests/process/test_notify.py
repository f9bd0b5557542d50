"""Checks that no message is lost when a real process is killed around its warning."""

from __future__ import annotations

import signal
import threading

import pytest

from tests.builders.topics import OpenTopic, open_topic

WARNS = """
[[rule]]
name = "slow"
match.queue = "General"
[[rule.step]]
at = "1h"
warn = "{contact_id} waits"
"""
CONTACTS = 5


@pytest.fixture
def topic(bench):
    with open_topic() as opened:
        config = bench.folder / "config.toml"
        config.write_text(config.read_text() + f'\n[notify]\nsns_topic = "{opened.arn}"\n')
        (bench.folder / "rules" / "10-late.toml").write_text(WARNS)
        bench.environment |= {"AWS_ENDPOINT_URL_SNS": opened.proxy.endpoint}
        yield opened


def warned(topic: OpenTopic) -> list[str]:
    return [one.subject.split()[1] for one in topic.received() if one.attributes["event"] == "contact.warned"]


@pytest.mark.parametrize("number", [1, 2, CONTACTS])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_process_killed_around_a_message_is_followed_by_one_that_sends_the_rest(
    bench, topic, reading, ending, when, number
):
    """Kills it before SNS has the message, or after that, when the process does not know it yet."""
    contacts = {bench.enqueue("General") for _ in range(CONTACTS)}
    calls, killed, first = [], threading.Event(), threading.Lock()
    service = bench.start("run", "--enforce")

    def kill(_operation, _body):
        with first:
            calls.append(1)
            if len(calls) == number and not killed.is_set():
                killed.set()
                service.send_signal(signal.SIGKILL)
                service.wait(10)
                if when == "before":
                    raise ConnectionAbortedError  # the request is lost with its sender

    topic.proxy.before = kill
    assert killed.wait(30)
    service.wait(10)
    topic.proxy.before = lambda operation, body: None

    second = bench.start("run", "--enforce")
    reading(second, "cycle.finished")
    topic.until(CONTACTS + (when == "after"))
    reading(second, "cycle.finished")
    ending(second)

    assert set(warned(topic)) == contacts
    assert len(warned(topic)) == CONTACTS + (when == "after")


def test_one_pass_sends_its_messages_before_it_ends(bench, topic):
    contact = bench.enqueue("General")

    done = bench.run_process("run", "--once", "--enforce")

    assert done.returncode == 0, done.stderr
    assert warned(topic) == [contact]
