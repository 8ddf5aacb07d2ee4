"""One article as a page for people: HTML that needs nothing else, with what search engines and social sites read.

The body was sanitised when it came; every other text is escaped by the template. Descriptions for
machines: schema.org NewsArticle as JSON-LD, and Open Graph.
"""

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import orjson
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from newswire.formats.feeds.channel import lead_picture
from newswire.timestamps import END_OF_TIME

RIGHT_TO_LEFT = frozenset({"ar", "arc", "ckb", "dv", "fa", "he", "ks", "ps", "sd", "syr", "ug", "ur", "yi"})


def article_page(article: Mapping[str, Any]) -> bytes:
    """The page of an article as served."""
    template, style = _page_parts()
    first = lead_picture(article)
    text: str = template.render(
        article=article,
        lead=first,
        others=[image for image in article["images"] if image is not first],
        address=_home_of(article),
        end_of_time=END_OF_TIME,
        right_to_left=(article["language"] or "").split("-")[0] in RIGHT_TO_LEFT,
        body=Markup(article["body_html"] or ""),
        style=Markup(style),
        described=Markup(_script_safe(_json_ld(article))),
    )
    return text.encode("utf-8")


def page_policy() -> str:
    """The Content-Security-Policy of a page: pictures from anywhere, our one style, and nothing that runs."""
    digest = base64.b64encode(hashlib.sha256(_page_parts()[1].encode()).digest()).decode()
    return (
        f"default-src 'none'; img-src https: http: data:; media-src https: http:; style-src 'sha256-{digest}';"
        " base-uri 'none'; form-action 'none'"
    )


@cache
def _page_parts() -> tuple[Any, str]:
    """The template and the style sheet that stands in it."""
    folder = files(__package__)
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)
    template = environment.from_string((folder / "page.html").read_text("utf-8"))
    return template, (folder / "page.css").read_text("utf-8")


def _home_of(article: Mapping[str, Any]) -> str:
    """The canonical URL of the article: its publisher's page, else ours."""
    return str(article["url"] or f"{article['links']['self']}.html")


def _script_safe(content: Mapping[str, Any]) -> str:
    """JSON that may stand in a script element (HTML, 4.12.1.3)."""
    text = orjson.dumps(content).decode()
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _json_ld(article: Mapping[str, Any]) -> dict[str, Any]:
    """The article as JSON-LD, a NewsArticle of schema.org; what is not known is left out."""
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
