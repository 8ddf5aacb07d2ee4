"""The documentation says what the code does: generated pages are current, links lead somewhere, limits are kept."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from docs.draw_architecture import PICTURE, draw
from docs.generate import FOLDER, PAGES
from newswire.api.routes import ROUTES

REPOSITORY = Path(__file__).resolve().parents[2]
TEXTS = [REPOSITORY / "README.md", REPOSITORY / "CHANGELOG.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]


@pytest.mark.parametrize(("name", "page"), PAGES.items(), ids=list(PAGES))
def test_a_generated_page_is_what_the_code_says(name: str, page: Callable[[], str]) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == page(), "run .venv/bin/python docs/generate.py"


def test_the_picture_of_the_architecture_is_what_the_imports_say() -> None:
    assert PICTURE.read_text(encoding="utf-8") == draw(), "run .venv/bin/python docs/draw_architecture.py"


def test_the_architecture_page_names_files_that_are_there() -> None:
    page = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_/]+\.py|[a-z_]+(?:/[a-z_]+)*/)`", page))
    assert len(named) > 20
    assert [
        name for name in sorted(named) if not any((REPOSITORY / root / name).exists() for root in ("newswire", ""))
    ] == []


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.name)
def test_a_relative_link_leads_to_a_file(text: Path) -> None:
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", text.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", prose):
        assert (text.parent / target).exists(), f"{text.name} links to {target}"


def test_the_readme_is_short() -> None:
    assert len(TEXTS[0].read_text(encoding="utf-8").splitlines()) < 200


def test_the_http_reference_names_every_route() -> None:
    pages = (FOLDER / "http.md", FOLDER / "formats.md")
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    for route in ROUTES:
        address = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.path)
        assert f"`{route.method} {address}`" in text
