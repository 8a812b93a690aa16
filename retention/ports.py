"""Loopback ports for the servers that we start.

Belongs here: whether one is free, and finding one. Does not belong here: which server gets it.
"""

import socket

LOOPBACK = "127.0.0.1"


def is_free(port: int) -> bool:
    """True when a server could listen on `port` of the loopback address now."""
    with socket.socket() as probe:
        # As servers do: a connection that was closed a moment ago does not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Return a port that the system says is free; somebody may take it before it is used."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
