"""What must hold of every clean body: no element, attribute or address beyond the list, and that it stays as it is."""

import re
from html.parser import HTMLParser

from newswire.formats.html.sanitise import ATTRIBUTES, EVERYWHERE, sanitise
from newswire.formats.html.tokens import ELEMENTS

WEB = re.compile("https?://[^/]")
CONTACT = re.compile("https?://[^/]|#user-content-.|mailto:.|tel:[0-9A-Za-z+*(#.,;=_~/%-]")


class Inspector(HTMLParser):
    """A second opinion on what an output holds."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def assert_harmless(html: str) -> None:
    for tag, attributes in Inspector(html).found:
        assert tag in ELEMENTS
        assert set(attributes) <= ATTRIBUTES.get(tag, set()) | EVERYWHERE
        for name in ("href", "src", "cite"):
            assert (CONTACT if tag == "a" else WEB).match(attributes.get(name) or "https://none")
        assert (attributes.get("id") or "user-content-x").startswith("user-content-")
    assert not re.search("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", html)
    assert not re.search("&(?!(?:amp|lt|gt|quot);)", html)


def assert_settled(html: str) -> None:
    """Cleaning it again, with any base or none, changes nothing and finds nothing to tell."""
    assert sanitise(html, None) == (html, [], [])
    assert sanitise(html, "https://elsewhere.example/") == (html, [], [])
