"""`newswire demo`: what it prints works as it is pasted, and nothing of it remains."""

import json
import os
import shutil
import signal
import subprocess
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.command import Cli, Server, waited

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("curl") is None, reason="the demo's lines need curl, which is not here"),
]
PROCESSES = Path("/proc")
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
Serving = Callable[["subprocess.Popen[str]"], Server]


@pytest.fixture
def demo(serving: Serving, tmp_path: Path) -> Server:
    """A demo that is ready, with its temporary files in `tmp_path`; the database URL is not its business."""
    server = serving(
        Cli("postgresql://127.0.0.1:1/production").process("demo", "--port", "0", env={"TMPDIR": str(tmp_path)})
    )
    server.wait_for(lambda: any("Ctrl-C" in line for line in server.out), "the demo is ready")
    return server


def printed(demo: Server) -> dict[str, str]:
    """The commands under their titles, as somebody would copy them."""
    found: dict[str, str] = {}
    title = ""
    for line in demo.out:
        if line.startswith("    "):
            found[title] = found.get(title, "") + line + "\n"
        else:
            title = line
    found.pop("Keys")
    found.pop("In a browser")
    return found


def addresses(demo: Server) -> list[str]:
    """The addresses for a browser, as somebody would copy them."""
    lines = demo.out[demo.out.index("In a browser") + 1 :]
    return [line.strip() for line in lines[: lines.index("")] if "://" in line]


def pasted(command: str) -> str:
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=30, check=True)
    assert done.stderr == ""
    return done.stdout


def test_every_printed_line_works_as_it_is_pasted(demo: Server) -> None:
    commands = printed(demo)
    markdown, feed = (
        pasted(commands.pop(title)) for title in ("One article, as Markdown", "The newest articles, as RSS")
    )
    assert "\nheadline: Port Selwick reopens its inner harbour" in markdown
    assert feed.startswith("<?xml")
    answers = {title: json.loads(pasted(command)) for title, command in commands.items()}
    published, markdown, newest, following, found, english, changes = answers.values()
    assert published["headline"] == "Town hall clock runs again"
    assert (markdown["headline"], markdown["body_text"]) == (
        "A bridge for hedgehogs",
        "The first one crossed on Monday.",
    )
    assert [article["headline"] for article in newest["data"][:2]] == [markdown["headline"], published["headline"]]
    pages = [article["id"] for page in (newest, following) for article in page["data"]]
    assert len(pages) == len(set(pages)) == 6
    assert any("harbour" in article["headline"].lower() for article in found["data"])
    assert {article["language"][:2] for article in english["data"]} == {"en"}
    assert [entry["seq"] for entry in changes["data"]] == [1, 2, 3]
    assert changes["page"]["next_after"] == 3


def test_every_address_opens_in_a_browser(demo: Server) -> None:
    docs, page, feed = addresses(demo)
    assert "swagger-ui" in pasted(f"curl -sSf '{docs}'")
    shown = pasted(f"curl -sSf '{page}'")
    assert '<h1 dir="auto">Port Selwick reopens its inner harbour' in shown
    picture = shown.partition('<img src="')[2].partition('"')[0]
    with urllib.request.urlopen(picture, timeout=10) as response:
        assert response.headers["Content-Type"].startswith("image/")
    assert pasted(f"curl -sSf '{feed}'").count("<item>") >= 12


@pytest.mark.skipif(BROWSER is None, reason="opens the page in Chromium, which is not installed here")
def test_the_page_opens_in_a_browser_that_is_given_the_address(demo: Server, tmp_path: Path) -> None:
    done = subprocess.run(
        [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/browser",
         "--dump-dom", addresses(demo)[1]],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert '<h1 dir="auto">Port Selwick reopens its inner harbour' in done.stdout


def test_the_samples_come_in_several_languages_with_pictures_that_are_there(demo: Server) -> None:
    command = next(command for title, command in printed(demo).items() if title.startswith("List"))
    articles = json.loads(pasted(command.replace("limit=3", "limit=100&include=body")))["data"]
    assert len(articles) >= 12
    assert len({article["language"] for article in articles}) >= 4
    images = {image["url"] for article in articles for image in article["images"]}
    assert images
    for url in images:
        with urllib.request.urlopen(url, timeout=10) as response:
            assert response.headers["Content-Type"].startswith("image/")


def test_the_slug_of_the_publisher_is_there_for_who_wants_to_put_an_article(demo: Server) -> None:
    [line] = [line for line in demo.out if "(slug " in line]
    key, slug = line.split()[0], line.partition("(slug ")[2].removesuffix(")")
    url = addresses(demo)[0].removesuffix("/docs")
    put = f"curl -sS -X PUT {url}/v1/publishers/{slug}/articles/1 -H 'Authorization: Bearer {key}'"
    answer = pasted(put + """ -H 'Content-Type: application/json' -d '{"headline": "A", "body_text": "B"}'""")
    assert json.loads(answer)["publisher"]["slug"] == slug


def test_nothing_of_a_demo_remains(demo: Server, tmp_path: Path) -> None:
    assert list(tmp_path.glob("newswire-demo-*/newswire.db"))
    assert demo.end(signal.SIGTERM) == 0
    assert not list(tmp_path.glob("newswire-demo-*"))


@pytest.mark.skipif(not PROCESSES.is_dir(), reason="only /proc tells which processes a server has")
def test_a_web_process_that_ends_takes_nothing_of_the_demo_along(demo: Server, tmp_path: Path) -> None:
    waited(lambda: web_processes(demo) != [], "a web process has started")
    (web,) = web_processes(demo)
    os.kill(web, signal.SIGTERM)
    command = next(command for title, command in printed(demo).items() if title == "Search")
    waited(lambda: web_processes(demo) not in ([], [web]), "another web process has started")
    assert json.loads(pasted(command))["data"]
    assert list(tmp_path.glob("newswire-demo-*/newswire.db"))


def web_processes(demo: Server) -> list[int]:
    """Its children that are no worker."""
    found = []
    for folder in PROCESSES.glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == demo.process.pid and b"demo" in (folder / "cmdline").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found
