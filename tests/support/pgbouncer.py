"""A PgBouncer in transaction mode in front of a temporary PostgreSQL, on the loopback interface.

The program is a package of the operating system (Debian: pgbouncer).
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from sqlalchemy import URL, make_url

from tests.support.postgres import Postgres, PostgresError, folder_for_all, unprivileged_account

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
SERVER_CONNECTIONS = 4
"""Fewer than the processes of a test open, so that they share sessions all the time."""
WAIT_SECONDS = 20.0

CONFIGURATION = """
[databases]
* = host={host} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {pool}
max_client_conn = 500
ignore_startup_parameters = {ignored}
"""


@contextmanager
def pgbouncer(server: Postgres, ignored: str = "extra_float_digits") -> Iterator[URL]:
    """The URL of a pooler, of which the database has to be set; `ignored` startup parameters it drops in silence."""
    assert PROGRAM is not None
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    with folder_for_all() as folder:
        file = folder / "pgbouncer.ini"
        file.write_text(CONFIGURATION.format(host=server.folder, port=port, pool=SERVER_CONNECTIONS, ignored=ignored))
        # It refuses to run as root, as PostgreSQL does.
        account = unprivileged_account(folder) if os.geteuid() == 0 else {}
        log = folder / "log"
        with log.open("w") as said:
            started = subprocess.Popen([PROGRAM, file], stdout=said, stderr=said, cwd=folder, **account)
        try:
            wait_for_port(port, started, log)
            yield make_url(f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres")
        finally:
            started.terminate()
            with suppress(subprocess.TimeoutExpired):
                started.wait(WAIT_SECONDS)
            started.kill()
            started.wait()


def wait_for_port(port: int, started: "subprocess.Popen[bytes]", log: Path) -> None:
    """Waits until connections are accepted; raises `PostgresError` with what the program has said."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1.0).close()
        except OSError:
            if started.poll() is not None or time.monotonic() > deadline:
                raise PostgresError(f"PgBouncer did not start: {log.read_text()}") from None
            time.sleep(0.05)
        else:
            return
