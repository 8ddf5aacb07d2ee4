"""A cluster of three PostgreSQL servers under Patroni, with etcd, on the loopback interface.

It needs `pip install 'patroni[etcd3]'`, and etcd (Debian: etcd-server). Nodes run as the user nobody where we are root,
because PostgreSQL refuses to run as root.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

import psycopg
import urllib3
import yaml

from tests.support.postgres import PostgresError, folder_for_all, runnable_programs, unprivileged_account

NODES = 3
START_SECONDS = 90.0


class Cluster:
    """The nodes by name, and the URL under which the leader is reached."""

    def __init__(self, folder: Path, account: dict[str, Any], *, strict: bool) -> None:
        self.folder, self.account = folder, account
        self.programs = runnable_programs(folder, account)
        self.etcd = free_port()
        self.ports = {f"node{number}": (free_port(), free_port()) for number in range(1, NODES + 1)}
        self.strict = strict
        self.patronis: dict[str, subprocess.Popen[bytes]] = {}
        hosts = "&".join(f"host=127.0.0.1:{port}" for port, _ in self.ports.values())
        self.url = f"postgresql://postgres@/postgres?{hosts}&target_session_attrs=read-write"

    def leader(self) -> str | None:
        """The name of the node that leads and can be written; None while there is none."""
        for name, (port, _) in self.ports.items():
            with suppress(psycopg.Error), closing(self.connect(port)) as connection:
                row = connection.execute("SELECT pg_is_in_recovery()").fetchone()
                if row == (False,):
                    return name
        return None

    def connect(self, port: int) -> psycopg.Connection:
        return psycopg.connect(f"host=127.0.0.1 port={port} user=postgres dbname=postgres connect_timeout=2",
                               autocommit=True)  # fmt: skip

    def ask(self, name: str, statement: str) -> list[Any]:
        with closing(self.connect(self.ports[name][0])) as connection:
            return connection.execute(statement.encode()).fetchall()

    def wait_until_whole(self) -> str:
        """Waits until there is a leader that all others follow, in strict mode synchronously; its name."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with suppress(psycopg.Error):
                name = self.leader()
                if name is not None:
                    states = [row[0] for row in self.ask(name, "SELECT sync_state FROM pg_stat_replication"
                                                               " WHERE state = 'streaming'")]  # fmt: skip
                    if len(states) == NODES - 1 and (not self.strict or {"sync", "quorum"} & set(states)):
                        return name
            time.sleep(0.2)
        raise PostgresError(f"The cluster is not whole after {START_SECONDS} seconds: {self.last_words()}")

    def stall_senders(self, name: str) -> None:
        """Stops the processes that send the log of a leader, so that its standbys receive nothing more."""
        for (pid,) in self.ask(name, "SELECT pid FROM pg_stat_replication"):
            os.kill(pid, signal.SIGSTOP)

    def kill(self, name: str) -> None:
        """SIGKILL to Patroni and PostgreSQL on a node, to all their processes, as if its machine had gone."""
        self.patronis[name].kill()
        self.patronis[name].wait()
        postmaster = int((self.folder / name / "data/postmaster.pid").read_text().split()[0])
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(postmaster)], capture_output=True, text=True)
        for pid in (postmaster, *map(int, children.stdout.split())):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def start(self, name: str) -> None:
        """Starts Patroni on a node, and with it PostgreSQL: as a standby where another node leads."""
        node = self.folder / name
        with (node / "patroni.log").open("ab") as log:
            self.patronis[name] = run_quietly([*patroni_command(self.account), f"{node}.yml"], log, self.account)

    def stop(self) -> None:
        for name, patroni in self.patronis.items():
            if patroni.poll() is None and (self.folder / name / "data/postmaster.pid").exists():
                self.kill(name)
            patroni.kill()
            patroni.wait()

    def last_words(self) -> str:
        logs = [self.folder / name / "patroni.log" for name in self.ports]
        return "\n".join(log.read_text("utf-8", "replace")[-1500:] for log in logs if log.exists())

    def configuration(self, name: str) -> dict[str, Any]:
        """Patroni's configuration of a node; a leader whose PostgreSQL died is replaced, and not started again."""
        port, api = self.ports[name]
        access = {"username": "postgres", "password": "unused"}
        return {
            "scope": "newswire", "name": name, "restapi": {"listen": f"127.0.0.1:{api}"},
            "etcd3": {"host": f"127.0.0.1:{self.etcd}"},
            "bootstrap": {
                "dcs": {
                    "ttl": 20, "loop_wait": 1, "retry_timeout": 3, "primary_start_timeout": 0,
                    "maximum_lag_on_failover": 64 * 1024 * 1024,
                    "synchronous_mode": self.strict, "synchronous_mode_strict": self.strict,
                    "postgresql": {"use_pg_rewind": True,
                                   "parameters": {"wal_log_hints": "on", "wal_keep_size": "256MB"}},
                },
                "initdb": [{"encoding": "UTF8"}, {"locale": "C"}, {"locale-provider": "builtin"},
                           {"builtin-locale": "C.UTF-8"}],
            },
            "postgresql": {
                "listen": f"127.0.0.1:{port}", "connect_address": f"127.0.0.1:{port}",
                "data_dir": str(self.folder / name / "data"), "bin_dir": str(self.programs),
                "pgpass": str(self.folder / name / "pgpass"),
                "authentication": {"superuser": access, "replication": access, "rewind": access},
                "parameters": {"unix_socket_directories": "", "max_connections": 100},
                "pg_hba": ["host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust"],
            },
        }  # fmt: skip


