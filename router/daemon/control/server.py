"""Listens on the control socket. Whatever a peer does or leaves undone, it costs the service a few file descriptors."""

from __future__ import annotations

import os
import selectors
import socket
import stat
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from router.daemon.control.protocol import LONGEST_REQUEST, BadRequest, Peer, Reply, Request, request_of

Handler = Callable[[Request, Peer], Reply]

ASKING = 64
"""Peers that have connected and not sent a request yet. One more, and the one that has been silent longest is
disconnected: a peer that sends its request at once always gets through."""
ANSWERING = 8
"""Requests that are worked on at the same time."""
ASK_WITHIN_S = 5.0
READ_WITHIN_S = 5.0
"""Seconds that a peer may take to send a request, and to read the reply."""
TICK_S = 0.5
MODE = 0o660


class SocketUnusable(Exception):
    """The control socket cannot be made; its text is one line."""


class ControlServer:
    """``start`` raises ``SocketUnusable``; ``close`` removes the socket."""

    def __init__(self, path: Path, handler: Handler) -> None:
        self.path = path
        self._handler = handler
        self._selector = selectors.DefaultSelector()
        self._asking: OrderedDict[socket.socket, tuple[float, bytearray]] = OrderedDict()
        self._slots = threading.BoundedSemaphore(ANSWERING)
        self._over = threading.Event()
        self._listener: socket.socket | None = None
        self._made: tuple[int, int] | None = None

    def start(self) -> None:
        """Opens the socket. It replaces a socket that a dead service left; one that another program serves stays as it
        is."""
        try:
            _make_room(self.path)
            self._listener = self._listen()
        except OSError as error:
            raise SocketUnusable(f"{self.path}: {error.strerror or error}") from error
        self._selector.register(self._listener, selectors.EVENT_READ)
        threading.Thread(target=self._serve, name="control", daemon=True).start()

    def close(self) -> None:
        self._over.set()
        if self._listener is not None:
            with suppress(OSError):
                found = self.path.lstat()
                if (found.st_dev, found.st_ino) == self._made:
                    self.path.unlink()
            self._listener.close()

    def _listen(self) -> socket.socket:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            listener.bind(str(self.path))
            found = self.path.lstat()
            self._made = (found.st_dev, found.st_ino)
            os.chmod(self.path, MODE)  # nobody can connect before it listens
            listener.listen(1024)
        except BaseException:
            listener.close()
            raise
        return listener

    def _serve(self) -> None:
        while not self._over.is_set():
            for key, _ in self._selector.select(TICK_S):
                if self._over.is_set():
                    break
                with suppress(OSError):  # the peer has gone, or there are no more descriptors
                    self._accept() if key.fileobj is self._listener else self._read(key.fileobj)  # type: ignore[arg-type]
            self._send_away_the_silent()
        for connection in list(self._asking):
            self._drop(connection)
        self._selector.close()

    def _accept(self) -> None:
        assert self._listener is not None, "it listens"
        try:
            connection, _ = self._listener.accept()
        except OSError:
            self._over.wait(0.05)  # out of descriptors: not a loop that burns the processor
            raise
        connection.setblocking(False)
        if len(self._asking) >= ASKING:
            self._drop(next(iter(self._asking)))
        self._asking[connection] = time.monotonic(), bytearray()
        self._selector.register(connection, selectors.EVENT_READ)

    def _read(self, connection: socket.socket) -> None:
        if connection not in self._asking:  # sent away a moment ago
            return
        _, read = self._asking[connection]
        try:
            data = connection.recv(LONGEST_REQUEST + 1 - len(read))
        except BlockingIOError:
            return
        except OSError:
            data = b""
        read += data
        if b"\n" in read:
            self._release(connection)
            self._answer_apart(connection, bytes(read[: read.index(b"\n") + 1]))
        elif not data:
            self._drop(connection)
        elif len(read) > LONGEST_REQUEST:
            self._release(connection)
            _send(connection, Reply(errors=(f"a request has at most {LONGEST_REQUEST} bytes",)), within=0.0)

    def _answer_apart(self, connection: socket.socket, line: bytes) -> None:
        if not self._slots.acquire(blocking=False):
            _send(connection, Reply(errors=("the service is busy with other requests; try again",)), within=0.0)
            return
        threading.Thread(target=self._answer, args=(connection, line), name="control-answer", daemon=True).start()

    def _answer(self, connection: socket.socket, line: bytes) -> None:
        try:
            _send(connection, self._handled(connection, line), within=READ_WITHIN_S)
        finally:
            self._slots.release()

    def _handled(self, connection: socket.socket, line: bytes) -> Reply:
        try:
            return self._handler(request_of(line), Peer.of(connection))
        except BadRequest as bad:
            return Reply(errors=(str(bad),))
        except OSError as error:
            return Reply(errors=(error.strerror or str(error),))

    def _send_away_the_silent(self) -> None:
        since = time.monotonic() - ASK_WITHIN_S
        for connection, (came, _) in list(self._asking.items()):
            if came < since:
                self._drop(connection)

    def _drop(self, connection: socket.socket) -> None:
        self._release(connection)
        connection.close()

    def _release(self, connection: socket.socket) -> None:
        self._asking.pop(connection, None)
        with suppress(KeyError, ValueError):
            self._selector.unregister(connection)


def _send(connection: socket.socket, answer: Reply, *, within: float) -> None:
    """Sends and closes. ``within`` is of the whole answer, in seconds: ``sendall`` counts its time-out so."""
    with connection, suppress(OSError):
        connection.settimeout(within)
        connection.sendall(answer.line())


def _make_room(path: Path) -> None:
    """Deletes the socket of a dead service. Raises ``OSError`` if anything else has the path."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise OSError(None, "another file, not a socket, has this name; it is left alone")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except TimeoutError:
            pass
    raise OSError(None, "another service listens there")
