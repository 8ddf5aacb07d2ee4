"""The internals of gunicorn that newswire/server overrides, calls or replaces are the ones that it was written for.

None of them is documented API, so any release may change them. When a test fails here: read the named function in the
new release beside the named file of ours, see whether our code still does what its comments say, and only then put
the new digest into the table.
"""

import inspect
from hashlib import sha256
from importlib import import_module
from operator import attrgetter
from typing import Any

import pytest
from gunicorn.config import Config

from newswire.server import gunicorn_patches
from newswire.server.gunicorn_patches import cached_http_date, freeze_settings
from newswire.server.gunicorn_worker import WebProcess
from newswire.server.supervisor import GunicornLogger, ServerApplication, Supervisor

WORKER = "newswire/server/gunicorn_worker.py"
EXCHANGE = "newswire/server/exchange.py"
SUPERVISOR = "newswire/server/supervisor.py"
PATCHES = "newswire/server/gunicorn_patches.py"
STREAMS = "newswire/api/views/streams.py"
"""Reads the `ResponseSocket` of the request from the environ key that gunicorn adds."""

PINNED = {
    "gunicorn.workers.base:Worker.__init__": (WORKER, "e0f1de2d6057"),
    "gunicorn.workers.base:Worker.handle_exit": (WORKER, "e2f7159c426d"),
    "gunicorn.workers.base:Worker.handle_quit": (WORKER, "2944b4132761"),
    "gunicorn.workers.base:Worker.init_process": (WORKER, "114caccd7a0e"),
    "gunicorn.workers.base:Worker.init_signals": (WORKER, "65442e0602b0"),
    "gunicorn.workers.base:Worker.notify": (WORKER, "7f509bc4046b"),
    "gunicorn.http.body:LengthReader.__init__": (EXCHANGE, "1c04507563bb"),
    "gunicorn.http.message:HeaderPolicy._apply_header_policy": (EXCHANGE, "ac812cc2fe6b"),
    "gunicorn.http.message:Message.__init__": (EXCHANGE, "14b64a40f29f"),
    "gunicorn.http.message:Message.parse_headers": (EXCHANGE, "fe09a6b5e706"),
    "gunicorn.http.message:Message.set_body_reader": (EXCHANGE, "e3ba33f5ac7c"),
    "gunicorn.http.message:Message.should_close": (EXCHANGE, "37c454bfb3e3"),
    "gunicorn.http.message:Request._parse_fast": (EXCHANGE, "b4ab188cc0f9"),
    "gunicorn.http.message:Request._parse_python": (EXCHANGE, "ed07ffec5178"),
    "gunicorn.http.message:Request.parse": (EXCHANGE, "34c084607ae1"),
    "gunicorn.http.message:Request.parse_request_line": (EXCHANGE, "77187ebabb46"),
    "gunicorn.http.message:Request.read_into": (EXCHANGE, "3f959e4da304"),
    "gunicorn.http.message:Request.read_line": (EXCHANGE, "13bf2e83f72a"),
    "gunicorn.http.message:Request.set_body_reader": (EXCHANGE, "db5c46d4c717"),
    "gunicorn.http.wsgi:Response.__init__": (EXCHANGE, "904d95d8358a"),
    "gunicorn.http.wsgi:Response.close": (EXCHANGE, "1e78fc7777ff"),
    "gunicorn.http.wsgi:Response.send_headers": (EXCHANGE, "7aff3b7d004f"),
    "gunicorn.http.wsgi:Response.should_close": (EXCHANGE, "3888d47a96e2"),
    "gunicorn.http.wsgi:Response.start_response": (EXCHANGE, "59799d9ff136"),
    "gunicorn.http.wsgi:Response.write": (EXCHANGE, "a13659ff072c"),
    "gunicorn.http.wsgi:create": (EXCHANGE, "2c35d4a2dc62"),
    "gunicorn.util:write": (EXCHANGE, "cd995031295f"),
    "gunicorn.util:write_chunk": (EXCHANGE, "9cd46540c593"),
    "gunicorn.app.base:BaseApplication.__init__": (SUPERVISOR, "7b95f575e050"),
    "gunicorn.app.base:BaseApplication.do_load_config": (SUPERVISOR, "502f5dc865f1"),
    "gunicorn.arbiter:Arbiter.__init__": (SUPERVISOR, "53b20d752bbb"),
    "gunicorn.arbiter:Arbiter.handle_hup": (SUPERVISOR, "50de80005cd6"),
    "gunicorn.arbiter:Arbiter.handle_int": (SUPERVISOR, "353549167963"),
    "gunicorn.arbiter:Arbiter.handle_term": (SUPERVISOR, "93d583480a66"),
    "gunicorn.arbiter:Arbiter.manage_workers": (SUPERVISOR, "518f2dd040ef"),
    "gunicorn.arbiter:Arbiter.run": (SUPERVISOR, "1ddfab9d644f"),
    "gunicorn.arbiter:Arbiter.spawn_worker": (SUPERVISOR, "6abc0d90b0b9"),
    "gunicorn.arbiter:Arbiter.stop": (SUPERVISOR, "7138b6afd9c4"),
    "gunicorn.glogging:Logger.__init__": (SUPERVISOR, "508cb885e4c0"),
    "gunicorn.glogging:Logger.access": (SUPERVISOR, "45fce61c353b"),
    "gunicorn.glogging:Logger.setup": (SUPERVISOR, "17c79acdddea"),
    "gunicorn.config:Config.__getattr__": (PATCHES, "ff80f0fbda2e"),
    "gunicorn.config:Config.__setattr__": (PATCHES, "6edbf4cc937a"),
    "gunicorn.config:Setting.get": (PATCHES, "b1c2bf3ba367"),
    "gunicorn.http.message:Request.__init__": (PATCHES, "f1feb7cdea22"),
    "gunicorn.http.wsgi:Response.default_headers": (PATCHES, "cb490cea5d6f"),
    "gunicorn.util:http_date": (PATCHES, "c67e491c15bd"),
    "gunicorn.http.wsgi:default_environ": (STREAMS, "b7e18b84d829"),
}
"""Function of gunicorn -> our file that relies on it, and the first digits of the SHA-256 of the function's source."""

