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
SUPERVISOR = "newswire/server/supervisor.py"
PATCHES = "newswire/server/gunicorn_patches.py"
STREAMS = "newswire/api/views/streams.py"
"""Reads the socket of the request from the environ key that gunicorn adds."""

PINNED = {
    "gunicorn.workers.base:Worker.init_process": (WORKER, "114caccd7a0e"),
    "gunicorn.workers.base:Worker.init_signals": (WORKER, "65442e0602b0"),
    "gunicorn.workers.gthread:PollableMethodQueue.defer": (WORKER, "4d722900967b"),
    "gunicorn.workers.gthread:ThreadWorker.enqueue_req": (WORKER, "c9f428953d24"),
    "gunicorn.workers.gthread:ThreadWorker.finish_request": (WORKER, "616e7bb15a00"),
    "gunicorn.workers.gthread:ThreadWorker.handle": (WORKER, "ca85c9be3df7"),
    "gunicorn.workers.gthread:ThreadWorker.handle_exit": (WORKER, "b4e7decd4f92"),
    "gunicorn.workers.gthread:ThreadWorker.handle_request": (WORKER, "6d0de5b91910"),
    "gunicorn.workers.gthread:ThreadWorker.init_process": (WORKER, "e4fc63a1a68e"),
    "gunicorn.workers.gthread:ThreadWorker.is_parent_alive": (WORKER, "3517612f7763"),
    "gunicorn.workers.gthread:ThreadWorker.run": (WORKER, "f92c7394d857"),
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
}
"""What gunicorn's page "Custom Application" tells everybody to override."""


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