@contextmanager
def patroni_cluster(etcd: str, *, strict: bool) -> Iterator[Cluster]:
    """A whole cluster; all of it is gone after the block."""
    with folder_for_all() as folder, ExitStack() as ending:
        account = unprivileged_account(folder) if os.geteuid() == 0 else {}
        cluster = Cluster(folder, account, strict=strict)
        peer = free_port()
        client, peers = f"http://127.0.0.1:{cluster.etcd}", f"http://127.0.0.1:{peer}"
        log = ending.enter_context((folder / "etcd.log").open("ab"))
        keys = run_quietly([
            etcd, "--data-dir", str(folder / "etcd"), "--listen-client-urls", client, "--advertise-client-urls", client,
            "--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers,
            "--initial-cluster", f"default={peers}",
        ], log, account)  # fmt: skip
        ending.callback(keys.wait)
        ending.callback(keys.kill)
        wait_for_etcd(client)
        ending.callback(cluster.stop)
        for name in cluster.ports:
            (folder / name).mkdir()
            unprivileged_account(folder / name) if account else None
            (folder / f"{name}.yml").write_text(yaml.safe_dump(cluster.configuration(name)))
            cluster.start(name)
        cluster.wait_until_whole()
        yield cluster


def run_quietly(command: list[str], log: IO[bytes], account: dict[str, Any]) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "PYTHONPATH": packages_folder(), "HOME": str(Path(log.name).parent)}
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
                            cwd=Path(log.name).parent, **account)  # fmt: skip


def patroni_command(account: dict[str, Any]) -> list[str]:
    """Patroni, run by our Python, or by the system's of the same version where `account` cannot run ours."""
    python = sys.executable
    try:
        subprocess.run([python, "--version"], check=True, capture_output=True, **account)
    except (PermissionError, subprocess.CalledProcessError):
        python = f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    return [python, "-m", "patroni"]


def packages_folder() -> str:
    found = find_spec("patroni")
    assert found is not None
    return str(Path(str(found.origin)).parent.parent)


def what_is_missing(etcd: str | None) -> str | None:
    """The sentence about what has to be installed first, or None."""
    if find_spec("patroni") is None:
        return "Patroni is not installed: pip install 'patroni[etcd3]'"
    if etcd is None or shutil.which(etcd) is None:
        return "etcd is not installed (Debian: apt install etcd-server); or say where it is with --etcd FILE"
    return None


def wait_for_etcd(client: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with suppress(urllib3.exceptions.HTTPError, ValueError):
            answer = urllib3.request("GET", f"{client}/health", timeout=2, retries=False)
            if json.loads(answer.data).get("health") == "true":
                return
        time.sleep(0.1)
    raise PostgresError("etcd does not start.")


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        return int(taken.getsockname()[1])