DOCUMENTED = {
    "gunicorn.app.base:BaseApplication.load",
    "gunicorn.app.base:BaseApplication.load_config",
    "gunicorn.workers.base:Worker.run",
}
"""What gunicorn's page "Custom Application" and the docstring in the source tell everybody to override."""


def find_function(name: str) -> Any:
    module, path = name.split(":")
    return attrgetter(path)(import_module(module))


def digest_source(function: Any) -> str:
    return sha256(inspect.getsource(function).encode()).hexdigest()[:12]


def name_overridden(cls: type, attribute: str) -> str | None:
    """The function of gunicorn that an attribute of our class takes the place of, as the table writes it."""
    for ancestor in cls.__mro__[1:]:
        if ancestor is not object and attribute in vars(ancestor) and callable(vars(ancestor)[attribute]):
            return f"{ancestor.__module__}:{ancestor.__qualname__}.{attribute}"
    return None


@pytest.mark.parametrize("name", PINNED)
def test_a_function_of_gunicorn_is_the_one_that_our_code_was_written_for(name: str) -> None:
    ours, digest = PINNED[name]
    function = find_function(name)
    source = inspect.getsourcefile(function)
    assert digest_source(function) == digest, (
        f"{name} has changed: read {source} beside {ours}, then pin the new digest"
    )


@pytest.mark.parametrize("cls", [WebProcess, Supervisor, ServerApplication, GunicornLogger])
def test_every_method_of_gunicorn_that_we_override_is_pinned(cls: type) -> None:
    overridden = {name_overridden(cls, attribute) for attribute in vars(cls)} - {None}
    assert overridden - PINNED.keys() - DOCUMENTED == set()


def test_the_cached_date_is_gunicorns_own_for_any_second() -> None:
    for timestamp in (0, 1_700_000_000, 1_700_000_000.9, 1_700_000_001):
        assert cached_http_date(timestamp) == gunicorn_patches.format_http_date(int(timestamp))


def test_frozen_settings_are_the_same_settings() -> None:
    plain, frozen = Config(), Config()
    for config in (plain, frozen):
        config.set("threads", 7)
        config.set("keepalive", 75)
    freeze_settings(frozen)
    assert {name: getattr(frozen, name) for name in plain.settings} == {
        name: getattr(plain, name) for name in plain.settings
    }
