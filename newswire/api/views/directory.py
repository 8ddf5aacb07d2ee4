"""Views of the directory: sections, keywords, publishers and authors, with the count of articles of each."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias
from urllib.parse import urlencode

import orjson
from flask import Response
from sqlalchemy import Connection

from newswire import wire
from newswire.accounts.publishers import list_publishers as read_publishers
from newswire.api.context import RequestContext
from newswire.api.representations import page_response
from newswire.api.responses import is_not_modified, json_response, not_modified_response
from newswire.api.views.lists import list_tag
from newswire.article import publisher_document
from newswire.errors import Problem
from newswire.reading import directory
from newswire.reading.authors import author_profiles
from newswire.reading.directory import Name, Names, Sight
from newswire.reading.lists import Count
from newswire.timestamps import now
from newswire.visibility import AUTHOR_ID, PROFILE, term_of

CountedNames: TypeAlias = Sequence[tuple[Name, Count]]
DescribeNames: TypeAlias = Callable[[Connection, str, CountedNames, Sight, str], list[dict[str, Any]]]


def list_sections(context: RequestContext) -> Response:
    """The sections, with counts

    In alphabetical order. A count is that of the usable articles that you may list now, exact to 10,000.
    """
    return names_response(context, "section", describe_names)


def list_keywords(context: RequestContext) -> Response:
    """The keywords, with counts

    In alphabetical order. A count is that of the usable articles that you may list now, exact to 10,000.
    """
    return names_response(context, "keyword", describe_names)


def list_publishers(context: RequestContext) -> Response:
    """The publishers, with counts

    In alphabetical order of their names: who has a usable article that you may list now, and you.
    """
    return names_response(context, "publisher", describe_publishers)


def list_authors(context: RequestContext) -> Response:
    """The authors, with counts

    In alphabetical order, each as the newest articles that you may list speak of them.
    """
    return names_response(context, "author", describe_authors)


def read_author(context: RequestContext, author_id: str) -> Response:
    """One author

    The same name at the same publisher is the same author. The newest of the articles that you may list
    wins, for each field the newest that gives it; an article keeps what it said then.
    """
    moment = now()
    sight = Sight.of(context.caller.visibility, moment)
    name = f"author_{author_id}"
    with context.database.read(context.query_limit) as connection:
        tag = directory_tag(context, connection, moment)
        found = author_profiles(connection, [author_id], sight) if AUTHOR_ID.fullmatch(name) else {}
        if not found:
            raise Problem("not_found", "There is no such author, or no article of theirs is yours to read.")
        counts = sight.counts(connection, [name])
    return json_response(context, author_document(found[author_id], counts[name], context.base_url), tag=tag)


def names_response(context: RequestContext, kind: str, describe: DescribeNames) -> Response:
    """A page of names of a kind in the envelope of every list, or 304."""
    moment, caller, parameters = now(), context.caller, context.parameters
    asked = Names(kind, parameters.get("q"), parameters["limit"], parameters.get("cursor"))
    sight = Sight.of(caller.visibility, moment)
    own = term_of("publisher", caller.publisher.slug) if caller.publisher else None
    with context.database.read(context.query_limit) as connection:
        tag = directory_tag(context, connection, moment)
        if is_not_modified(context.request, tag):
            return not_modified_response(context, tag)
        page = directory.name_page(connection, asked, sight, own)
        items = describe(connection, kind, page.names, sight, context.base_url)
    return page_response(context, map(orjson.dumps, items), asked.limit, page.next_cursor, tag=tag)


def directory_tag(context: RequestContext, connection: Connection, moment: int) -> str:
    """The ETag of a directory, whose content follows from the articles on the wire; allows caching for the head."""
    head = wire.read_head(connection)
    expiries = context.state.calendar.around(connection, head, moment)
    context.mark_cacheable(head, expiries.following)
    # A caller who also sees articles that are not on the wire never gets 304: the moment makes every ETag new.
    moments = () if context.caller.visibility.follows_the_log else (moment,)
    return list_tag(context, head, expiries.last, *moments)


def describe_names(
    connection: Connection, kind: str, names: CountedNames, sight: Sight, base_url: str
) -> list[dict[str, Any]]:
    """Sections or keywords as served; they have nothing but their names."""
    return [
        {
            "name": name.label,
            "count": count._asdict(),
            "links": {"articles": articles_url(base_url, kind, name.label)},
        }
        for name, count in names
    ]


def describe_publishers(
    connection: Connection, kind: str, names: CountedNames, sight: Sight, base_url: str
) -> list[dict[str, Any]]:
    known = {term_of("publisher", each.slug): each for each in read_publishers(connection)}
    return [
        {
            **publisher_document(known[name.term]),
            "count": count._asdict(),
            "links": {"articles": articles_url(base_url, kind, known[name.term].slug)},
        }
        for name, count in names
    ]


def describe_authors(
    connection: Connection, kind: str, names: CountedNames, sight: Sight, base_url: str
) -> list[dict[str, Any]]:
    """Authors as the newest articles within `sight` describe them."""
    counts = {name.term.removeprefix("author_"): count for name, count in names}
    found = author_profiles(connection, counts.keys(), sight)
    return [author_document(found[each], count, base_url) for each, count in counts.items() if each in found]


def author_document(author: Mapping[str, Any], count: Count, base_url: str) -> dict[str, Any]:
    return {
        **{name: author[name] for name in ("id", "name", "publisher", *PROFILE)},
        "count": count._asdict(),
        "links": {
            "self": f"{base_url}/v1/authors/{author['id']}",
            "articles": articles_url(base_url, "author", author["id"]),
        },
    }


def articles_url(base_url: str, parameter: str, value: str) -> str:
    """The URL of the list that a count is of; a comma in a name is escaped, as it would separate two values."""
    escaped = value.replace(",", "\\,")
    return f"{base_url}/v1/articles?{urlencode({parameter: escaped})}"
