"""Sections, keywords, publishers and authors: lists of names with counts, searched and paged."""

import base64
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newswire.search import names as labels
from newswire.search.names import Label
from newswire.timestamps import format_instant, now
from tests.support.site import Site, opened, problem_of
from tests.support.wire import Caller, Wire

LISTS = ("sections", "keywords", "publishers", "authors")
# Names that a careless query, link or pattern takes for something else.
ODD_NAMES = [
    "Arts, Culture", "a\\", "a\\,b", "100% wool", "snake_case", "O'Brien", '"quoted"', "R&D + more", "x=y?z#w", "שָׁלוֹם",
    "東京都", "İstanbul", "Straße", "  two   blanks ", "-", "★", ",", "%", "_", "café", "Ünïted",
]  # fmt: skip
SEARCHED = ("José Ángel Díaz", "Sanna Marin", "San-Marino", "שָׁלוֹם עליכם", "東京都", "Straße", "D'Artagnan", "100% wool")


def everything(caller: Caller, address: str) -> list[dict[str, Any]]:
    """The items of a list, page by page, as its links lead."""
    found: list[dict[str, Any]] = []
    while address:
        response = caller.get(address)
        assert response.status_code == 200, response.text
        page = response.get_json()
        following = page["links"]["next"]
        assert page["page"]["has_more"] == (page["page"]["next_cursor"] is not None) == (following is not None)
        assert response.headers.get("Link") == (f'<{following}>; rel="next"' if following else None)
        assert len(page["data"]) <= page["page"]["limit"]
        found += page["data"]
        address = relative(following) if following else ""
    return found


