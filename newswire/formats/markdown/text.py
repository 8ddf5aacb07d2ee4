"""Reading Markdown as a client sends it, with faults that say where; what it means is in `ingest.formats.markdown`."""

from typing import Any

from newswire.article import UNCARRIABLE
from newswire.errors import invalid
from newswire.formats.markdown.read import MarkdownError, read_markdown
from newswire.formats.strict_json import decoded


def parsed_markdown(body: bytes) -> dict[str, Any]:
    """A Markdown article in the form of the JSON one; raises `validation_failed` that names the line."""
    text = decoded(body)
    if found := UNCARRIABLE.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise invalid("", "unusable_character", f"Line {line} holds U+{ord(found[0]):04X}, which XML cannot carry.")
    try:
        return read_markdown(text)
    except MarkdownError as error:
        raise invalid("", "invalid_markdown", f"Line {error.line}: {error.detail}") from None
