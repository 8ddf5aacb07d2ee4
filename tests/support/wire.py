"""A wire with its HTTP interface in this process, and callers with keys."""

from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from newswire.accounts.keys import create_key, hash_key, revoke_key
from newswire.accounts.partners import add_partner, change_partner
from newswire.accounts.publishers import add_publisher, find_publisher
from newswire.app import create_app
from newswire.config import Settings
from newswire.store.database import Database
from newswire.store.tables import api_key
from newswire.timestamps import now


class Caller:
    """A client with a key that it sends with every request."""

    def __init__(self, client: FlaskClient, key: str) -> None:
        self.client = client
        self.key = key

    def call(self, method: str, path: str, **settings: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.key}", **settings.pop("headers", {})}
        return self.client.open(path, method=method, headers=headers, **settings)

    def get(self, path: str, **settings: Any) -> TestResponse:
        return self.call("GET", path, **settings)

    def post(self, path: str, **settings: Any) -> TestResponse:
        return self.call("POST", path, **settings)

    def put(self, path: str, **settings: Any) -> TestResponse:
        return self.call("PUT", path, **settings)

    def patch(self, path: str, **settings: Any) -> TestResponse:
        return self.call("PATCH", path, **settings)

    def delete(self, path: str, **settings: Any) -> TestResponse:
        return self.call("DELETE", path, **settings)

    def publish(self, headline: str = "Cocoa rises", **fields: Any) -> dict[str, Any]:
        """Posts an article that must be accepted, and returns it as served."""
        response = self.post("/v1/articles", json={"headline": headline, **fields})
        assert response.status_code == 201, response.text
        article: dict[str, Any] = response.get_json()
        return article

    def listed(self, query: str = "") -> list[str]:
        """The headlines of a list."""
        response = self.get(f"/v1/articles?{query}")
        assert response.status_code == 200, response.text
        return [article["headline"] for article in response.get_json()["data"]]

    def changes(self, after: int = 0) -> list[dict[str, Any]]:
        """Every entry of the wire after a position, page by page."""
        found: list[dict[str, Any]] = []
        while True:
            page = self.get(f"/v1/changes?after={after}").get_json()
            found += page["data"]
            after = page["page"]["next_after"]
            if not page["page"]["has_more"]:
                return found


class Wire:
    """The application on a database that is migrated and empty."""

    def __init__(self, database_url: str, **settings: Any) -> None:
        self.url = database_url
        self.app = create_app(Settings(database_url=database_url, **settings))
        self.database: Database = self.app.config["NEWSWIRE"].database
        self.client = self.app.test_client()
        self.is_sqlite = self.database.backend.name == "sqlite"

    def publisher_key(self, slug: str = "reuters", url: str | None = "https://news.example/", **settings: Any) -> str:
        with self.database.begin() as connection:
            if find_publisher(connection, slug) is None:
                add_publisher(connection, slug, slug.title(), url, "en", now())
            return create_key(connection, now=now(), publisher_slug=slug, **settings)

    def as_publisher(self, slug: str = "reuters", **settings: Any) -> Caller:
        return Caller(self.client, self.publisher_key(slug, **settings))

    def as_partner(self, slug: str = "partner", **limits: list[str]) -> Caller:
        with self.database.begin() as connection:
            add_partner(connection, slug, slug.title(), limits, now())
            return Caller(self.client, create_key(connection, now=now(), partner_slug=slug))

    def set_partner(self, slug: str, **limits: list[str]) -> None:
        with self.database.begin() as connection:
            change_partner(connection, slug, None, limits, now())

    def revoke(self, key: str) -> None:
        with self.database.begin() as connection:
            number = connection.scalar(select(api_key.c.id).where(api_key.c.digest == hash_key(key)))
            assert number is not None
            revoke_key(connection, number, now())

    def as_admin(self) -> Caller:
        with self.database.begin() as connection:
            return Caller(self.client, create_key(connection, now=now()))

    def close(self) -> None:
        self.app.config["NEWSWIRE"].close()
