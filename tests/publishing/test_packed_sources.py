"""Articles as sent are stored as their difference from what is served, and come back byte by byte."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import select, update

from newswire.document import LONGEST_PACKED, MARK_BYTES, PACKED, pack_source, source_mark, unpack_source
from newswire.errors import DamageError
from newswire.store.database import Database
from newswire.store.tables import version
from tests.support.command import Cli
from tests.support.wire import Wire

SENT = {
    "external_id": "harbour", "headline": "The harbour opens again", "keywords": ["tide", "harbour"],
    "body_text": "\n\n".join(f"After {number} years the harbour opened again on Monday." for number in range(20)),
}  # fmt: skip
texts = st.text(max_size=200) | st.text("ab ", max_size=3000)
contents = st.dictionaries(st.sampled_from(["headline", "body_text", "summary", "url"]), texts)


@given(contents, st.binary(max_size=400), st.binary(max_size=400))
@example({}, b"", b"")
@example({"body_text": "x" * (LONGEST_PACKED - 16)}, b"", b"x" * 100_000)
@example({"body_text": "x" * LONGEST_PACKED}, b"", b"x" * 100_000)
def test_what_is_packed_is_unpacked(content: dict[str, str], rendered: bytes, body: bytes) -> None:
    source = orjson.dumps(content)
    for own, more in ((rendered, body), (source[1:-1], body), (rendered, source[1:-1] * 3), (b"", b"")):
        stored = pack_source(source, own, more)
        assert unpack_source(stored, own, more) == source
        assert len(stored) <= len(source)
        if stored != source:
            assert stored[:MARK_BYTES] == source_mark(source)


def test_a_source_of_the_longest_length_is_packed_and_a_longer_one_is_not() -> None:
    assert pack_source(b"x" * LONGEST_PACKED, b"", b"").startswith(PACKED)
    longer = b"x" * (LONGEST_PACKED + 1)
    assert pack_source(longer, b"", b"") == longer


def test_a_damaged_source_is_known() -> None:
    source = orjson.dumps(SENT)
    stored = pack_source(source, b"", source)
    head, rest = stored[:MARK_BYTES], stored[MARK_BYTES:]
    for damaged in (head + rest[:-3], head, PACKED + b"\0" * 4 + rest, head + b"\xff" * 20):
        with pytest.raises(DamageError):
            unpack_source(damaged, b"", source)
    with pytest.raises(DamageError):
        unpack_source(stored, b"", b"another version")


def sources(database: Database) -> list[Any]:
    with database.read() as connection:
        columns = (version.c.version, version.c.source, version.c.rendered, version.c.body)
        return list(connection.execute(select(*columns).order_by(version.c.version)))


def store_unpacked(database: Database) -> None:
    """Puts the sources as releases before stored them."""
    rows = sources(database)
    with database.begin() as connection:
        for number, *stored in rows:
            own = update(version).where(version.c.version == number)
            connection.execute(own.values(source=unpack_source(*map(bytes, stored))))


@pytest.mark.parametrize("before", [False, True], ids=["packed", "stored before"])
def test_articles_are_patched_and_sent_again_whichever_way_their_source_is_stored(wire: Wire, before: bool) -> None:
    gazette = wire.as_publisher("gazette")
    address = "/v1/publishers/gazette/articles/harbour"
    assert gazette.put(address, json=SENT).status_code == 201
    packed = bytes(sources(wire.database)[0].source)
    assert packed.startswith(PACKED)
    assert len(packed) < len(orjson.dumps(SENT)) / 5
    if before:
        store_unpacked(wire.database)
        assert orjson.loads(bytes(sources(wire.database)[0].source)) == SENT
    again = gazette.put(address, json=SENT)
    assert (again.status_code, again.get_json()["version"]) == (200, 1)
    patched = gazette.patch(
        f"/v1/articles/{again.get_json()['id']}", json={"headline": "The harbour closes", "keywords": None},
        headers={"If-Match": again.headers["ETag"]},
    )  # fmt: skip
    assert patched.status_code == 200
    assert patched.get_json()["change"]["fields"] == ["headline", "keywords"]
    assert patched.get_json()["body_text"] == SENT["body_text"]
    wanted = {name: value for name, value in SENT.items() if name != "keywords"} | {"headline": "The harbour closes"}
    assert orjson.loads(unpack_source(*map(bytes, sources(wire.database)[1][1:]))) == wanted


def test_an_import_knows_earlier_versions_whichever_way_their_source_is_stored(cli: Cli, tmp_path: Path) -> None:
    cli.must("publisher", "add", "port", "--name", "Port Authority", "--url", "https://port.example")
    file = tmp_path / "history.ndjson"
    versions = [{**SENT, "headline": f"Version {number}"} for number in range(3)]
    file.write_bytes(b"".join(orjson.dumps(each) + b"\n" for each in versions))
    assert cli.json("import", str(file), "--publisher", "port")["updated"] == 2
    assert cli.json("import", str(file), "--publisher", "port")["unchanged"] == 3
    database = Database(cli.database_url)
    store_unpacked(database)
    assert all(bytes(row.source).startswith(b"{") for row in sources(database))
    database.dispose()
    assert cli.json("import", str(file), "--publisher", "port")["unchanged"] == 3
