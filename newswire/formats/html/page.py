"""The writer of HTML pages: one article as a self-contained page, with metadata for search engines and social sites.

The metadata are a schema.org NewsArticle as JSON-LD, and Open Graph. The body was sanitised when it was received; the
template escapes every other text.
"""

import base64
import hashlib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import orjson
from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from newswire.formats.corrections import correction_label, correction_note
from newswire.formats.feeds.channel import lead_picture
from newswire.formats.html.figures import ShownPictures
from newswire.language_tags import canonical_tag
from newswire.timestamps import END_OF_TIME

FOLDER = files(__package__)
STYLE = (FOLDER / "page.css").read_text("utf-8")
STYLE_DIGEST = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
PAGE_HEADERS = {
    # Pictures and media from anywhere, our one style sheet by its digest, and no scripts.
    "Content-Security-Policy": "default-src 'none'; img-src https: http: data:; media-src https: http:;"
    f" style-src 'sha256-{STYLE_DIGEST}'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
}
RIGHT_TO_LEFT = frozenset({
    "ar", "arc", "ckb", "dv", "fa", "he", "ks", "nqo", "ps", "sd", "syr", "ug", "ur", "yi",
    "adlm", "arab", "hebr", "mand", "nkoo", "rohg", "samr", "syrc", "thaa",
})  # fmt: skip
"""Languages, and scripts (ISO 15924, in lower case), that are written from right to left."""


def write_page(article: Mapping[str, Any]) -> bytes:
    """Writes the page of an article as served."""
    first, shown = lead_picture(article), ShownPictures(article["body_html"])
    beside = [image for image in article["images"] if image not in shown]
    text: str = page_template().render(
        article=article,
        lead=first if first in beside else None,
        corrected=correction_label(article) if correction_note(article) else None,
        others=[image for image in beside if image is not first],
        credits=[*_words_beside_body(article, shown)],
        address=_home_of(article),
        end_of_time=END_OF_TIME,
        right_to_left=is_right_to_left(article["language"] or ""),
        body=Markup(article["body_html"] or ""),
        style=Markup(STYLE),
        described=Markup(_script_safe(_json_ld(article))),
    )
    return text.encode("utf-8")


@cache
def page_template() -> Template:
    """The template, compiled when the first page is written."""
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)
    return environment.from_string((FOLDER / "page.html").read_text("utf-8"))


def is_right_to_left(language: str) -> bool:
    """Whether a language (BCP 47) is written from right to left: the script decides, if the tag names one."""
    subtags = canonical_tag(language).lower().split("-")
    script = next((subtag for subtag in subtags[1:] if len(subtag) == 4 and subtag.isalpha()), None)
    return (script or subtags[0]) in RIGHT_TO_LEFT


def _words_beside_body(article: Mapping[str, Any], shown: ShownPictures) -> Iterator[str]:
    """The captions and rights of pictures in the body that are known only from `images`: the body does not say them."""
    body = " ".join((article["body_text"] or "").split())
    for image in article["images"]:
        if image in shown:
            words = (image[name] for name in ("caption", "credit", "copyright_notice"))
            yield from (text for text in words if text and " ".join(text.split()) not in body)


def _home_of(article: Mapping[str, Any]) -> str:
    """The canonical URL of an article: at its publisher, else our page."""
    return str(article["url"] or f"{article['links']['self']}.html")


def _script_safe(content: Mapping[str, Any]) -> str:
    """JSON that cannot end the script element around it (WHATWG HTML 4.12.1.3)."""
    text = orjson.dumps(content).decode()
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _json_ld(article: Mapping[str, Any]) -> dict[str, Any]:
    """The article as JSON-LD, a schema.org NewsArticle without unknown members."""
    return _known_members({
        "@context": "https://schema.org", "@type": "NewsArticle", "identifier": article["uri"],
        "mainEntityOfPage": _home_of(article), "url": _home_of(article), "headline": article["headline"],
        "description": article["summary"], "articleSection": article["section"], "keywords": article["keywords"],
        "inLanguage": article["language"], "wordCount": article["word_count"], "dateline": article["dateline"],
        "datePublished": article["published_at"], "dateModified": article["updated_at"],
        "expires": article["expires_at"], "copyrightNotice": article["copyright_notice"],
        "publisher": _known_members({
            "@type": "NewsMediaOrganization", "name": article["publisher"]["name"], "url": article["publisher"]["url"],
        }),
        "author": [_json_ld_person(author) for author in article["authors"]],
        "image": [_json_ld_image(image) for image in article["images"]],
        "about": [_known_members({"@type": "Thing", "name": item["name"] or item["code"], "identifier": item["code"]})
                  for item in article["subjects"]],
        "contentLocation": [{"@type": "Place", "name": place["name"]} for place in article["places"]],
    })  # fmt: skip


def _json_ld_person(author: Mapping[str, Any]) -> dict[str, Any]:
    return _known_members({
        "@type": "Person", "name": author["name"], "jobTitle": author["role"], "description": author["bio"],
        "url": author["url"], "image": author["avatar_url"],
        "worksFor": author["organization"] and {"@type": "Organization", "name": author["organization"]},
    })  # fmt: skip


def _json_ld_image(image: Mapping[str, Any]) -> dict[str, Any]:
    return _known_members({
        "@type": "ImageObject", "url": image["url"], "caption": image["caption"], "width": image["width"],
        "height": image["height"], "creditText": image["credit"], "copyrightNotice": image["copyright_notice"],
        "encodingFormat": image["mime_type"],
    })  # fmt: skip


def _known_members(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value not in (None, "", [])}
