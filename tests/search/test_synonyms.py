"""The dictionary of synonyms: its file, and what it finds in lists, counts, feeds and on the wire, on both engines."""

from random import Random
from typing import Any
from urllib.parse import quote

import pytest

from newswire.search import dictionary, synonyms
from newswire.search.expression import And, Not, Or, Phrase, Spellings, Term
from newswire.search.synonyms import Rule, RuleError, compile_rules, parse_rules
from newswire.search.syntax import MOST_TERMS, parse_query
from newswire.timestamps import now
from tests.support.lists import page, post, read
from tests.support.wire import Caller, Wire

RULES = """\
# vehicles
car, automobile, motor car
pm => prime minister, premier  # one way
C#, csharp
"""
STORIES: list[dict[str, Any]] = [
    {"headline": "The automobile fair"},
    {"headline": "Cars are cheaper"},
    {"headline": "A motor car of 1910"},
    {"headline": "A motor for every car park"},
    {"headline": "The prime minister speaks"},
    {"headline": "The minister is in his prime"},
    {"headline": "The premier resigns"},
    {"headline": "Closed at 5 pm"},
]


def expanded(q: str, rules: str = RULES) -> Any:
    return compile_rules(rules).expand(parse_query(q)).expression


def load(wire: Wire, rules: str) -> None:
    with wire.database.begin() as connection:
        dictionary.replace_rules(connection, parse_rules(rules), now())


def headlines(reader: Caller, q: str, **parameters: Any) -> set[str]:
    return {article["headline"] for article in read(reader, q=q, **parameters)}


def test_a_file_is_read_line_by_line_without_comments() -> None:
    assert parse_rules("\ufeff" + RULES.replace("\n", "\r\n") + "\n   \n#tag, nothing\nweb , #tag # end\n") == [
        Rule(("car", "automobile", "motor car"), ("car", "automobile", "motor car")),
        Rule(("pm",), ("prime minister", "premier")),
        Rule(("C#", "csharp"), ("C#", "csharp")),
        Rule(("web", "#tag"), ("web", "#tag")),
    ]
    assert parse_rules("\n".join(map(str, parse_rules(RULES)))) == parse_rules(RULES)


def test_every_fault_of_a_file_is_told_with_its_line() -> None:
    with pytest.raises(RuleError) as told:
        parse_rules(
            "a, b\nalone\n\na => b => c\n=> b\na, A\na,,b\n…, b\na => Á\n" + "x" * 101 + ", y\n" + "w " * 11 + ",y"
        )
    assert [fault.partition(":")[0] for fault in told.value.faults] == [
        f"Line {number}" for number in (2, 4, 5, 6, 7, 8, 9, 10, 11)
    ]
    with pytest.raises(RuleError, match="at most 10,000"):
        parse_rules("a, b\n" * 10_001)
    with pytest.raises(RuleError, match="at most 50 members"):
        parse_rules(", ".join(f"word{number}" for number in range(51)))


def test_a_member_becomes_alternatives_that_are_one_word() -> None:
    car, automobile = Term("car", "car"), Term("automobile", "automobile")
    # A phrase has spellings of its own: motor-car.
    motor_car = parse_query('"motor car"').operands  # type: ignore[union-attr]
    assert expanded("car") == Spellings((car, automobile, *motor_car))
    assert expanded('"motor car"') == Spellings((*motor_car, car, automobile))
    assert expanded("motor car") == Spellings((And((Term("motor", "motor"), car)), car, automobile))
    assert expanded("old motor car") == And((Term("old", "old"), expanded("motor car")))
    assert expanded("-car old") == And((Not(expanded("car")), Term("old", "old")))
    assert expanded("car OR old") == Or((expanded("car"), Term("old", "old")))
    assert expanded("headline:CAR").operands[1] == Term("automobile", "automobile", frozenset({"headline"}))
    for untouched in ("premier", "prime minister", '"old motor car"', "headline:motor car*", "cars"):
        assert expanded(untouched) == parse_query(untouched), untouched


def test_members_with_signs_of_the_query_language_are_only_words() -> None:
    found = compile_rules('x => NOT, a:b, "c", -d, (e), f*, g OR h').expand(parse_query("x"))
    # An And holds the neighbours of a phrase, which are its spellings with a hyphen.
    assert all(isinstance(part, Term | Phrase | And) for part in found.expression.operands)  # type: ignore[union-attr]
    assert len(found.added[0].synonyms) == 7


def test_what_is_added_to_a_query_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synonyms, "MOST_ALTERNATIVES", 5)
    found = compile_rules("a, b, c, d").expand(parse_query("a a a a"))
    assert sum(len(each.synonyms) for each in found.added) == 5