def relative(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def names(caller: Caller, address: str) -> list[str]:
    return [item["name"] for item in everything(caller, f"/v1/{address}")]


def counts(caller: Caller, address: str) -> dict[str, int]:
    return {item["name"]: item["count"]["value"] for item in everything(caller, f"/v1/{address}")}


def by(*authors: str) -> list[dict[str, str]]:
    return [{"name": name} for name in authors]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    with opened(request) as made:
        for name in SEARCHED:
            made.publisher.publish(section=name, keywords=[name], authors=by(name))
        yield made


@pytest.mark.slow
def test_every_count_is_that_of_the_list_that_its_link_leads_to(wire: Wire) -> None:
    reuters, ap = wire.as_publisher(), wire.as_publisher("ap")
    for number, name in enumerate(ODD_NAMES):
        for _ in range(number % 3 + 1):
            reuters.publish(section=name, keywords=[name, "shared"], authors=by(name))
        ap.publish(section=name.upper(), keywords=[name], authors=by(name), language="fr")
    callers = reuters, wire.as_admin(), wire.as_partner(), wire.as_partner("french", language=["fr"])
    for caller in callers:
        for path in LISTS:
            items = everything(caller, f"/v1/{path}?limit=4")
            assert items
            for item in items:
                address = relative(item["links"]["articles"])
                assert len(everything(caller, address)) == item["count"]["value"] > 0
                assert caller.get(f"{address}&count=true").get_json()["meta"]["count"] == item["count"]
    shown = [" ".join(name.split()) for name in ODD_NAMES]
    for path in ("sections", "authors"):
        assert sorted(names(reuters, path)) == sorted(shown)
    assert sorted(names(reuters, "keywords")) == sorted([*shown, "shared"])
    assert counts(reuters, "publishers") == {"Reuters": sum(number % 3 + 1 for number in range(len(ODD_NAMES)))}


def test_names_come_in_alphabetical_order_blind_to_case_and_marks(wire: Wire) -> None:
    publisher = wire.as_publisher()
    ordered = ["Abba", "Éire", "elan", "Élan vital", "élan Vitale", "Élans", "œdema", "Zebra", "Омск", "א", "東京"]
    for name in reversed(ordered):
        publisher.publish(section=name, keywords=[name], authors=by(name))
    for path in ("sections", "keywords", "authors"):
        assert names(publisher, path) == names(publisher, f"{path}?limit=3") == ordered


def test_a_name_is_shown_as_it_was_written_first(wire: Wire) -> None:
    publisher = wire.as_publisher()
    for name in ("World  News", "WORLD NEWS", "world news"):
        publisher.publish(section=name, keywords=[name])
    assert counts(publisher, "sections") == counts(publisher, "keywords") == {"World News": 3}


def test_names_as_long_as_they_may_be_are_listed_and_paged(wire: Wire) -> None:
    publisher = wire.as_publisher()
    longest = ["".join(chr(low + (number * 7919 + turn) % width) for number in range(200))
               for turn, (low, width) in enumerate([(0x20000, 40_000), (0x4E00, 20_000), (0x3300, 0x58), (0xFDF0, 12),
                                                    (0x1D15E, 7), (0x10400, 80), (0x61, 26)])]  # fmt: skip
    publisher.publish(keywords=longest, section=longest[0], authors=by(*longest))
    for path in ("keywords", "authors"):
        found = names(publisher, f"{path}?limit=1")
        assert sorted(found) == sorted(longest)
        assert found == names(publisher, path)
    assert names(publisher, f"keywords?q={quote(longest[0][:80])}") == [longest[0]]


def test_sixty_authors_of_like_names_are_each_met_once_while_others_arrive(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    written = [f"Ann Smith {'I' * number}" for number in range(1, 61)]
    publisher.post("/v1/articles/batch", json=[{"headline": name, "authors": by(name)} for name in written])
    before, behind = "Ann Smith 0", f"Ann Smith {'I' * 61}"
    first = partner.get("/v1/authors?limit=7&q=ann+smi").get_json()
    publisher.publish(authors=by(before, behind))
    rest = names(partner, relative(first["links"]["next"]).removeprefix("/v1/"))
    assert [item["name"] for item in first["data"]] + rest == [*written, behind]
    assert names(partner, "authors?limit=100") == [before, *written, behind]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("jose", "José Ángel Díaz"), ("JOSÉ", "José Ángel Díaz"), ("dia", "José Ángel Díaz"), ("ose", None),
        ("angel jos", "José Ángel Díaz"), ("jose jose", "José Ángel Díaz"), ("jose x", None), ("sann", "Sanna Marin"),
        ("san-marino", "San-Marino"), ("marin sa", "San-Marino,Sanna Marin"), ("שלום", "שָׁלוֹם עליכם"),
        ("שָׁל", "שָׁלוֹם עליכם"), ("לום", None), ("ｊｏｓｅ", "José Ángel Díaz"), ("京", "東京都"), ("東京", "東京都"),
        ("京都", "東京都"), ("東京都", "東京都"), ("都東", None), ("strasse", "Straße"), ("d'ar", "D'Artagnan"),
        ("d’art", "D'Artagnan"), ('"jose"', "José Ángel Díaz"), ("jose%", "José Ángel Díaz"), ("j_", "José Ángel Díaz"),
        ("%o", None), ("-jose", "José Ángel Díaz"), ("jose*", "José Ángel Díaz"), ("OR", None), ("100%", "100% wool"),
        ("jose) OR (1=1", None), ("wool' --", "100% wool"),
    ],
)  # fmt: skip
def test_q_finds_names_by_the_beginnings_of_their_words(site: Site, typed: str, found: str | None) -> None:
    for path in ("sections", "keywords", "authors"):
        assert ",".join(names(site.publisher, f"{path}?q={quote(typed)}")) == (found or "")


def test_publishers_are_searched_too(wire: Wire) -> None:
    for slug in ("reuters", "agence-france"):
        wire.as_publisher(slug).publish()
    partner = wire.as_partner()
    assert names(partner, "publishers") == names(partner, "publishers?limit=1") == ["Agence-France", "Reuters"]
    assert names(partner, "publishers?q=FRÂN") == ["Agence-France"]
    assert [item["slug"] for item in everything(partner, "/v1/publishers?q=agence+f")] == ["agence-france"]


@pytest.mark.slow
@settings(max_examples=60)
@given(typed=st.text(max_size=30) | st.text(alphabet="aé%_'\"\\*-:() \x00,東שׁ", max_size=12))
def test_nothing_that_is_typed_is_a_fault_of_ours(site: Site, typed: str) -> None:
    for path in LISTS:
        response = site.publisher.get(f"/v1/{path}?q={quote(typed)}")
        assert response.status_code in (200, 400)


