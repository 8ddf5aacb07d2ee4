"""Feed tokens of a wire of before schema 0012: those that a revocation had left without a key stay dead."""

from typing import Any

from sqlalchemy import Connection, text

from newswire.store.database import Database
from newswire.store.migrate import upgrade
from tests.migrations.older_wires import older_wire

LONG_AGO = 1_000
# For each party its keys (scopes, when it expires, when it was revoked), and whether its tokens survive the upgrade.
PARTIES: dict[str, tuple[list[tuple[str, int | None, int | None]], bool]] = {
    "revoked": ([("read", None, 2_000)], False),
    "rotated": ([("read", None, 2_000), ("read", None, None)], True),
    "revoked-after-the-other-had-expired": ([("read", 1_500, None), ("read", None, 2_000)], False),
    "expired-after-the-other-was-revoked": ([("read", None, 1_500), ("read", 2_000, None)], True),
    "revoked-after-it-had-expired": ([("read", 1_500, 2_000)], True),
    "revoked-with-years-to-go": ([("read", 2**40, 2_000)], False),
    "left-with-one-that-publishes": ([("publish read", None, 2_000), ("publish", None, None)], False),
    "never-had-one": ([], True),
}  # fmt: skip


def put_party(connection: Connection, number: int, slug: str, keys: list[tuple[str, int | None, int | None]]) -> None:
    def insert(table: str, **row: Any) -> None:
        names = ", ".join(row)
        connection.execute(text(f"INSERT INTO {table} ({names}) VALUES (:{', :'.join(row)})"), row)

    insert("publisher", id=number, slug=slug, name=slug, language="en", created_at=LONG_AGO)
    for each, (scopes, expires_at, revoked_at) in enumerate(keys):
        insert("api_key", digest=f"{slug}-{each}", hint="nw_", publisher_id=number, admin=False, scopes=scopes,
               created_at=LONG_AGO, expires_at=expires_at, revoked_at=revoked_at)  # fmt: skip
    insert("feed", party=f"publisher:{slug}", name="desk", query="{}", token=f"digest of {slug}",
           created_at=LONG_AGO, updated_at=LONG_AGO)  # fmt: skip


def test_an_upgrade_deletes_the_tokens_that_a_new_key_would_bring_back(empty_url: str) -> None:
    older_wire(empty_url, "0009")
    database = Database(empty_url)
    with database.begin() as connection:
        for number, (slug, (keys, _)) in enumerate(PARTIES.items(), 1000):
            put_party(connection, number, slug, keys)
    database.dispose()
    upgrade(empty_url)
    database = Database(empty_url)
    with database.read() as connection:
        kept = set(connection.scalars(text("SELECT party FROM feed WHERE token IS NOT NULL")))
    database.dispose()
    assert kept == {f"publisher:{slug}" for slug, (_, survives) in PARTIES.items() if survives}
