"""`meta.did_you_mean`: what mistyped words of `q` may have meant: words that the caller finds, with true counts."""

from typing import Any
from urllib.parse import quote

import pytest

from newswire.reading import suggestions
from tests.support.lists import page, post
from tests.support.wire import Caller, Wire

Found = list[tuple[str, int]]

STORIES: list[dict[str, Any]] = [
    *({"headline": f"President speaks {number}", "section": "World"} for number in range(4)),
    *({"headline": f"The election of {year}", "section": "Politics"} for year in (2001, 2002, 2003)),
    {"headline": "President after the election", "section": "World", "byline": "By Kamala Harris"},
    {"headline": "Football in New York", "section": "Sport"},
    {"headline": "New York waits", "section": "World"},
    {"headline": "Élections à Montréal", "language": "fr"},
    {"headline": "Millennium bridge opens"},
    {"headline": "Millennium bug forgotten"},
    {"headline": "大统领在北京讲话", "language": "zh"},
]


def suggested(reader: Caller, q: str, **parameters: Any) -> Found:
    """What is suggested in place of `q`, each with its count, which must be exact."""
    shown = page(reader, q=q, **parameters)["meta"].get("did_you_mean", [])
    assert {each["count"]["relation"] for each in shown} <= {"eq"}
    return [(each["q"], each["count"]["value"]) for each in shown]


@pytest.fixture(scope="module")
def reader(shared_publisher: Caller, shared_partner: Caller) -> Caller:
    """A reader without limits of a wire with these articles, which nobody changes."""
    post(shared_publisher, STORIES)
    return shared_partner


@pytest.mark.parametrize(
    "typed",
    ["presiden", "resident", "preident", "presidentt", "presxident", "prasident", "xresident", "rpesident", "presidnet",
     "PRESIDNET", "Presïdint"],
)  # fmt: skip
def test_one_wrong_letter_suggests_the_word(reader: Caller, typed: str) -> None:
    assert suggested(reader, typed) == [("president", 5)]


def test_two_wrong_letters_in_a_long_word_suggest_it(reader: Caller) -> None:
    assert suggested(reader, "milenium") == [("millennium", 2)]
    assert suggested(reader, "millenium brige") == [("millennium bridge", 1)]
    assert suggested(reader, "fotobal") == []


def test_a_word_that_three_articles_have_is_not_taken_for_a_mistake(reader: Caller) -> None:
    assert suggested(reader, "elections OR speaks") == []
    assert suggested(reader, "elektion") == [("election", 5)]


def test_a_word_that_is_found_by_its_stem_is_not_taken_for_a_mistake(reader: Caller) -> None:
    assert suggested(reader, "presidents") == []


def test_a_suggestion_finds_more_than_what_was_typed(reader: Caller) -> None:
    assert suggested(reader, "millennium") == []
    assert suggested(reader, "president xyzzy") == []


def test_everything_but_the_word_stays_as_it_was_typed(reader: Caller) -> None:
    assert suggested(reader, ' "Presidnet  AFTER" headline:Electoin -foo* ') == [
        (' "president  AFTER" headline:election -foo* ', 1)
    ]
    assert suggested(reader, "(elektion OR presidint) -speaks") == [("(election OR president) -speaks", 5)]
    assert suggested(reader, "byline:haris") == [("byline:harris", 1)]
    assert suggested(reader, "presid*") == suggested(reader, "presidnt*") == []


def test_a_word_of_a_name_is_corrected_by_the_names_that_articles_have(reader: Caller) -> None:
    assert suggested(reader, "section:poltics election") == [("section:politics election", 3)]
    assert suggested(reader, "publisher:retuers football") == [("publisher:reuters football", 1)]
    # Of texts election is a word, of sections it is none; and a name that is not asked for corrects no text.
    assert suggested(reader, "section:electoin") == suggested(reader, "section:poli*") == []
    assert suggested(reader, "poltics") == []


def test_a_section_that_the_reader_may_not_see_is_not_suggested(wire: Wire) -> None:
    post(wire.as_publisher(), [{"headline": "One", "section": "Politics"}, {"headline": "Two", "section": "World"}])
    assert suggested(wire.as_partner("world", section=["World"]), "section:poltics") == []
    assert suggested(wire.as_partner("all"), "section:poltics") == [("section:politics", 1)]


def test_two_mistyped_words_are_corrected_together(reader: Caller) -> None:
    assert suggested(reader, "presidnt electoin") == [("president election", 1)]


def test_an_excluded_word_is_not_corrected(reader: Caller) -> None:
    assert suggested(reader, "president -speeks") == []


def test_two_words_written_as_one_are_parted(reader: Caller) -> None:
    assert suggested(reader, "newyork") == [("new york", 2)]
    assert suggested(reader, '"newyork waits"') == [('"new york waits"', 1)]


def test_marks_make_no_difference(reader: Caller) -> None:
    assert suggested(reader, "montrael") == suggested(reader, "Montréel") == [("montreal", 1)]


def test_a_name_is_corrected_in_any_script(wire: Wire) -> None:
    post(wire.as_publisher(), [{"headline": "Выступил президент", "language": "ru"}] * 3)
    assert suggested(wire.as_partner(), "призидент") == [("президент", 3)]