@pytest.mark.parametrize("typed", ["%", "'", "★", "_"])
def test_q_without_a_letter_or_digit_is_refused_as_strict_is_for_articles(site: Site, typed: str) -> None:
    told = problem_of(site.publisher.get(f"/v1/articles?strict=true&q={quote(typed)}"), "invalid_query")
    for path in LISTS:
        problem = problem_of(site.publisher.get(f"/v1/{path}?q={quote(typed)}"), "invalid_query")
        assert (problem["detail"].partition(": ")[2], problem["position"]) == (told["errors"][0]["detail"], 0)


NAMES = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cn", "Co")), max_size=30)


@pytest.mark.slow
@settings(max_examples=60)
@given(name=NAMES.map(lambda name: f"z{name}"))
def test_a_name_is_found_by_itself_whatever_it_is(site: Site, name: str) -> None:
    article = site.publisher.publish(section=name)
    found = names(site.publisher, f"sections?limit=100&q={quote(article['section'])}")
    assert article["section"].casefold() in [each.casefold() for each in found]


def test_a_cursor_belongs_to_its_list_and_its_q(site: Site) -> None:
    cursor = site.publisher.get("/v1/sections?limit=1").get_json()["page"]["next_cursor"]
    assert names(site.publisher, f"sections?limit=3&cursor={cursor}") == names(site.publisher, "sections")[1:]
    for address in ("/v1/keywords?", "/v1/authors?", "/v1/publishers?", "/v1/sections?q=jose&"):
        problem_of(site.publisher.get(f"{address}cursor={cursor}"), "cursor_mismatch")


def test_a_cursor_that_was_never_given_out_is_refused(site: Site) -> None:
    cursor = site.publisher.get("/v1/sections?limit=1").get_json()["page"]["next_cursor"]
    whole = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    forged = [
        [*whole[:1], *place] for place in (["\0", "", 0], ["", "\0", 0], [" ", "", -1], [" ", "", 2**63], [1, 2, 3])
    ]
    listed = site.publisher.get("/v1/articles?limit=1").get_json()["page"]["next_cursor"]
    others = [base64.urlsafe_b64encode(orjson.dumps(each)).decode().rstrip("=") for each in forged]
    for other in (*others, cursor[:-3], f"{cursor}AAAA", listed, "AAAA", "bnVsbA"):
        problem_of(site.publisher.get(f"/v1/sections?cursor={other}"), "invalid_cursor")


