"""What the embedded server is set to.

Belongs here: its settings with their reasons. Does not belong here: passing them on (cluster.py).
"""

import os
from pathlib import Path

from retention.ports import LOOPBACK

# sun_path holds 107 bytes, and the server appends a file name of up to 17.
_MAX_SOCKET_FOLDER = 90

# No statement, parameter, detail or error text reaches the log: each may hold a personal value.
_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "fsync": "on",
    "password_encryption": "scram-sha-256",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "jit": "off",
}


def server_settings(port: int, sockets: Path) -> dict[str, str]:
    """Return the settings of a server on `port`, with its socket in the folder `sockets` unless
    that name is too long for one."""
    return _SETTINGS | {
        "port": str(port),
        "unix_socket_directories": str(sockets) if len(str(sockets)) <= _MAX_SOCKET_FOLDER else "",
        "dynamic_shared_memory_type": _shared_memory(),
    }


def locale_arguments(major: int) -> list[str]:
    """Return initdb's arguments for one locale that does not depend on the machine."""
    if major >= 17:
        # The same on every machine, whatever locales its C library has.
        return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    return ["--locale=C.UTF-8"]


def _shared_memory() -> str:
    """Containers often have a /dev/shm of 64 MB, on which parallel queries fail half-way."""
    try:
        room = os.statvfs("/dev/shm")  # noqa: S108 -- measured, not written to
    except FileNotFoundError:
        return "mmap" if os.name == "posix" and Path("/proc").exists() else "posix"
    return "posix" if room.f_frsize * room.f_blocks >= 2**30 else "mmap"
