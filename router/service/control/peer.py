"""Who is at the other end of the socket, by the kernel's word."""

from __future__ import annotations

import os
import pwd
import socket
import struct
from dataclasses import dataclass

_UCRED = struct.Struct("3i")
ROOT = 0


@dataclass(frozen=True, slots=True)
class Peer:
    """The process that connected, as it was then (SO_PEERCRED, unix(7))."""

    pid: int
    uid: int
    gid: int

    @classmethod
    def of(cls, connection: socket.socket) -> Peer:
        raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
        return cls(*_UCRED.unpack(raw))

    @property
    def may_change(self) -> bool:
        """Reading is whoever's the socket's mode lets in; changing is root's and the service's own user's."""
        return self.uid in (ROOT, os.geteuid())

    @property
    def name(self) -> str:
        """The user's name, or the number where it has none here."""
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return f"uid {self.uid}"
