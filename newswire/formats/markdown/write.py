"""The writer of Markdown: an article in the form in which publishers send it, which can be sent back unchanged.

The body is Markdown if `read` makes exactly the same HTML of it, and takes no part for something else (a picture, a
byline, an author). Otherwise it is the HTML, which Markdown may contain; if even that is read differently, the HTML is
a field of the front matter.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import yaml

from newswire.article import SENDABLE
from newswire.formats.corrections import correction_line, correction_note
from newswire.formats.html.sanitise import sanitise
from newswire.formats.markdown.front_matter import MarkdownError
from newswire.formats.markdown.read import read_markdown

LONGEST = 50_000
"""The most characters of HTML that are converted to Markdown: a thousand take about a millisecond."""
# Long runs of white space and long lists take the converter more than linear time.
SLOW = re.compile(r"\s{100}")
MOST_ITEMS = 300
# The first and the last fields in the front matter, of an article and of a picture: for people, identity comes first
# and rights come last. All other fields keep the order in which they are served.
FIRST = {"": ("headline", "external_id", "url"), "images": ("url",)}
LAST = {"": ("copyright_notice", "usage_terms", "editor_note"), "images": ("mime_type",)}
# Characters that YAML reads as the end of a line, or does not allow; they must be escaped.
UNUSUAL = re.compile("[\x80-\x9f\u2028\u2029\ufeff]")


def write_markdown(article: Mapping[str, Any]) -> bytes:
    """Writes an article as served: front matter with the fields that can be sent, then the body.

    Publisher, id, version and seq, which cannot be sent, are in a comment. A correction is told in a line above the
    body, which the reader knows by the `change` in the front matter, and does not take for a part of the body.
    """
    fields = _sendable_members(article, "", without=("body_html", "body_text"))
    html = article["body_html"] or ""
    # HTML goes on one line: the start of a line could be read as Markdown, and an empty line ends a block of HTML.
    line = html.replace("\n", "&#10;")
    found = next(
        (text for text in (_html_as_markdown(html), line) if text is not None and _is_read_as(text, html, fields)), None
    )
    if found is None and len(html) < LONGEST:
        fields, found = {**fields, "body_html": html}, ""
    origin = orjson.dumps([article["publisher"]["name"], article["id"], article["version"], article["seq"]]).decode()
    body = line if found is None else found
    if notice := correction_line(article):
        # Without the member `change` the line would be read as a paragraph of the body.
        fields = {**fields, "change": {"type": "correction", "note": correction_note(article)}}
        body = f"{notice}\n\n{body}"
    return f"---\n# publisher, id, version, seq: {origin}\n{_dump_fields(fields)}---\n{body}\n".encode()


def _dump_fields(fields: Mapping[str, Any]) -> str:
    plain = UNUSUAL.search(orjson.dumps(fields).decode()) is None
    text: str = yaml.safe_dump(fields, allow_unicode=plain, sort_keys=False, width=1_000_000)
    return text


def _html_as_markdown(html: str) -> str | None:
    """Converts HTML to Markdown; None if that would take too long."""
    if len(html) > LONGEST or SLOW.search(html) or html.count("<li") > MOST_ITEMS:
        return None
    # Imported late: it takes ten megabytes, and most processes never convert.
    from markdownify import MarkdownConverter

    try:
        made = MarkdownConverter(heading_style="ATX", bullets="-", newline_style="backslash").convert(html)
    except RecursionError:
        return None
    return f"\n{str(made).strip()}"


def _is_read_as(text: str, html: str, fields: Mapping[str, Any]) -> bool:
    """Whether the reader of Markdown turns the body `text` into exactly `html`, and finds no other field in it."""
    headline = {"headline": fields.get("headline", "")}
    try:
        found = read_markdown(f"---\n{_dump_fields(headline)}---\n{text}\n")
    except (MarkdownError, RecursionError):
        return False
    # The reader's HTML is not sanitised, but that of the article is, so only sanitised HTML can be compared. An article
    # that was stored under older rules is compared with what today's make of it.
    made = sanitise(str(found.pop("body_html", "")), None).html
    return found == headline and (made == html or made == sanitise(html, None).html)


def _sendable_members(served: Mapping[str, Any], of: str, without: Sequence[str] = ()) -> dict[str, Any]:
    """The members of an article, or of an object in its field `of`, that can be sent and are not empty."""
    first, last = FIRST.get(of, ()), LAST.get(of, ())
    names = [*first, *(name for name in SENDABLE[of] if name not in first + last), *last]
    found = {name: served[name] for name in names if name not in without and served.get(name) not in (None, [], "")}
    return {
        name: [_sendable_members(item, name) for item in value]
        if name in SENDABLE and isinstance(value, list)
        else value
        for name, value in found.items()
        if name != "change"
    }
