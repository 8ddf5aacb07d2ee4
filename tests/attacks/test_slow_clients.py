"""Clients who are slow, silent, or do not read keep nobody else waiting, with a proxy before the server and without."""

import json
import resource
import select
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.support.attacking import SMALL_BUFFER, Target, many, raise_own_descriptors, read_all
from tests.support.command import Cli, waited
from tests.support.databases import empty_database

pytestmark = pytest.mark.slow

MIB = 1024 * 1024
SETTINGS = {"NEWSWIRE_STREAMS": "20", "NEWSWIRE_SECRET": "s" * 40}
"""Few streams, so that there are fewer threads than attackers."""
NGINX = """
daemon off; pid {folder}/nginx.pid; error_log stderr crit; worker_processes 1;
events {{ worker_connections 2048; }}
http {{
    access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; large_client_header_buffers 4 64k; client_max_body_size 64m;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://127.0.0.1:{backend};
            proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host;
        }}
    }}
}}
"""


@pytest.fixture(scope="module")
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    """One server, which all attacks of this module meet one after the other."""
    with empty_database(request, "sqlite") as url, closing(Target(Cli(url), "--workers", "1", env=SETTINGS)) as made:
        text = "cocoa rises in the market " * 800
        stories = [json.dumps({"headline": f"Story {number}", "body_text": text}) for number in range(100)]
        assert made.call("POST", "/v1/articles/batch", made.publisher, "\n".join(stories).encode(), seconds=60) == 200
        yield made


@pytest.fixture(scope="module", params=["alone", "nginx"])
def place(request: pytest.FixtureRequest, target: Target, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """The server itself, and behind nginx."""
    if request.param == "alone":
        yield target
        return
    nginx = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if nginx is None:
        pytest.skip("nginx is not installed: on Debian and Ubuntu, apt-get install nginx-light")
    folder = tmp_path_factory.mktemp("nginx")
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, backend=target.address[1]))
    with subprocess.Popen([nginx, "-p", str(folder), "-c", str(folder / "nginx.conf")]) as proxy:
        behind = object.__new__(Target)
        behind.__dict__ = target.__dict__ | {"address": ("127.0.0.1", port)}
        try:
            waited(lambda: is_open(behind), "nginx answers")
            yield behind
        finally:
            proxy.terminate()


def is_open(target: Target) -> bool:
    try:
        return target.call("GET", "/healthz") == 200
    except ConnectionError:
        return False


def test_clients_who_do_not_close_keep_nobody_waiting(place: Target) -> None:
    with many(place, place.head("GET /healthz", "Connection: close")) as connections:
        for connection in connections:
            assert b"200 OK" in connection.recv(4096)
        place.check_service()


def test_clients_who_send_half_a_head_keep_nobody_waiting(place: Target) -> None:
    with many(place, b"GET /healthz HTTP/1.1\r\nHost: wire.example\r\nX-Never: "):
        place.check_service()


def test_clients_who_send_nothing_keep_nobody_waiting(place: Target) -> None:
    with many(place, b""):
        place.check_service()


@pytest.mark.parametrize("who", ["nobody", "partner", "signer"])
def test_clients_who_send_half_a_body_keep_nobody_waiting(place: Target, who: str) -> None:
    request = {
        "nobody": place.head("POST /v1/articles", "Content-Length: 100000"),
        "partner": place.head("PUT /v1/consumers/c", "Content-Length: 1000", "Content-Type: application/json",
                              key=place.partner),
        "signer": place.head("POST /v1/articles", "Content-Length: 100000", "Content-Type: application/json",
                             f"X-Superdesk-Signature: sha1={'0' * 40}"),
    }[who]  # fmt: skip
    with many(place, request + b"{"):
        place.check_service()


def test_clients_who_do_not_read_take_neither_threads_nor_memory(target: Target) -> None:
    before = target.memory()
    request = target.head("GET /v1/articles?include=body&limit=100", "Accept-Encoding: identity", key=target.partner)
    with many(target, request, receive_buffer=SMALL_BUFFER) as connections:
        for connection in connections:
            # Some may be closed already, because too much is unsent: that is an event too.
            assert select.select([connection], [], [], 30)[0]
        target.check_service()
        assert target.memory() - before < 250 * MIB
        closed = "closed the connection of a client that did not read its response"
        target.server.wait_for(lambda: target.server.logged(closed), "a client that does not read is closed")


def test_a_head_or_body_that_does_not_arrive_in_time_is_answered_408(target: Target) -> None:
    silent = target.connect()
    dribbling = target.connect(b"GET /healthz HTTP/1.1\r\nHost: wire.example\r\nX: ")
    head = target.head("PUT /v1/consumers/c", "Content-Length: 1000", key=target.partner)
    bodies = [target.connect(head + b"{"), target.connect(head + b"{" * 20)]
    began = time.monotonic()
    while not select.select([silent], [], [], 0.5)[0]:
        assert time.monotonic() - began < 15
        for each in (dribbling, bodies[0]):
            each.sendall(b"x")
    with closing(silent):
        assert read_all(silent) == b""
    assert time.monotonic() - began > 9
    for connection in (dribbling, *bodies):
        with closing(connection):
            assert b"HTTP/1.1 408 Request Timeout" in read_all(connection)


def test_a_slow_reader_gets_the_whole_page(target: Target) -> None:
    request = target.head("GET /v1/articles?include=body&limit=100", "Accept-Encoding: identity", "Connection: close",
                          key=target.partner)  # fmt: skip
    with closing(target.connect(request, receive_buffer=SMALL_BUFFER)) as connection:
        time.sleep(1.0)
        head, _, body = read_all(connection).partition(b"\r\n\r\n")
    assert b"200 OK" in head
    assert len(json.loads(body)["data"]) == 100


def test_no_process_dies_of_too_few_descriptors(sqlite_cli: Cli) -> None:
    raise_own_descriptors(3000)
    few = (1024, 1024)
    target = Target(sqlite_cli, "--workers", "2", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, few))
    with closing(target):
        waited(lambda: len(target.processes()) == 2, "both web processes have started")
        processes = target.processes()
        with many(target, b"", count=2300):
            for _ in range(3):
                assert target.call("GET", "/healthz", seconds=15) == 200
            assert target.call("GET", "/v1/articles?limit=5", target.partner, seconds=15) == 200
        target.check_service(rounds=10)
        target.check_processes(processes)


def test_an_address_that_is_no_proxy_has_so_many_connections_and_no_more(sqlite_cli: Cli) -> None:
    settings = {"NEWSWIRE_CONNECTIONS_PER_ADDRESS": "5", "NEWSWIRE_TRUSTED_PROXIES": "10.0.0.0/8"}
    with closing(Target(sqlite_cli, "--workers", "1", env=settings)) as target, many(target, b"", count=5) as first:
        with many(target, b"", count=5) as second:
            for connection in second:
                assert read_all(connection) == b""
        assert not select.select(first, [], [], 0.2)[0]
        first[0].close()
        waited(lambda: is_open(target), "there is room for one more")


def test_the_server_has_met_no_defect(target: Target) -> None:
    target.check_processes(target.processes()[:1])