def test_synonyms_are_found_in_both_directions_and_one_way_ones_in_one(wire: Wire) -> None:
    publisher, reader = wire.as_publisher(), wire.as_partner()
    post(publisher, STORIES)
    assert headlines(reader, "automobile") == {"The automobile fair"}
    load(wire, RULES)
    cars = {each["headline"] for each in STORIES[:4]}
    assert headlines(reader, "car") == headlines(reader, "automobile") == headlines(reader, "motor car") == cars
    assert headlines(reader, "pm") == {"The prime minister speaks", "The premier resigns", "Closed at 5 pm"}
    assert headlines(reader, "premier") == {"The premier resigns"}
    assert headlines(reader, "prime minister") == {"The prime minister speaks", "The minister is in his prime"}
    assert headlines(reader, "motor -automobile") == set()
    assert headlines(reader, "car", sort="relevance") == cars
    assert headlines(reader, "body:car") == set()
    shown = page(reader, q="automobile", count="true", facets="publisher", highlight="true", limit=1)
    assert shown["meta"]["count"]["value"] == shown["meta"]["facets"]["publisher"][0]["count"]["value"] == 4
    load(wire, "unheard, of")
    assert headlines(reader, "automobile") == {"The automobile fair"}


def test_the_wire_and_saved_feeds_use_the_synonyms_too(wire: Wire) -> None:
    publisher, reader = wire.as_publisher(), wire.as_partner()
    made = reader.post("/v1/feeds", json={"name": "cars", "query": {"q": "automobile"}})
    assert made.status_code == 201, made.text
    post(publisher, STORIES[:2])

    def told() -> list[int]:
        doors = ("/v1/changes?q=automobile", "/v1/feeds/cars/changes", "/v1/feeds/cars/articles")
        return [len(reader.get(door).get_json()["data"]) for door in doors]

    assert told() == [1, 1, 1]
    load(wire, RULES)
    assert told() == [2, 2, 2]
    lines = reader.get("/v1/changes?q=automobile", headers={"Accept": "application/x-ndjson"}).text.splitlines()
    assert len(lines) == 3


def test_pages_and_their_tags_change_with_the_dictionary_in_every_process(wire: Wire) -> None:
    publisher, reader = wire.as_publisher(), wire.as_partner()
    post(publisher, STORIES[:2])
    first = reader.get("/v1/articles?q=automobile")
    again = reader.get("/v1/articles?q=automobile", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    other = Wire(wire.url)
    load(other, RULES)
    other.close()
    changed = reader.get("/v1/articles?q=automobile", headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200
    assert len(changed.get_json()["data"]) == 2


def test_a_cursor_of_a_query_with_other_synonyms_is_refused_and_every_other_one_holds(wire: Wire) -> None:
    publisher, reader = wire.as_publisher(), wire.as_partner()
    post(publisher, STORIES[:4])
    for sort in ("-published_at", "relevance"):
        load(wire, RULES)
        cursors = {
            q: page(reader, q=q, sort=sort, limit=1)["page"]["next_cursor"] for q in ("car", "motor OR automobile fair")
        }
        load(wire, RULES + "\nlorry, truck")
        for q, cursor in cursors.items():
            assert page(reader, q=q, sort=sort, limit=1, cursor=cursor)["data"]
        load(wire, "car, truck")
        refused = reader.get(f"/v1/articles?q=car&sort={sort}&limit=1&cursor={cursors['car']}")
        assert (refused.status_code, refused.get_json()["code"]) == (400, "cursor_mismatch")


def test_no_dictionary_makes_a_query_invalid(wire: Wire) -> None:
    publisher, reader = wire.as_publisher(), wire.as_partner()
    post(publisher, STORIES)
    long = ", ".join(f"a b c{number}" for number in range(49))
    load(wire, "\n".join(f"word{number} => {long}" for number in range(9)))
    for q in ("word1 " * MOST_TERMS, "word1 word2 a* b* c* d*"):
        assert reader.get(f"/v1/articles?q={quote(q)}").status_code == 200


def test_a_synonym_that_is_mistyped_gets_a_suggestion(wire: Wire) -> None:
    publisher, reader = wire.as_publisher(), wire.as_partner()
    post(publisher, STORIES)
    load(wire, RULES)
    assert page(reader, q="autmobile")["meta"]["did_you_mean"] == [
        {"q": "automobile", "count": {"value": 4, "relation": "eq"}}
    ]
    assert "did_you_mean" not in page(reader, q="automobile")["meta"]


def test_lists_and_the_wire_agree_on_every_query_with_synonyms(wire: Wire) -> None:
    publisher, reader, random = wire.as_publisher(), wire.as_partner(), Random(7)
    post(publisher, [{"headline": " ".join(random.choices("abcdefgh", k=6))} for _ in range(60)])
    load(wire, "a, b, c d\ne f => g h, a\nh, b a e")
    for _ in range(60):
        words = [random.choice(("", "", "-", "headline:")) + random.choice("abcdefgh") for _ in range(4)]
        words[random.randrange(3)] = random.choice(("OR a", '"c d"', "e f", '"a b"', "(a OR e)"))
        q = " ".join(["a", *words])
        changes = reader.get(f"/v1/changes?q={quote(q)}&limit=500")
        listed = reader.get(f"/v1/articles?q={quote(q)}&limit=100")
        assert (changes.status_code, listed.status_code) == (200, 200), q
        told = {entry["article_id"] for entry in changes.get_json()["data"]}
        assert told == {article["id"] for article in listed.get_json()["data"]}, q
