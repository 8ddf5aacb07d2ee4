"""The price of a query: what people write is never refused, and what takes seconds always is, with its position."""

import string

import pytest

from newswire.search.price import check_price
from newswire.search.syntax import ExpressionError, parse_query
from tests.support.wire import Caller

LETTERS = string.ascii_lowercase
EVERY_READING = 3
HEADLINE = "U.S. and China's new trade deal leaves the world's markets waiting for the first signs of a real thaw"

ORDINARY = {
    "a prefix of one letter": "a*",
    "a name that is being typed": "new york b*",
    "the last word of a phrase that is being typed": '"new york b"*',
    "a pasted headline": HEADLINE,
    "a pasted headline in quotes": f'"{HEADLINE}"',
    "beginnings of words": " OR ".join(f"climat{letter}* OR warm{letter}*" for letter in LETTERS),
    "the same beginning in two fields": "headline:climat* OR summary:climat*",
    "names of three words": " OR ".join(f'"bank of place{number}"' for number in range(100)),
    "a Japanese headline": "日銀、政策金利を据え置き 円安が進み1ドル=150円台に",
    "Chinese in single characters": "美 国 总 统 访 问 中 国",
}
BROAD = " OR ".join(f"word{number}" for number in range(100))
COSTLY = {
    "phrases that end in letters": (" OR ".join(f'"port {letter}"*' for letter in LETTERS * 3), 0),
    "all letters": (" ".join(f"{letter}*" for letter in LETTERS), 0),
    "all letters excluded": ("harbour " + " ".join(f"-{letter}*" for letter in LETTERS[:24]), 9),
    "any letter in the headline": (" OR ".join(f"headline:{letter}*" for letter in LETTERS), 9),
    "two letters, a hundred times": (" ".join(f"{first}{second}*" for first in "bcdfg" for second in LETTERS[:20]), 0),
    "the same three letters in many places": ("the* " + " ".join(["headline:the* summary:the*"] * 9), 14),
    "a phrase of few words, over and over": (f'"{"in the end of it " * 90}"', 0),
}  # fmt: skip


@pytest.mark.parametrize("name", ORDINARY)
def test_what_people_write_is_never_refused(name: str) -> None:
    check_price(parse_query(ORDINARY[name]), EVERY_READING)


def test_a_hundred_words_are_not_refused_with_their_count() -> None:
    check_price(parse_query(BROAD), 2)
    with pytest.raises(ExpressionError, match="leave out count or facets"):
        check_price(parse_query(BROAD), EVERY_READING)


@pytest.mark.parametrize("name", COSTLY)
def test_what_takes_seconds_is_refused_at_its_costliest_part(name: str) -> None:
    text, position = COSTLY[name]
    with pytest.raises(ExpressionError) as caught:
        check_price(parse_query(text), 1)
    assert caught.value.position == position
    # The log is read by matching in process, where none of this costs more than words do.
    check_price(parse_query(text), 0)


def test_a_costly_query_is_a_bad_request_that_names_the_part(shared_partner: Caller) -> None:
    query = "+".join(f"{letter}*" for letter in LETTERS)
    refused = shared_partner.get(f"/v1/articles?q=harbour+{query}")
    problem = refused.get_json()
    assert (refused.status_code, problem["code"], problem["position"]) == (400, "invalid_query", len("harbour "))
    assert "'a'" in problem["detail"]
    assert shared_partner.get(f"/v1/articles.rss?q={query}").status_code == 400
    assert shared_partner.get(f"/v1/changes?q={query}").status_code == 200


def test_a_reading_more_counts(shared_partner: Caller) -> None:
    for more, status in (("", 200), ("&count=true", 200), ("&count=true&facets=section", 400)):
        assert shared_partner.get(f"/v1/articles?q=ab+h*+p*{more}").status_code == status