def test_short_words_numbers_and_scripts_without_spaces_are_left_alone(reader: Caller) -> None:
    for q in ("nwe", "2011", "北玉", "b2b", "x" * 31, "😀 president"):
        assert suggested(reader, q) == [], q


def test_the_count_is_that_of_the_whole_query_with_its_filters(reader: Caller) -> None:
    for more in ({"section": "World"}, {"section": "Politics"}, {"not_section": "World"}, {"search_in": "byline"}):
        expected = page(reader, q="election", count="true", **more)["meta"]["count"]["value"]
        assert suggested(reader, "electoin", **more) == ([("election", expected)] if expected else []), more
        assert suggested(reader, "electoin", sort="relevance", **more) == suggested(reader, "electoin", **more)


def test_the_commonest_word_is_suggested_first_and_three_at_most(wire: Wire) -> None:
    names = ["barns", "barks", "bards", "barbs", "barms"]
    post(wire.as_publisher(), [{"headline": name} for rank, name in enumerate(names) for _ in range(rank + 1)])
    assert suggested(wire.as_partner(), "bars") == [("barms", 5), ("barbs", 4), ("bards", 3)]


def test_counts_beyond_a_thousand_are_a_lower_bound(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suggestions, "COUNTED_TO", 3)
    post(wire.as_publisher(), [{"headline": "Parliament"}] * 5)
    shown = page(wire.as_partner(), q="parlament")["meta"]["did_you_mean"]
    assert shown == [{"q": "parliament", "count": {"value": 3, "relation": "gte"}}]


def test_only_first_pages_of_usable_articles_in_json_have_suggestions(reader: Caller) -> None:
    first = page(reader, q="election OR president OR electoin OR haris", limit=2)
    assert [each["q"] for each in first["meta"]["did_you_mean"]] == ["election OR president OR election OR harris"]
    assert "did_you_mean" not in page(reader, q="election OR president OR electoin OR haris", limit=2,
                                      cursor=first["page"]["next_cursor"])["meta"]  # fmt: skip
    assert "did_you_mean" not in page(reader, q="electoin", status="canceled")["meta"]
    assert "<item>" not in reader.get("/v1/articles.rss?q=electoin").text


def test_a_costly_query_has_no_suggestions(reader: Caller) -> None:
    assert suggested(reader, "electoin OR s*") == []
    assert suggested(reader, "electoin OR sp*") != []


@pytest.mark.parametrize(
    "hidden",
    [
        pytest.param({"section": "Secret"}, id="outside of the entitlement"),
        pytest.param({"section": "World", "embargoed_until": "2199-01-01T00:00:00Z"}, id="embargoed"),
        pytest.param({"section": "World", "expires_at": "2001-01-01T00:00:00Z"}, id="expired"),
    ],
)
def test_hidden_articles_change_no_suggestion(wire: Wire, hidden: dict[str, Any]) -> None:
    publisher = wire.as_publisher()
    post(publisher, [{"headline": "Zorbanic prospers", "section": "World"}] * 3)
    post(publisher, [{"headline": "Zorbania", "section": "World"}] * 2)
    partner = wire.as_partner(section=["World"])

    def told() -> list[str]:
        asked = ("zorbani", "zorbanix", "zorbnaic", "xorbanic", "prosper zorbanic", "kelvari", "zorbanicprospers")
        answers = [page(partner, q=q)["meta"] for q in asked]
        return [str({**answer, "head": 0, "query": None}) for answer in answers]

    before = told()
    assert {"zorbanic", "zorbania"} <= {*before[0].split("'")}
    assert "kelvar" not in str(before)
    # Words that are nearer than the visible ones, and more of them, and others that are near to nothing visible.
    near = [f"zorbani{first}" for first in "bdefghjklmopqrstuvwyz"] + [f"{first}orbanix" for first in "bcdfghjkl"]
    post(publisher, [{"headline": f"{word} kelvaris zorbanicprosper", **hidden} for word in near for _ in range(4)])
    assert told() == before


def test_a_killed_article_suggests_nothing(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    [number] = post(publisher, [{"headline": "Quorum reached"}])
    assert suggested(partner, "quorom") == [("quorum", 1)]
    assert publisher.delete(f"/v1/articles/{number}").status_code == 200
    assert suggested(partner, "quorom") == []


def test_a_publisher_gets_suggestions_from_its_own_articles_only(wire: Wire) -> None:
    one, other = wire.as_publisher("one"), wire.as_publisher("other")
    post(one, [{"headline": "Treaty signed"}])
    assert suggested(one, "traety") == [("treaty", 1)]
    assert suggested(other, "traety") == []


def test_a_long_query_of_mistakes_is_bounded(reader: Caller) -> None:
    many = " OR ".join(f"electoin{letter}" for letter in "abcdefghijklmnopqrstuvwxyz")
    response = reader.get(f"/v1/articles?q={quote(many)}")
    assert response.status_code == 200, response.text
    assert len(response.get_json()["meta"].get("did_you_mean", [])) <= 3
