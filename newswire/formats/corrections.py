"""The notice of a correction: the one line by which the formats for people tell of it, as text, HTML and Markdown.

It belongs to the version that was sent as a correction, with the date of that version. What an update says of itself is
for editors, and is not shown to readers (decision 0026).
"""

import re
from collections.abc import Mapping
from html import escape
from typing import Any

# What Markdown reads as markup within a line; `formats.markdown.read` must find exactly the line that was written.
MARKUP = re.compile(r"[\\`*_\[\]<>&~|]")
LINE = re.compile(r"\*\*Correction, [0-9]{4}-[0-9]{2}-[0-9]{2}:\*\* (.*)")


def correction_note(article: Mapping[str, Any]) -> str | None:
    """The note of an article as served whose version is a correction; None for any other."""
    change = article.get("change") or {}
    return change.get("note") if change.get("type") == "correction" else None


def correction_label(article: Mapping[str, Any]) -> str:
    """The beginning of the notice, such as "Correction, 2026-11-30:"; the date is that of the version, in UTC."""
    return f"Correction, {article['updated_at'][:10]}:"


def correction_text(article: Mapping[str, Any]) -> str:
    """The notice as plain text; empty for an article that is not a correction."""
    note = correction_note(article)
    return f"{correction_label(article)} {note}" if note else ""


def correction_html(article: Mapping[str, Any]) -> str:
    """The notice as a paragraph of HTML; empty for an article that is not a correction."""
    note = correction_note(article)
    return f"<p><strong>{correction_label(article)}</strong> {escape(note, quote=False)}</p>" if note else ""


def correction_line(article: Mapping[str, Any]) -> str:
    """The notice as one line of Markdown; empty for an article that is not a correction."""
    note = correction_note(article)
    return f"**{correction_label(article)}** {_escaped_note(note)}" if note else ""


def is_correction_line(line: str, change: Any) -> bool:
    """Whether a line of Markdown is the notice of this `change` as sent, and so is no part of the body."""
    if not isinstance(change, Mapping) or change.get("type") != "correction" or not isinstance(change.get("note"), str):
        return False
    found = LINE.fullmatch(line.strip())
    return found is not None and found[1] == _escaped_note(change["note"])


def _escaped_note(note: str) -> str:
    """The note in one line, with a backslash before each character that Markdown would read as markup."""
    return MARKUP.sub(r"\\\g<0>", " ".join(note.split()))
