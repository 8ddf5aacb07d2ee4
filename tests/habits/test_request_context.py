"""What is known of a request lies in its `RequestContext`, which the pipeline makes and hands on, and nowhere else."""

import ast
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from inspect import signature
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from flask import Flask

import newswire
from newswire.api.routes import ROUTES
from newswire.app import create_app
from newswire.config import Settings
from tests.support.cases import case
from tests.support.wire import Wire

PACKAGE = Path(newswire.__file__).parent
PIPELINE, MIDDLEWARE = PACKAGE / "api" / "pipeline.py", PACKAGE / "api" / "cache" / "middleware.py"
MODULES = sorted(PACKAGE.rglob("*.py"))
MOST_PIPELINE_FILES, MOST_FILES = 8, 20
"""Files of `api` around a view, and all: the others, of `wire`, `store` and the clock, read the head."""


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def test_only_the_pipeline_keeps_anything_in_flask() -> None:
    for path in MODULES:
        with case(name_of(path)):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ImportFrom) and node.module == "flask":
                    proxies = {alias.name for alias in node.names} & {"g", "request", "session", "current_app"}
                    assert path == PIPELINE or not proxies, f"line {node.lineno} takes {proxies} out of Flask"
                if isinstance(node, ast.Import):
                    assert "flask" not in {alias.name for alias in node.names}, (
                        "names are imported from Flask, not Flask"
                    )


def test_only_the_page_cache_keeps_anything_in_the_environment_of_wsgi() -> None:
    for path in MODULES:
        with case(name_of(path)):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
                    stored_in = ast.unparse(node.value).rpartition(".")[2]
                    # The server makes the environment.
                    assert path == MIDDLEWARE or path.parent.name == "server" or stored_in != "environ", (
                        f"line {node.lineno} writes into the environment"
                    )


def test_the_environment_of_wsgi_holds_one_key_of_ours(wire: Wire) -> None:
    caller = wire.as_partner()
    found: set[str] = set()
    inner = wire.app.wsgi_app

    def watched(environ: dict[str, Any], start_response: Any) -> Any:
        answer = inner(environ, start_response)
        found.update(name for name in environ if name.startswith("newswire"))
        return answer

    wire.app.wsgi_app = watched  # type: ignore[method-assign]
    for path in ("/v1/articles?limit=2", "/v1/changes", "/v1/me", "/healthz"):
        assert caller.get(path).status_code == 200
    assert found == {"newswire.page_cache"}


def test_flask_is_used_as_it_is(fresh_sqlite: str) -> None:
    app = create_app(Settings(database_url=fresh_sqlite))
    assert type(app) is Flask
    assert {name for name in vars(app) if callable(getattr(Flask, name, None))} == {"wsgi_app"}
    assert all(rule.endpoint in app.view_functions for rule in app.url_map.iter_rules())
    app.config["NEWSWIRE"].close()


def test_a_view_takes_the_context_first() -> None:
    for route in ROUTES:
        assert next(iter(signature(route.view).parameters)) == "context", route.view.__name__


@contextmanager
def files_around_views() -> Iterator[set[str]]:
    """The files of Newswire in which anything runs in this thread while no view does."""
    found: set[str] = set()

    def note(frame: FrameType, event: str, argument: object) -> None:
        file = frame.f_code.co_filename
        if event == "call" and file.startswith(str(PACKAGE)):
            above: FrameType | None = frame
            while above is not None and "/api/views/" not in above.f_code.co_filename:
                above = above.f_back
            if above is None:
                found.add(file.removeprefix(f"{PACKAGE}/"))

    sys.setprofile(note)
    try:
        yield found
    finally:
        sys.setprofile(None)


@pytest.mark.parametrize("path", ["/v1/articles/{id}?_={n}", "/v1/articles?limit=2&_={n}", "/v1/changes?_={n}"])
def test_few_files_stand_before_and_behind_a_view(wire: Wire, path: str) -> None:
    article, caller = wire.as_publisher().publish("Cocoa"), wire.as_partner()
    # What is done once, and what the second request finds in a cache, is no part of the way.
    for number in range(2):
        assert caller.get(path.format(id=article["id"], n=number)).status_code == 200
    with files_around_views() as files:
        assert caller.get(path.format(id=article["id"], n=2)).status_code == 200
    assert files >= {"api/pipeline.py", "api/cache/middleware.py", "api/context.py", "wire.py"}
    steps = [file for file in files if file.startswith("api/")]
    assert len(steps) <= MOST_PIPELINE_FILES, "\n".join(sorted(steps))
    assert len(files) <= MOST_FILES, "\n".join(sorted(files))
