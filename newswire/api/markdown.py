"""An article in the Markdown form in which publishers send them: what is read here can be sent back unchanged.

The body is Markdown where that reads back as exactly the same HTML and nothing of it is taken for
something else (a picture, a byline, an author); where it would not, it is the HTML, which Markdown may hold.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import yaml
from markdownify import MarkdownConverter

from newswire.api.schemas.article import MEMBERS
from newswire.ingest.formats.html import sanitise
from newswire.ingest.formats.markdown import MarkdownError, read_markdown

LONGEST = 200_000
"""Characters of HTML that are made Markdown; it takes about a millisecond for a thousand."""


def markdown(article: Mapping[str, Any]) -> bytes:
    """The form of an article as served: front matter with its fields as sent, then the body.

    What only the wire knows stands in a comment.
    """
    fields = as_sent(article, MEMBERS[""], without=("body_html", "body_text"))
    head = yaml.safe_dump(fields, allow_unicode=True, sort_keys=False, width=1_000_000)
    origin = orjson.dumps([article["publisher"]["name"], article["id"], article["version"], article["seq"]]).decode()
    front = f"---\n# publisher, id, version, seq: {origin}\n{head}---\n"
    html = article["body_html"] or ""
    # On one line: what begins a line could be taken for Markdown, and an empty one ends the HTML.
    return (front + (written(html, fields) or html.replace("\n", "&#10;")) + "\n").encode()


def written(html: str, fields: Mapping[str, Any]) -> str | None:
    """The body in Markdown, or None when that is not read as this body and nothing else."""
    if len(html) > LONGEST:
        return None
    try:
        text = str(MarkdownConverter(heading_style="ATX", bullets="-", newline_style="backslash").convert(html)).strip()
        found = read_markdown(f"---\n{yaml.safe_dump({'headline': fields['headline']})}---\n{text}\n")
    except (MarkdownError, RecursionError):
        return None
    body = sanitise(str(found.pop("body_html", "")), None).html
    return f"\n{text}" if body == html and found == {"headline": fields["headline"]} else None


def as_sent(served: Mapping[str, Any], known: Mapping[str, Any], without: Sequence[str] = ()) -> dict[str, Any]:
    """What can be sent of something served; what is empty is left out."""
    found = {name: served[name] for name in known if name not in without and served.get(name) not in (None, [], "")}
    return {
        name: [as_sent(item, MEMBERS[name]) for item in value] if name in MEMBERS and isinstance(value, list) else value
        for name, value in found.items()
        if name != "change"
    }
