"""The reference page /docs: a renderer of our own keeping, under a policy that lets it do nothing but its work."""

import hashlib
import re
from pathlib import Path

import pytest

from newswire.api.views import docs_page
from tests.support.wire import Wire

RENDERER = Path(docs_page.__file__).parent / "swagger_ui"


@pytest.fixture
def page(wire: Wire) -> str:
    response = wire.client.get("/docs")
    assert response.status_code == 200
    policy = dict(part.strip().split(" ", 1) for part in response.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert response.headers["X-Frame-Options"] == "DENY"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    # With no-referrer a browser would send the requests of its forms with `Origin: null`.
    assert response.headers["Referrer-Policy"] == "same-origin"
    return response.text


def test_the_page_loads_files_of_this_server_only_and_holds_no_script(wire: Wire, page: str) -> None:
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert "docs/assets/swagger-ui-bundle.js" in loaded
    for address in loaded:
        if address != "data:,":
            assert "//" not in address
            assert wire.client.get(f"/{address}", buffered=True).status_code == 200
    assert re.findall(r"<script[^>]*>([^<]*)</script>", page) == ["", ""]
    assert not re.search(r"<style|\son\w+=|\sstyle=", page)


@pytest.mark.parametrize("name", ["README.md", "LICENSE", "docs_page.py", "docs_page.html", "../docs_page.py", "x.js"])
def test_no_other_file_is_served(wire: Wire, name: str) -> None:
    assert wire.client.get(f"/docs/assets/{name}").status_code == 404


def test_the_renderer_is_as_it_was_published() -> None:
    readme = (RENDERER / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\S+)` \| ([\d,]+) \| `([0-9a-f]{64})` \|$", readme, re.MULTILINE)
    assert {name for name, _, _ in listed} == {
        path.name for path in RENDERER.iterdir() if path.suffix in (".js", ".css")
    }
    for name, size, digest in listed:
        content = (RENDERER / name).read_bytes()
        assert (f"{len(content):,}", hashlib.sha256(content).hexdigest()) == (size, digest)
    for name in ("LICENSE", "NOTICE", "swagger-ui-bundle.js.LICENSE.txt"):
        assert (RENDERER / name).stat().st_size > 0
