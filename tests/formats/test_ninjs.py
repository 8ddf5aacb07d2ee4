"""ninjs read and written: nothing that is JSON upsets the reader, and what is written is read as it was."""

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from newswire.article import ArticleState, Draft, Publisher, Status, article_document
from newswire.errors import Fault, Problem
from newswire.formats.ninjs.read import parse_ninjs, read_ninjs
from newswire.formats.ninjs.write import VERSIONS, write_ninjs
from newswire.publishing.draft import Kill
from newswire.schemas.article import load_sent

PUBLISHER = Publisher(1, "port", "Port Press", "https://port.example/", "en")
ARTICLE_ID = "01890a5d-ac96-774b-bcce-b302099a8057"
NAMES = st.sampled_from([
    "uri", "guid", "type", "version", "versioncreated", "versionCreated", "firstcreated", "pubstatus", "pubStatus",
    "embargoed", "embargoedUntil", "expires", "urgency", "language", "headline", "headlines", "headline_main", "title",
    "body_html", "body_text", "bodies", "description_text", "descriptions", "by", "byline", "located", "slugline",
    "subject", "subjects", "keywords", "place", "places", "authors", "people", "person", "service", "signal",
    "renditions", "associations", "name", "code", "scheme", "literal", "rel", "role", "value", "contenttype",
    "contactinfo", "contactInfo", "address", "country", "href", "mimetype", "width", "height", "copyrightholder",
    "copyrightnotice", "ednote", "jobtitle", "evolvedfrom", "original", "featuremedia", "a/b~c", "",
])  # fmt: skip
WORDS = st.sampled_from([
    "", " ", "usable", "withheld", "canceled", "picture", "main", "html", "author", "about", "keyword", "3", "x" * 600,
    "2026-03-01T10:00:00Z", "2026-03-01T10:00:00+0000", "2026-03-01", "https://e.example/a.jpg", "http://[", "<p>x</p>",
    "urn:newswire:subject:a:b", "image/jpeg", "\ud800", "\u0001", "en_GB",
])  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers(-5, 10) | st.floats(allow_nan=False) | WORDS
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=6), max_leaves=25
)


@given(st.dictionaries(NAMES, ANYTHING, max_size=12))
@example({"associations": {"x": {"renditions": {"y": {"href": "http://[", "width": True}}}}})
@example({"people": [{"name": "a", "rel": "author", "contactInfo": [{"role": "profile", "value": "ftp://x"}]}]})
def test_any_json_is_an_article_a_kill_or_a_problem_with_places_in_it(document: dict[str, Any]) -> None:
    sent, faults = loaded(document)
    assert all(fault.pointer in ("", "/uri") or is_there(document, fault.pointer or "") for fault in faults)
    if sent is None:
        assert faults
    else:
        said = [value for name, value in document.items() if name.lower() == "pubstatus"]
        assert isinstance(sent, Kill) == (said[:1] == ["canceled"])
        assert sent.external_id


def loaded(document: dict[str, Any]) -> tuple[Draft | Kill | None, tuple[Fault, ...]]:
    try:
        return load_sent(read_ninjs(document), PUBLISHER), ()
    except Problem as problem:
        return None, problem.errors


def is_there(document: Any, pointer: str) -> bool:
    """Whether a JSON pointer leads to something."""
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        try:
            document = document[int(name)] if isinstance(document, list) else document[name]
        except (LookupError, ValueError, TypeError):
            return False
    return True


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), min_size=1, max_size=20).filter(str.strip)
MAYBE = st.none() | TEXT
LINK = st.sampled_from(["https://e.example/a", "https://e.example/b?c=d&e=%C3%A9"])
ARTICLES = st.fixed_dictionaries({
    "headline": TEXT, "slugline": MAYBE, "summary": MAYBE, "byline": MAYBE, "dateline": MAYBE, "section": MAYBE,
    "language": st.sampled_from(["en", "pt-BR"]), "urgency": st.none() | st.integers(1, 9), "url": st.none() | LINK,
    "keywords": st.lists(TEXT, max_size=3), "copyright_notice": MAYBE, "usage_terms": MAYBE, "editor_note": MAYBE,
    "subjects": st.lists(st.fixed_dictionaries({
        "code": MAYBE, "name": MAYBE,
        "scheme": MAYBE | st.sampled_from(["http://cv.iptc.org/newscodes/mediatopic/", "medtop:", "http://x.example/#"]),
    }).filter(lambda item: any(item.values())), max_size=3),
    "places": st.lists(st.fixed_dictionaries({"name": TEXT, "country": MAYBE}), max_size=2),
    "authors": st.lists(st.fixed_dictionaries({
        "name": TEXT, "role": MAYBE, "bio": MAYBE, "organization": MAYBE, "url": st.none() | LINK,
        "avatar_url": st.none() | LINK,
    }), max_size=2),
    "images": st.lists(st.fixed_dictionaries({
        "url": LINK, "role": st.sampled_from(["lead", "inline", "gallery"]), "caption": MAYBE, "alt_text": MAYBE,
        "credit": MAYBE, "copyright_notice": MAYBE, "width": st.none() | st.integers(1, 10_000),
        "height": st.none() | st.integers(1, 10_000), "mime_type": st.sampled_from([None, "image/png"]),
    }), max_size=3),
    "published_at": st.just("2026-03-01T10:00:00Z"), "expires_at": st.sampled_from([None, "2199-01-01T00:00:00Z"]),
    "embargoed_until": st.sampled_from([None, "2190-01-01T00:00:00.001Z"]),
    "body_text": MAYBE | st.just("One\n\nTwo <b> & three"),
})  # fmt: skip


@given(ARTICLES, st.sampled_from(VERSIONS))
def test_what_is_written_is_read_as_it_was(sent: dict[str, Any], version: str) -> None:
    first = load_sent(sent, PUBLISHER)
    assert isinstance(first, Draft)
    held = ArticleState(1, ARTICLE_ID, 1, None, None, 3, Status.USABLE, 1, 0, first.published_at or 0, 0,
                first.embargoed_until, first.expires_at)  # fmt: skip
    article = article_document(first, PUBLISHER, held, held.published_at) | {"status": "usable", "seq": 1}
    second = load_sent(parse_ninjs(write_ninjs(article, version)), PUBLISHER)
    assert isinstance(second, Draft)
    assert second.content == first.content
    assert (second.published_at, second.embargoed_until, second.expires_at) == (
        first.published_at, first.embargoed_until, first.expires_at,
    )  # fmt: skip
    assert (second.external_id, second.source_version) == (article["uri"], 3)
