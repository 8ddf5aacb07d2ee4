"""The pictures of an article: those that it lists, and those that stand in its body, each of them once.

The rule is the same for every form of a body. What the publisher lists is never changed, only filled up. The pictures
of a body and their captions are read in `formats.html.figures`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from newswire.article import ArticleWarning
from newswire.formats.html.figures import BodyPicture, list_pictures
from newswire.formats.html.picture_urls import picture_key
from newswire.formats.markdown.bylines import LABELS, split_credit

MOST_PICTURES = 200
LIMITS = {"caption": 20_000, "alt_text": 2_000, "credit": 500}
LONGEST_CREDIT = 150
# A credit at the end of a caption without parentheses, "Photograph: Matt Rourke/AP", has full stops in initials only.
# The repeats are not possessive: with Python 3.11.2 one that holds a look-behind matches nothing.
OPEN_CREDIT = re.compile(
    rf"(?:^|(?<=[\s|–—-]))(?![a-zà-ÿ])(?i:{'|'.join(LABELS.split())})\s?[:：／]\s*"
    r"((?:[^.:：!?。！？]|(?<=\b[^\W\d_])\.){2,100})\.?$"
)
FULL_WORD_CREDIT = re.compile(
    rf"(?:^|(?<=[.!?…\"”»)]\s))(?![a-zà-ÿ])(?i:{'|'.join(LABELS.split())})\s(?:by|von|par|por|de|di|da)\s"
    r"((?:[^.:：!?。！？]|(?<=\b[^\W\d_])\.){2,100})\.?$"
)
NAME_OF_FILE = re.compile(r"\S*")


def complete_images(
    listed: Sequence[Mapping[str, Any]],
    body: str,
    pointer: str,
    resolve: Callable[[str], str | None],
) -> tuple[list[Mapping[str, Any]], list[ArticleWarning]]:
    """The pictures of an article: `listed`, then those of the sanitised `body` that are not among them.

    A picture in the body fills the empty members of its listed one: of the same URL, or of one that shows it in
    another size. `pointer` is that of the body in what was sent; in Markdown an alternative text is a caption.
    `resolve` writes a URL as one of `images` is written, or gives None where that is impossible.
    """
    items: list[Mapping[str, Any]] = list(listed)
    if "<img" not in body:
        return items, []
    places = {picture_key(item["url"]): number for number, item in reversed([*enumerate(items)])}
    warnings: dict[str, ArticleWarning] = {}
    left_out = 0
    for picture in list_pictures(body):
        url = resolve(picture.url)
        if url is None:
            continue
        number = places.get(picture_key(url))
        if number is None and len(items) >= MOST_PICTURES:
            left_out += 1
            continue
        described = describe_picture(picture, in_markdown=pointer == "/body_markdown")
        for name, text in shortened(described).items():
            detail = f"The {name} of a picture in the body was cut after {LIMITS[name]:,} characters."
            warnings.setdefault(name, ArticleWarning(pointer=pointer, code="shortened", detail=detail))
            described[name] = text
        if number is None:
            places[picture_key(url)] = len(items)
            items.append({"url": url, "role": "inline", **described})
        else:
            items[number] = fill_members(items[number], described, same_size=items[number]["url"] == url)
    found = list(warnings.values())
    if left_out:
        detail = f"{left_out:,} pictures of the body are not in images, which has at most {MOST_PICTURES}."
        found.append(ArticleWarning(pointer=pointer, code="too_many_pictures", detail=detail))
    return items, found


def describe_picture(picture: BodyPicture, *, in_markdown: bool) -> dict[str, Any]:
    """The members of a picture that its element and its figure say.

    The caption is that of the figure, else the title, unless that is only a file name. In Markdown the alternative
    text is the caption where there is no title, as in a `text/markdown` article.
    """
    title = picture.title if picture.title != picture.alternative else None
    if title is not None and not in_markdown and NAME_OF_FILE.fullmatch(title):
        title = None
    alternative = picture.alternative
    caption = picture.caption or title
    if in_markdown and caption is None:
        caption, alternative = alternative, None
    caption, credit = split_open_credit(caption or "")
    return {
        "caption": caption or None, "alt_text": alternative, "credit": credit,
        "width": picture.width, "height": picture.height,
    }  # fmt: skip


def split_open_credit(caption: str) -> tuple[str, str | None]:
    """Splits a caption into its text and the credit at its end, with or without parentheses; None without one."""
    text = " ".join(caption.split())
    # A credit is short, and the patterns take long only in long texts.
    start = max(0, len(text) - LONGEST_CREDIT)
    rest, credit = split_credit(text[start:])
    if credit is None and (found := OPEN_CREDIT.search(rest) or FULL_WORD_CREDIT.search(rest)):
        rest, credit = rest[: found.start()].rstrip(" |–—-"), found[1].strip()
    return (text[:start] + rest, credit) if credit else (text, None)


def shortened(described: Mapping[str, Any]) -> dict[str, str]:
    """The texts that are longer than an article may have them, cut."""
    return {name: f"{described[name][: limit - 1].rstrip()}…" for name, limit in LIMITS.items()
            if len(described[name] or "") > limit}  # fmt: skip


def fill_members(item: Mapping[str, Any], described: Mapping[str, Any], *, same_size: bool) -> dict[str, Any]:
    """A listed picture with its empty members filled from the body; width and height only of the same file."""
    filled = dict(item)
    names = ["caption", "alt_text", "credit"]
    if same_size and not filled.get("width") and not filled.get("height"):
        names += ["width", "height"]
    if described["credit"] and described["credit"] in (filled.get("caption") or ""):
        names.remove("credit")
    for name in names:
        if not filled.get(name):
            filled[name] = described[name]
    return filled