def test_lists_are_answered_with_304_until_something_is_published(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    publisher.publish(section="World", keywords=["war"], authors=by("Ann"))
    one = partner.get("/v1/authors").get_json()["data"][0]["id"]
    for path in (*LISTS, f"authors/{one}"):
        tag = partner.get(f"/v1/{path}").headers["ETag"]
        again = partner.get(f"/v1/{path}", headers={"If-None-Match": tag})
        assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
        publisher.publish(section="World", keywords=["war"], authors=by("Ann"))
        assert partner.get(f"/v1/{path}", headers={"If-None-Match": tag}).status_code == 200
        tag = partner.get(f"/v1/{path}").headers["ETag"]
        wire.set_partner("partner", language=["en"])
        assert partner.get(f"/v1/{path}", headers={"If-None-Match": tag}).status_code == 200
    assert len({partner.get(f"/v1/{path}{query}").headers["ETag"] for path in LISTS for query in ("", "?limit=2")}) == 8


def test_an_unknown_parameter_is_refused_with_the_one_that_was_meant(site: Site) -> None:
    for path in LISTS:
        problem = problem_of(site.publisher.get(f"/v1/{path}?limits=3"), "unknown_parameter")
        assert problem["errors"][0]["did_you_mean"] == "limit"
        for limit in ("0", "101", "x"):
            problem_of(site.publisher.get(f"/v1/{path}?limit={limit}"), "invalid_parameter")


def test_a_kill_and_a_new_version_take_names_away(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    address = "/v1/publishers/reuters/articles/one"
    publisher.put(address, json={"headline": "x", "section": "World", "keywords": ["war"], "authors": by("Ann")})
    publisher.put(address, json={"headline": "x", "section": "Peace", "keywords": ["treaty"], "authors": by("Bob")})
    assert [names(partner, path) for path in LISTS] == [["Peace"], ["treaty"], ["Reuters"], ["Bob"]]
    publisher.delete(address)
    assert [names(partner, path) for path in LISTS] == [[], [], [], []]


def test_a_name_of_embargoed_articles_only_is_nowhere(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    publisher.publish(section="Secret", keywords=["merger"], authors=by("Ann"), embargoed_until="2199-01-01T00:00:00Z")
    for caller in (partner, publisher, wire.as_admin()):
        assert [names(caller, path) for path in ("sections", "keywords", "authors")] == [[], [], []]


def test_what_has_expired_counts_for_whom_it_is_listed(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    for expiry in (format_instant(now() - 1000), "2199-01-01T00:00:00Z", None):
        publisher.publish(section="World", keywords=["war"], authors=by("Ann"), expires_at=expiry)
    publisher.publish(section="Gone", expires_at=format_instant(now() - 1000))
    for path, name in zip(LISTS, ("World", "war", "Reuters", "Ann"), strict=True):
        assert counts(partner, path) == {name: 2}
    assert counts(publisher, "sections") == {"Gone": 1, "World": 3}
    assert len(publisher.listed("section=world")) == 3


def test_only_publishers_with_an_article_are_shown_and_oneself(wire: Wire) -> None:
    reuters, ap, partner = wire.as_publisher(), wire.as_publisher("ap", url=None), wire.as_partner()
    reuters.publish()
    assert everything(partner, "/v1/publishers") == [
        {"slug": "reuters", "name": "Reuters", "url": "https://news.example/", "count": {"value": 1, "relation": "eq"},
         "links": {"articles": "http://localhost/v1/articles?publisher=reuters"}},
    ]  # fmt: skip
    (own,) = everything(ap, "/v1/publishers")
    assert (own["slug"], own["url"], own["count"]) == ("ap", None, {"value": 0, "relation": "eq"})
    assert everything(ap, "/v1/publishers?q=reuters") == []
    assert counts(reuters, "publishers") == counts(wire.as_admin(), "publishers") == {"Reuters": 1}


def test_thousands_of_hidden_names_make_a_page_short_and_its_cursor_names_none_of_them(wire: Wire) -> None:
    publisher = wire.as_publisher()
    hidden = [f"hidden {number:04}" for number in range(2200)]
    batch: list[dict[str, Any]] = [{"keywords": hidden[start : start + 200]} for start in range(0, 2200, 200)]
    batch += [{"keywords": ["first", "last"], "section": "open"}, {"keywords": ["last"], "section": "shut"}]
    answer = publisher.post("/v1/articles/batch", json=[{"headline": "x", **fields} for fields in batch])
    assert {result["status"] for result in answer.get_json()["results"]} == {201}
    for section, shown in (("open", ["first"]), ("shut", [])):
        partner = wire.as_partner(section, section=[section])
        page = partner.get("/v1/keywords?limit=2").get_json()
        assert ([item["name"] for item in page["data"]], page["page"]["has_more"]) == (shown, True)
        assert b"hidden" not in base64.urlsafe_b64decode(page["page"]["next_cursor"] + "==")
        publisher.publish(keywords=[f"hidden 0500 for {section}"])
        following = partner.get(relative(page["links"]["next"])).get_json()
        assert ([item["name"] for item in following["data"]], following["links"]["next"]) == (["last"], None)


def test_what_only_a_dry_run_brought_is_not_taken_for_known(wire: Wire) -> None:
    publisher, german = wire.as_publisher(), {"language": "de", "section": "Neues", "body_text": "viele Häuser"}
    for _ in range(2):
        tried = publisher.post("/v1/articles?dry_run=true", json={"headline": "Versuch", **german})
        assert tried.status_code == 200
    publisher.publish("Ernst", **german)
    publisher.publish("Noch einmal", **german)
    assert [item["name"] for item in everything(publisher, "/v1/sections")] == ["Neues"]
    assert publisher.listed("q=hause") == ["Noch einmal", "Ernst"]


def test_transactions_with_the_same_new_names_do_not_block_each_other(wire: Wire) -> None:
    known = [Label(f"keyword_{number}", "keyword", str(number)) for number in range(3000)]
    start, learned = threading.Barrier(2), []

    def learn(order: list[Label]) -> None:
        start.wait()
        with wire.database.begin() as connection:
            labels.add_labels(connection, order)
        learned.append(order)

    threads = [threading.Thread(target=learn, args=(order,)) for order in (known, known[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(learned) == 2
    with wire.database.read() as connection:
        assert len(labels.find_labels(connection, (name.term for name in known))) == 3000
