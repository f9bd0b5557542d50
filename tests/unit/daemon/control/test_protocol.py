"""Checks that a request and a reply are one line each, and that any other input is recognised as such."""

import pytest

from router.daemon.control.protocol import BadRequest, Reply, Request, answer_of, request_of


def test_a_request_arrives_as_it_was_made():
    asked = Request(command="pause", arguments={"rule": "späť\n", "for_s": 1800})

    assert asked.line().count(b"\n") == 1
    assert request_of(asked.line()) == asked


@pytest.mark.parametrize("answer", [Reply(result={"a": [1, None]}), Reply(errors=("one\ntwo", "three"))])
def test_an_answer_arrives_as_it_was_given(answer):
    assert answer.line().count(b"\n") == 1
    assert answer_of(answer.line()) == answer


@pytest.mark.parametrize(
    "line",
    [b"", b"\n", b"status\n", b"[]\n", b"{}\n", b'{"command": 1}\n', b'{"command": "x", "arguments": []}\n',
     b"\xff\xfe\n", b"[" * 10_000, b'{"command": "\xff"}\n'],
)  # fmt: skip
def test_what_is_no_request_is_refused(line):
    with pytest.raises(BadRequest):
        request_of(line)


@pytest.mark.parametrize(
    "line", [b"", b'{"ok": tr', b"{}", b'{"ok": false}', b'{"ok": true, "errors": ["x"]}', b"HTTP/1.1 400 Bad Request"]
)
def test_what_is_no_answer_is_refused(line):
    with pytest.raises(BadRequest):
        answer_of(line)
