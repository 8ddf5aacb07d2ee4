"""The texts of an article that `q` looks at, out of the article as served; what a word is decides `analysis`."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from newswire.article import Held
from newswire.search.analysis import Analysed, analyse


class Document(NamedTuple):
    """The current version of an article as it is indexed: its row, its terms, its texts."""

    held: Held
    terms: frozenset[str]
    analysed: Analysed


def searchable(content: Mapping[str, Any], terms: Iterable[str] = ()) -> Analysed:
    """The texts of an article that `q` looks at, analysed; `terms` go into the same index."""
    pictures = content["images"]
    names = [item["name"] for item in content["authors"]]
    texts = {
        "headline": content["headline"],
        "summary": content["summary"] or "",
        "body": content["body_text"] or "",
        "caption": "\n".join(text for item in pictures for text in (item["caption"], item["alt_text"]) if text),
        "byline": "\n".join([content["byline"] or "", *names]),
    }
    return analyse(texts, content["language"], terms)
