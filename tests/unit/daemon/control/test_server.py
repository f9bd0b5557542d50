"""Checks the server on a real socket, with peers that send requests and with hostile ones."""

import os
import socket
import stat
import threading
import time
from contextlib import ExitStack

import pytest

from router.daemon.control.protocol import LONGEST_REQUEST, Peer, Reply, Request, answer_of
from router.daemon.control.requests import Desk, RequestRefused, Service
from router.daemon.control.server import ASKING, ControlServer, SocketUnusable

pytestmark = pytest.mark.uses("threads", "sockets")


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path / "control.sock"


@pytest.fixture
def serve(path):
    with ExitStack() as open_servers:

        def begin(services=None):
            told = services or {"echo": Service(answer=lambda arguments, _peer: {"said": dict(arguments)})}
            server = ControlServer(path, Desk(told).handle)
            server.start()
            open_servers.callback(server.close)
            return server

        yield begin


def connected(path):
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    peer.settimeout(10)
    for _ in range(500):
        try:
            peer.connect(str(path))
            return peer
        except BlockingIOError:  # more peers wait than the kernel queues
            time.sleep(0.01)
    raise AssertionError("nobody accepts")


def ask(path, line=None, **arguments):
    with connected(path) as peer:
        peer.sendall(line if line is not None else Request(command="echo", arguments=arguments).line())
        received = b""
        while data := peer.recv(65536):
            received += data
    return answer_of(received)


def test_who_asks_is_answered_and_the_connection_ends(serve, path):
    serve()

    assert ask(path, word="yes") == Reply(result={"said": {"word": "yes"}})


def test_the_group_may_ask_and_nobody_else(serve, path):
    serve()

    assert stat.S_IMODE(path.stat().st_mode) == 0o660


def test_the_socket_of_a_dead_service_is_replaced(serve, path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(path))
        dead.listen()

    serve()

    assert ask(path).ok


def test_the_socket_of_a_service_that_lives_is_left_alone(serve, path):
    serve()

    with pytest.raises(SocketUnusable, match=r"control\.sock: another service listens there"):
        ControlServer(path, Desk({}).handle).start()
    assert ask(path, word="still").result == {"said": {"word": "still"}}


def test_a_file_that_stands_there_is_left_alone(path):
    path.write_text("mine")

    with pytest.raises(SocketUnusable, match="another file, not a socket, has this name"):
        ControlServer(path, Desk({}).handle).start()
    assert path.read_text() == "mine"


def test_a_folder_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(SocketUnusable, match=r"missing/control\.sock: No such file or directory$"):
        ControlServer(tmp_path / "missing" / "control.sock", Desk({}).handle).start()


def test_the_socket_is_gone_when_the_service_ends_and_only_its_own(serve, path):
    first = serve()
    first.close()
    assert not path.exists()

    second = serve()
    path.unlink()
    path.write_text("somebody else's")
    second.close()
    assert path.read_text() == "somebody else's"


@pytest.mark.parametrize("garbage", [b"\n", b"\0\xff\x80\n", b"GET / HTTP/1.1\r\n\r\n", b'{"command": {}}\n'])
def test_garbage_is_answered_with_one_line(serve, path, garbage):
    serve()

    assert len(ask(path, garbage).errors) == 1
    assert ask(path).ok


def test_a_request_without_an_end_is_cut_off(serve, path):
    serve()
    with connected(path) as peer:
        try:
            peer.sendall(b"x" * (LONGEST_REQUEST + 1))
            received = peer.recv(65536)
        except ConnectionError:
            received = b""
    assert received == b"" or f"at most {LONGEST_REQUEST} bytes" in answer_of(received).errors[0]
    assert ask(path).ok


def test_a_thousand_connections_that_say_nothing_keep_nobody_from_asking(serve, path):
    serve()
    with ExitStack() as held:
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(1000):
            peer = connected(path)
            if len(held._exit_callbacks) < 300:  # type: ignore[attr-defined]
                held.enter_context(peer)
            else:
                peer.close()
        began = time.monotonic()

        assert ask(path, word="me").result == {"said": {"word": "me"}}
        assert time.monotonic() - began < 3
        assert len(os.listdir("/proc/self/fd")) < before + 300 + ASKING + 10


def test_peers_that_never_read_their_answer_keep_nobody_from_asking(serve, path):
    big = {"text": "x" * 4_000_000}
    serve({"big": Service(answer=lambda *_: big), "echo": Service(answer=lambda *_: {})})
    with ExitStack() as held:
        for _ in range(20):
            peer = held.enter_context(connected(path))
            peer.sendall(Request(command="big").line())
        deadline = time.monotonic() + 20
        answers = []
        while time.monotonic() < deadline:
            answers.append(ask(path))
            if answers[-1].ok:
                break
            time.sleep(0.1)

    assert answers[-1].ok
    assert all("busy" in one.errors[0] for one in answers[:-1])


def test_a_peer_that_hangs_up_in_the_middle_is_forgotten(serve, path):
    begun, go_on = threading.Event(), threading.Event()

    def slow(_arguments, _peer):
        begun.set()
        go_on.wait(10)
        return {}

    serve({"slow": Service(answer=slow), "echo": Service(answer=lambda *_: {})})
    with connected(path) as peer:
        peer.sendall(Request(command="slow").line())
        assert begun.wait(10)
    go_on.set()

    assert ask(path).ok


def test_what_nobody_knows_is_told_with_the_nearest_name():
    answer = Desk({"status": Service(answer=lambda *_: {})}).handle(Request(command="statsu"), Peer(1, 0, 0))

    assert answer.errors == ("the service does not know 'statsu' (did you mean 'status'?)",)


@pytest.mark.parametrize(("uid", "may"), [(0, True), (os.geteuid(), True), (os.geteuid() + 4242, False)])
def test_only_root_and_the_services_own_user_may_change_anything(uid, may):
    done = []

    def change(*_):
        done.append(1)
        return {}

    desk = Desk({"set": Service(answer=change, changes=True)})

    answer = desk.handle(Request(command="set"), Peer(1, uid, 0))

    assert (answer.ok, bool(done)) == (may, may)
    assert may or "only root and the service's own user may" in answer.errors[0]


def test_the_kernel_says_who_asks(serve, path):
    seen = []

    def look(_arguments, peer):
        seen.append(peer)
        return {}

    serve({"echo": Service(answer=look)})
    ask(path)

    assert seen == [Peer(os.getpid(), os.geteuid(), os.getegid())]


def test_a_bug_in_an_answer_is_told_and_the_next_one_is_answered():
    def broken(_arguments, _peer):
        raise KeyError("x")

    def refusing(_arguments, _peer):
        raise RequestRefused("no", "not now")

    desk = Desk({"bug": Service(answer=broken), "no": Service(answer=refusing)})

    assert desk.handle(Request(command="bug"), Peer(1, 0, 0)).errors[0].startswith("bug: a bug: KeyError")
    assert desk.handle(Request(command="no"), Peer(1, 0, 0)).errors == ("no", "not now")
