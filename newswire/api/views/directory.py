"""Lists of names with the number of articles of each: sections, keywords, publishers, authors; and one author."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias
from urllib.parse import urlencode

import orjson
from flask import Response, g
from sqlalchemy import Connection

from newswire import wire
from newswire.accounts.publishers import list_publishers as read_publishers
from newswire.api.cache.pages import keepable
from newswire.api.request.conditional import not_modified
from newswire.api.request.urls import base_url
from newswire.api.responses import json_answer, unchanged
from newswire.api.state import database, state
from newswire.api.views.articles import page_of
from newswire.api.views.lists import list_tag
from newswire.article import shown
from newswire.errors import Problem
from newswire.reading import directory
from newswire.reading.authors import profiles
from newswire.reading.directory import Name, Names, Sight
from newswire.reading.lists import Count
from newswire.timestamps import now
from newswire.visibility import AUTHOR_ID, PROFILE, term

Counted: TypeAlias = Sequence[tuple[Name, Count]]
Described: TypeAlias = Callable[[Connection, Counted, Sight], list[dict[str, Any]]]


def list_sections(parameters: dict[str, Any]) -> Response:
    """The sections, with counts

    In alphabetical order. A count is that of the usable articles that you may list now, exact to 10,000.
    """
    return listed("section", parameters, plain("section"))


def list_keywords(parameters: dict[str, Any]) -> Response:
    """The keywords, with counts

    In alphabetical order. A count is that of the usable articles that you may list now, exact to 10,000.
    """
    return listed("keyword", parameters, plain("keyword"))


def list_publishers(parameters: dict[str, Any]) -> Response:
    """The publishers, with counts

    In alphabetical order of their names: who has a usable article that you may list now, and you.
    """
    return listed("publisher", parameters, publishers)


def list_authors(parameters: dict[str, Any]) -> Response:
    """The authors, with counts

    In alphabetical order, each as the newest articles that you may list speak of them.
    """
    return listed("author", parameters, authors)


def read_author(parameters: dict[str, Any], author_id: str) -> Response:
    """One author

    The same name at the same publisher is the same author. The newest of the articles that you may list
    wins, for each field the newest that gives it; an article keeps what it said then.
    """
    moment = now()
    sight = Sight.of(g.caller.visibility, moment)
    name = f"author_{author_id}"
    with database().read() as connection:
        tag = tag_of(connection, moment)
        found = profiles(connection, [author_id], sight) if AUTHOR_ID.fullmatch(name) else {}
        if not found:
            raise Problem("not_found", "There is no such author, or no article of theirs is yours to read.")
        counts = sight.counts(connection, [name])
    return json_answer(described(found[author_id], counts[name]), tag=tag)


def listed(kind: str, parameters: dict[str, Any], describe: Described) -> Response:
    """A page of names in the envelope of every list."""
    moment, caller = now(), g.caller
    asked = Names(kind, parameters.get("q"), parameters["limit"], parameters.get("cursor"))
    sight = Sight.of(caller.visibility, moment)
    own = term("publisher", caller.publisher.slug) if caller.publisher else None
    with database().read() as connection:
        tag = tag_of(connection, moment)
        if not_modified(tag):
            return unchanged(tag)
        page = directory.page(connection, asked, sight, own)
        items = describe(connection, page.names, sight)
    return page_of(map(orjson.dumps, items), asked.limit, page.next_cursor, tag=tag)


def tag_of(connection: Connection, moment: int) -> str:
    """The ETag of what follows from the list of articles."""
    head = wire.position(connection)
    expiries = state().calendar.around(connection, head, moment)
    keepable(head, expiries.following)
    return list_tag(head, g.caller.visibility, expiries.last)


def plain(kind: str) -> Described:
    """Names that have nothing but themselves."""

    def describe(connection: Connection, names: Counted, sight: Sight) -> list[dict[str, Any]]:
        return [
            {"name": name.label, "count": count._asdict(), "links": {"articles": articles_address(kind, name.label)}}
            for name, count in names
        ]

    return describe


def publishers(connection: Connection, names: Counted, sight: Sight) -> list[dict[str, Any]]:
    known = {term("publisher", each.slug): each for each in read_publishers(connection)}
    return [
        {
            **shown(known[name.term]),
            "count": count._asdict(),
            "links": {"articles": articles_address("publisher", known[name.term].slug)},
        }
        for name, count in names
    ]


def authors(connection: Connection, names: Counted, sight: Sight) -> list[dict[str, Any]]:
    counts = {name.term.removeprefix("author_"): count for name, count in names}
    found = profiles(connection, counts.keys(), sight)
    return [described(found[each], count) for each, count in counts.items() if each in found]


def described(author: Mapping[str, Any], count: Count) -> dict[str, Any]:
    address = f"{base_url()}/v1/authors/{author['id']}"
    return {
        **{name: author[name] for name in ("id", "name", "publisher", *PROFILE)},
        "count": count._asdict(),
        "links": {"self": address, "articles": articles_address("author", author["id"])},
    }


def articles_address(parameter: str, value: str) -> str:
    """The list that a count is of; a comma in a name is none between names."""
    escaped = value.replace(",", "\\,")
    return f"{base_url()}/v1/articles?{urlencode({parameter: escaped})}"
