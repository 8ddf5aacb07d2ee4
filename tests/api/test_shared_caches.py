"""NEWSWIRE_SHARED_MAX_AGE: what caches on the way may answer with, and what they may never keep."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from werkzeug.test import TestResponse

from newswire.config import Settings, SettingsError
from newswire.quotas import parse_quotas
from tests.support.databases import ENGINES, empty_database
from tests.support.wire import Caller, Wire

SHARED = "public, max-age=0, must-revalidate, s-maxage=30"


class PublicWire(Wire):
    """A wire that everyone may read, with an article and a saved feed of a partner."""

    def __init__(self, url: str) -> None:
        limits = parse_quotas(["read=1000/60s"])
        super().__init__(url, public_read=True, shared_max_age=30, limits=limits)
        self.article = self.as_publisher().publish("Cocoa rises", section="World", authors=[{"name": "Ann Lee"}])
        self.address = f"/v1/articles/{self.article['id']}"
        self.partner = self.as_partner()
        self.token = self.partner.post("/v1/feeds", json={"name": "desk", "query": ""}).get_json()["token"]
        self.pages = [
            "/v1/articles", "/v1/articles?q=cocoa&sort=relevance", "/v1/articles.rss", "/v1/articles.atom",
            "/v1/articles.json", "/v1/articles.ninjs", self.address, f"{self.address}.html", f"{self.address}.md",
            f"{self.address}/versions/1", "/v1/sections", "/v1/publishers", "/v1/authors",
        ]  # fmt: skip


@pytest.fixture(scope="module", params=ENGINES)
def wire(request: pytest.FixtureRequest) -> Iterator[PublicWire]:
    with empty_database(request, request.param) as url, closing(PublicWire(url)) as made:
        yield made


def may_be_shared(response: TestResponse) -> bool:
    return "s-maxage" in response.headers["Cache-Control"]


def test_pages_of_the_public_may_be_shared_and_browsers_ask_again(wire: PublicWire) -> None:
    for path in wire.pages:
        for encoding in ("gzip", "identity"):
            # The second answer comes from our own cache, where there is one.
            for _ in range(2):
                found = wire.client.get(path, headers={"Accept-Encoding": encoding})
                assert (found.status_code, found.headers["Cache-Control"]) == (200, SHARED), path
                assert {"Authorization", "Accept-Encoding"} <= {*found.headers["Vary"].split(", ")}
                # Whose requests are left says nothing to the next reader.
                assert "RateLimit" not in found.headers
            held = {"If-None-Match": found.headers["ETag"], "Accept-Encoding": encoding}
            for _ in range(2):
                unchanged = wire.client.get(path, headers=held)
                assert (unchanged.status_code, unchanged.headers["Cache-Control"]) == (304, SHARED), path
                assert unchanged.headers["Vary"] == found.headers["Vary"]
            head = wire.client.head(path, headers={"Accept-Encoding": encoding})
            assert head.headers["Cache-Control"] == SHARED


def test_what_depends_on_the_caller_is_private(wire: PublicWire) -> None:
    for caller in (wire.partner, wire.as_publisher(), wire.as_admin()):
        for path in wire.pages:
            for _ in range(2):
                found = caller.get(path)
                assert found.status_code == 200
                assert found.headers["Cache-Control"] == "private, no-cache"
                assert "Authorization" in found.headers["Vary"]
                assert "RateLimit" in found.headers
    for path in (f"/v1/feeds/desk.rss?token={wire.token}", f"/v1/feeds/desk.json?token={wire.token}"):
        assert wire.client.get(path).headers["Cache-Control"] == "private, no-cache"


def test_changes_streams_and_refusals_are_never_shared(wire: PublicWire) -> None:
    for path in ("/v1/changes", "/v1/changes?start=now", "/v1/changes.ninjs", "/v1/wire", "/v1/me",
                 f"{wire.address}/versions", "/v1/articles?status=withheld", "/v1/problems", "/healthz"):  # fmt: skip
        for _ in range(2):
            found = wire.client.get(path)
            assert found.status_code == 200
            assert not may_be_shared(found), path
    for media in ("text/event-stream", "application/x-ndjson"):
        stream = wire.client.get("/v1/changes?start=now", headers={"Accept": media})
        assert not may_be_shared(stream)
        stream.close()
    for path in ("/v1/articles?unknown=1", "/v1/articles/none", "/v1/feeds/desk.rss?token=x", "/v1/nowhere"):
        refused = wire.client.get(path)
        assert refused.status_code >= 400
        assert refused.headers["Cache-Control"] == "no-store", path


def test_the_public_is_still_counted(fresh_sqlite: str) -> None:
    with closing(Wire(fresh_sqlite, public_read=True, shared_max_age=30, trusted_proxies="10.0.0.1",
                      limits=parse_quotas(["read=3/60s"]))) as wire:  # fmt: skip
        tag = wire.client.get("/v1/articles").headers["ETag"]
        # A 304 costs nothing, here as elsewhere.
        for _ in range(9):
            assert wire.client.get("/v1/articles", headers={"If-None-Match": tag}).status_code == 304
        statuses = [wire.client.get("/v1/articles").status_code for _ in range(4)]
        assert statuses == [200, 200, 429, 429]
        assert wire.client.get("/v1/articles").headers["Cache-Control"] == "no-store"


def test_exactness_comes_first_without_the_setting(fresh_sqlite: str) -> None:
    with closing(Wire(fresh_sqlite, public_read=True)) as wire:
        for _ in range(2):
            assert wire.client.get("/v1/articles").headers["Cache-Control"] == "public, no-cache"
    assert Settings().shared_max_age == 0


def test_a_wire_that_needs_keys_shares_nothing(fresh_sqlite: str) -> None:
    with closing(Wire(fresh_sqlite, shared_max_age=30)) as wire:
        partner: Caller = wire.as_partner()
        for _ in range(2):
            assert partner.get("/v1/articles").headers["Cache-Control"] == "private, no-cache"
        assert wire.client.get("/v1/articles").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("value", ["-1", "1.5", "a minute", "", "86401", "1e3", "١", "999999999999"])
def test_the_setting_is_a_number_of_seconds_up_to_a_day(value: str) -> None:
    with pytest.raises(SettingsError, match="NEWSWIRE_SHARED_MAX_AGE must be a whole number of seconds"):
        Settings.from_env({"NEWSWIRE_SHARED_MAX_AGE": value})
    assert Settings.from_env({"NEWSWIRE_SHARED_MAX_AGE": "86400"}).shared_max_age == 86_400
