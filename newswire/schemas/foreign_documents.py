"""Documents of other systems that are sent as they are: posts of WordPress and Ghost, and JSON Feeds.

Each is refused with a single hint that says what it is and what to send; nothing is converted here.
"""

from collections.abc import Mapping
from typing import Any

from newswire.errors import Fault, Problem

GUIDE = "docs/how-to/publish-from-a-cms.md has it as code, in Python and PHP."
HINTS = {
    "wordpress": "This is a post of the REST API of WordPress, not an article of this wire: send its title.rendered as"
    " headline, content.rendered as body_html, excerpt.rendered as summary, link as url, id as external_id,"
    " and date_gmt with a Z as published_at.",
    "ghost": "This is a post of Ghost, not an article of this wire: send each post by itself, its title as headline,"
    " html as body_html, custom_excerpt as summary, id as external_id; url and published_at have the same names.",
    "json_feed": "This is a JSON Feed or an item of one, not an article of this wire: send each item by itself, its"
    " title as headline, content_html as body_html, id as external_id, and date_published as published_at; summary and"
    " url have the same names.",
}
WORDPRESS_PARTS = ("title", "content", "excerpt", "guid")
GHOST_BODIES = frozenset({"html", "plaintext", "lexical", "mobiledoc"})
FEED_BODIES = frozenset({"content_html", "content_text"})


def refuse_foreign_document(content: Any) -> None:
    """Raises `validation_failed` with one hint for a post of WordPress or Ghost, a JSON Feed, and a list of such.

    The faults of its fields one by one, some thirty, would not lead to the few lines of code that are needed.
    """
    document = content[0] if isinstance(content, list) and content else content
    if isinstance(document, dict) and "headline" not in document and (system := _system_of(document)) is not None:
        detail = f"{HINTS[system]} {GUIDE}"
        raise Problem("validation_failed", detail, [Fault("foreign_document", detail, pointer="")])


def _system_of(document: Mapping[str, Any]) -> str | None:
    """The system that a document comes from, a key of `HINTS`; None for one that is not known."""
    parts = (document.get(name) for name in WORDPRESS_PARTS)
    if any(isinstance(part, dict) and ("rendered" in part or "raw" in part) for part in parts):
        return "wordpress"
    if _is_ghost(document):
        return "ghost"
    return "json_feed" if _is_json_feed(document) else None


def _is_ghost(document: Mapping[str, Any]) -> bool:
    """Whether it is a post of Ghost: by itself, in the list that its API returns, or as its webhooks send it."""
    posts, hook = document.get("posts"), document.get("post")
    if isinstance(posts, list) and posts:
        post = posts[0]
    elif isinstance(hook, dict):
        post = hook.get("current")
    else:
        post = document if "uuid" in document else None
    return isinstance(post, dict) and not GHOST_BODIES.isdisjoint(post)


def _is_json_feed(document: Mapping[str, Any]) -> bool:
    if isinstance(document.get("items"), list) and "jsonfeed.org" in str(document.get("version")):
        return True
    return not FEED_BODIES.isdisjoint(document) and not {"id", "url", "title"}.isdisjoint(document)
