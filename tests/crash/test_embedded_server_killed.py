"""The embedded server comes back after a kill -9, whatever its pid files say."""

import os
import signal
import subprocess
import time
from pathlib import Path

import psycopg
import pytest

from retention.settings import Settings
from retention.warehouse import embedded
from retention.warehouse.account import run_as, server_account
from retention.warehouse.connection import connect


def kill(settings: Settings) -> Path:
    """Kill the server and return its data folder."""
    running = embedded.running(settings)
    home = embedded.files(settings)
    assert running is not None
    assert home is not None
    os.kill(running.pid, signal.SIGKILL)
    while embedded.running(settings) is not None:
        time.sleep(0.01)
    return home / "data"


def test_what_was_committed_is_there_and_what_was_not_is_not(own_server: Settings) -> None:
    """Also where nobody collects the dead server, whose number then stays taken."""
    with connect(own_server) as conn:
        conn.execute("create table public.kept (id int)")
        conn.execute("insert into public.kept values (1)")
        conn.commit()
        conn.execute("insert into public.kept select generate_series(2, 50000)")
        kill(own_server)
        with pytest.raises(psycopg.OperationalError):
            conn.execute("select pg_sleep(60)")  # ends when its process notices
    for _ in range(2):
        with connect(own_server) as conn:
            assert conn.execute("select id from public.kept").fetchall() == [(1,)]
        kill(own_server)


def test_a_pid_file_that_names_somebody_else_is_not_believed(own_server: Settings) -> None:
    """After a restart of the machine the number may be another process of the same account."""
    embedded.start(own_server)
    data = kill(own_server)
    time.sleep(0.5)
    pid_file = data / "postmaster.pid"
    with subprocess.Popen(["sleep", "60"], **run_as(server_account(data))) as other:
        lines = pid_file.read_text().splitlines()
        pid_file.write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")
        assert embedded.running(own_server) is None
        with connect(own_server) as conn:
            assert conn.execute("select 1").fetchone() == (1,)
        assert embedded.stop(own_server)
        assert other.poll() is None
        other.kill()
