"""`newswire import` and `push` of files that are no articles: one sentence on what the file is, and nothing stored."""

import gzip
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command import Cli
from tests.support.served import Wire, served

TAKEN = "Articles are read from NDJSON (one JSON object a line), a JSON array or object, ninjs, and Markdown"
RSS = '<?xml version="1.0"?>\n<!-- made by a CMS -->\n<rss version="2.0"><channel>\n' + "<item>\n" * 3000
CSV = "id,headline\n" + '1,"Cocoa, coffee"\n' * 3000


def archive() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("a.csv", CSV)
    return packed.getvalue()


KINDS: dict[str, tuple[bytes, str]] = {
    "feed.xml": (RSS.encode(), "an RSS feed"),
    "feed.ndjson": (RSS.encode(), "an RSS feed"),
    "one-line.xml": (b"\xef\xbb\xbf<rss>" + b"<item/>" * 1000, "an RSS feed"),
    "wordpress.xml": (
        RSS.replace("<rss ", '<rss xmlns:wp="http://wordpress.org/export/1.2/" ').encode(),
        "a WordPress export",
    ),
    "atom.xml": (b'<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom">\n<entry/>\n', "an Atom feed"),
    "news.xml": (b'<newsMessage xmlns="http://iptc.org/std/nar/2006-10-01/">\n<x/>\n', "NewsML-G2"),
    "prefixed.xml": (b"<?xml version='1.0'?>\n\n<nar:newsItem>\n", "NewsML-G2"),
    "nitf.xml": (b'<?xml version="1.0"?>\n<!DOCTYPE nitf SYSTEM "nitf.dtd">\n<nitf>\n', "an article in NITF"),
    "page.html": (b'<!DOCTYPE html>\n<script type="application/ld+json">\n{"headline": "x"}\n', "a web page (HTML)"),
    "part.html": (b"<p>Hello</p>\n<p>again</p>\n", "HTML"),
    "other.xml": (b'<?xml version="1.0"?><catalogue>\n<book/>\n', "XML"),
    "table.csv": (CSV.encode(), "CSV"),
    "header.csv": (b"id,headline\n", "CSV"),
    "table.txt": (CSV.replace(",", ";").encode(), "CSV (a table with semicolons)"),
    "table.tsv": (b"id\theadline\n1\tCocoa\n", "a table with tabs (TSV)"),
    "excel.csv": (CSV.encode("utf-16"), "text in UTF-16"),
    "feed-16.xml": (RSS.encode("utf-16"), "an RSS feed in UTF-16"),
    "table.xlsx": (archive(), "a ZIP archive, or a document of an office program"),
    "scan.pdf": (b"%PDF-1.7\n" + bytes(range(256)) * 20, "a PDF document"),
    "noise.bin": (bytes(range(256)) * 50, "a binary file"),
    "twice.ndjson.gz": (gzip.compress(gzip.compress(b"{}")), "compressed twice by gzip"),
    "letter.txt": (b"Dear Madam,\n\nhere are the articles.\n", "text, and no line of it is a JSON object"),
    "story.text": (b"# The harbour opens\nOn Monday.\n", "perhaps Markdown, whose name has to end in .md"),
    "python.txt": (b"{'headline': 'Cocoa', 'id': 1}\n" * 3000, "none of its first lines is a JSON object; line 1: "),
    "numbers.txt": (b"17\n" * 3000, "text, and no line of it is a JSON object"),
    "feed.json": (b'{\n"version": "https://jsonfeed.org/version/1.1",\n"title": "x", "items": []}', "a JSON Feed"),
}


@pytest.fixture
def sqlite_wire(sqlite_cli: Cli) -> Iterator[Wire]:
    with served(sqlite_cli) as wire:
        yield wire


@pytest.fixture
def cli_with_publisher(sqlite_cli: Cli) -> Cli:
    sqlite_cli.must("publisher", "add", "port", "--name", "Port Authority")
    return sqlite_cli


@pytest.mark.parametrize("name", KINDS)
def test_an_import_says_once_what_the_file_is_and_what_is_taken(
    cli_with_publisher: Cli, tmp_path: Path, name: str
) -> None:
    content, kind = KINDS[name]
    files = {name: content, f"{name}.gz": gzip.compress(content)} if not name.endswith(".gz") else {name: content}
    for each, written in files.items():
        (tmp_path / each).write_bytes(written)
        result = cli_with_publisher.run("import", str(tmp_path / each), "--publisher", "port")
        assert (result.exit_code, result.stdout) == (1, "")
        assert len(result.stderr.splitlines()) == 1
        assert result.stderr.startswith("Error: This file is ")
        assert kind in result.stderr
        assert TAKEN in result.stderr
    assert cli_with_publisher.json("stats")["head"] == 0


def test_a_push_says_it_once_for_each_such_file_and_publishes_the_others(sqlite_wire: Wire, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("feed.xml", "table.csv", "good.ndjson")]
    for file in files[:2]:
        file.write_bytes(KINDS[file.name][0])
    files[2].write_text('{"headline": "Good"}\n')
    publisher = sqlite_wire.publisher()
    result = publisher.run("push", *files)
    assert result.exit_code == 1
    first, second = result.stderr.splitlines()
    assert first.startswith(f"{files[0]}, the file: refused: This file is an RSS feed. {TAKEN}")
    assert second.startswith(f"{files[1]}, the file: refused: This file is CSV (a table with commas). {TAKEN}")
    assert [entry["article"]["headline"] for entry in sqlite_wire.log()] == ["Good"]
    results = json.loads(publisher.run("push", "--json", files[0]).stdout)
    assert [each["problem"]["code"] for each in results] == ["unsupported_media_type"]


@pytest.mark.parametrize(
    ("content", "created", "refused"),
    [
        (b"Dear Madam\n" * 5 + b'{"headline": "Good"}\n', 1, 5),
        (b'{"headline": NaN}\n' * 5, 0, 5),
        (b"[]\n{}\n", 0, 2),
        (b'[\n{"headline": "A"},\n{"headline": "B"}\n]\n', 2, 0),
    ],
)
def test_ndjson_with_mistakes_is_still_read_line_by_line(
    cli_with_publisher: Cli, tmp_path: Path, content: bytes, created: int, refused: int
) -> None:
    file = tmp_path / "stories.ndjson"
    file.write_bytes(content)
    result = cli_with_publisher.run("import", str(file), "--publisher", "port", "--json")
    counts = json.loads(result.stdout)
    assert (counts["created"], counts["refused"]) == (created, refused)
    assert len(result.stderr.splitlines()) == refused


@pytest.mark.parametrize("folder", ["feeds/raw", "wire_samples/raw"])
def test_no_real_feed_or_document_gives_more_than_a_sentence(
    cli_with_publisher: Cli, shared_data: Path, folder: str
) -> None:
    files = [
        file for file in sorted((shared_data / folder).rglob("*")) if file.suffix in (".xml", ".rss", ".atom", ".txt")
    ]
    assert len(files) > 20
    for file in files[:: len(files) // 20]:
        result = cli_with_publisher.run("import", str(file), "--publisher", "port")
        assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (1, "", 1), file
