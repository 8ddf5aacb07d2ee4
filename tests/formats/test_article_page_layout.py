"""The page of an article on the screen: its direction, its dates, and that nothing is wider than a telephone.

Where a browser is installed it draws the pages and measures them; the tests that need one say so where there is none.
"""

import json
import re
import shutil
import subprocess
from html import escape
from pathlib import Path
from typing import Any

import pytest
from lxml.html import fromstring

from newswire.document import WHOLE
from newswire.formats.html.page import write_page

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_browser = pytest.mark.skipif(BROWSER is None, reason="draws the page in Chromium, which is not installed here")
UNBROKEN = "https://example.org/" + "abcdefghij" * 12
MEASURE = """<script>addEventListener("load", () => {
  const box = element => element.getBoundingClientRect();
  const start = (node, offset) => { const range = document.createRange(); range.setStart(node, offset);
    range.setEnd(node, offset + 1); return box(range).left; };
  const dates = [...document.querySelectorAll("time")].map(time => [0, 5, 8, 11, 17].map(at =>
    start(time.firstChild, at)));
  const figure = document.querySelector("figure");
  const table = document.querySelector("table");
  parent.document.title = JSON.stringify({wide: document.documentElement.scrollWidth, dates,
    caption: box(figure.querySelector("figcaption")).top - box(figure.querySelector("img")).bottom,
    table: table && table.scrollWidth - table.clientWidth});
})</script>"""


def article(**fields: Any) -> dict[str, Any]:
    """An article as served."""
    image = {"url": "https://p.example/a.jpg", "caption": "A ship.", "credit": "Ann Lee", "width": 800, "height": 450}
    sent = {"headline": "Harbour", "images": [image], "published_at": "2026-11-22T09:30:00.000Z", "version": 2,
            "updated_at": "2026-11-23T10:00:00.000Z", "status": "usable", "seq": 1,
            "publisher": {"slug": "p", "name": "The Gazette", "url": None}} | fields  # fmt: skip
    return WHOLE.fill(sent) | {"links": {"self": "https://wire.example/v1/articles/1", "versions": ""}}


def measured(folder: Path, **fields: Any) -> dict[str, Any]:
    """What a browser says of the page in a frame of 390 pixels: its own window cannot be as narrow."""
    assert BROWSER is not None
    page = folder / "page.html"
    content = write_page(article(**fields)).decode().replace("</head>", f"{MEASURE}</head>")
    frame = f'<iframe width="390" height="900" style="border: 0" srcdoc="{escape(content)}"></iframe>'
    page.write_text(f"<!DOCTYPE html><meta charset=utf-8><title></title>{frame}")
    done = subprocess.run(
        [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=800,1200", "--virtual-time-budget=2000",
         f"--user-data-dir={folder}/browser", "--dump-dom", page.as_uri()],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    title = fromstring(done.stdout).findtext(".//title")
    found: dict[str, Any] = json.loads(title or "")
    return found


@pytest.mark.parametrize(
    ("language", "direction"),
    [("ar", "rtl"), ("ar-EG", "rtl"), ("he", "rtl"), ("fa", "rtl"), ("az-Arab", "rtl"), ("pa-Arab-PK", "rtl"),
     ("ar-Latn", "ltr"), ("ja", "ltr"), ("en-GB", "ltr"), ("az-Latn", "ltr"), (None, "ltr")],
)  # fmt: skip
def test_the_page_has_the_direction_of_its_script(language: str | None, direction: str) -> None:
    assert fromstring(write_page(article(language=language))).get("dir") == direction


def test_dates_and_names_are_isolated_from_the_text_around_them() -> None:
    page = fromstring(write_page(article(language="ar", section="ثقافة", byline="ليلى", keywords=["نخيل"])))
    dates = page.xpath("//time")
    assert [date.get("dir") for date in dates] == ["ltr", "ltr"]
    assert page.xpath("//bdi/text()")[:3] == ["The Gazette", "ثقافة", "ليلى"]


@needs_browser
@pytest.mark.slow
def test_a_date_reads_from_left_to_right_on_a_page_from_right_to_left(tmp_path: Path) -> None:
    found = measured(tmp_path, language="ar", byline="ليلى حدّار", headline="مكتبة متنقلة")
    assert len(found["dates"]) == 2
    for positions in found["dates"]:
        assert positions == sorted(positions), "year, month, day, hour and UTC, from left to right"
    assert found["caption"] >= 6


@needs_browser
@pytest.mark.slow
def test_nothing_is_wider_than_a_telephone_and_a_wide_table_scrolls(tmp_path: Path) -> None:
    cells = "".join(f"<th>Populations {number}</th>" for number in range(8))
    found = measured(
        tmp_path, headline=f"Read {UNBROKEN}", summary=UNBROKEN, byline=UNBROKEN, section=UNBROKEN, keywords=[UNBROKEN],
        copyright_notice=UNBROKEN, dateline=UNBROKEN, editor_note=UNBROKEN,
        authors=[{"id": "1", "name": UNBROKEN, "bio": UNBROKEN, "role": UNBROKEN}],
        images=[{"id": "1", "url": "https://p.example/a.jpg", "caption": UNBROKEN, "credit": UNBROKEN}],
        body_html=f"<p>{UNBROKEN}</p><pre>{UNBROKEN}</pre><table><tr>{cells}</tr></table>",
    )  # fmt: skip
    assert found["wide"] <= 390
    assert found["table"] > 100, "the cells keep their words whole"


def test_every_colour_has_a_form_for_the_dark() -> None:
    style = fromstring(write_page(article())).findtext(".//style") or ""
    light, dark = (dict(re.findall(r"(--\w+): (#\w+)", rule)) for rule in re.findall(r":root \{([^}]*)\}", style))
    assert light.keys() == dark.keys()
    assert not {*light.values()} & {*dark.values()}
