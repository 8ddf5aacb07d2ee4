"""Names with their counts: what may be asked of sections, keywords, publishers and authors, and what is served."""

from marshmallow import fields

from newswire.api.schemas.envelopes import PageLinks, PageOut
from newswire.api.schemas.parameters import Digits, Parameters, text
from newswire.api.schemas.responses import AuthorOut, PublisherOut, Served, items, kind, link, one, string, whole

# Words and term of a name: 2,600 bytes, in JSON and base64.
LONGEST_CURSOR = 4000


class NamesParameters(Parameters):
    """The parameters of lists of names."""

    q = text("Beginnings of words: names that have a word for each. Blind to case and marks.", 250, example="jan do")
    limit = Digits(1, 100, load_default=25, metadata={"description": "Names on a page."})
    cursor = text("Where the page begins: `next_cursor` of the page before.", LONGEST_CURSOR,
                  pattern="^[A-Za-z0-9_-]+$")  # fmt: skip


class CountOut(Served):
    value = whole(minimum=0)
    relation = kind("eq", "gte")


class NameLinks(Served):
    articles = link()


class NameOut(Served):
    name = string()
    count = one(CountOut)
    links = one(NameLinks)


class NamedPublisher(PublisherOut):
    count = one(CountOut)
    links = one(NameLinks)


class AuthorLinks(NameLinks):
    self = link()


class AuthorProfile(AuthorOut):
    """An author as the newest articles that you may read speak of them."""

    publisher = one(PublisherOut)
    count = one(CountOut)
    links = one(AuthorLinks)


class NameList(Served):
    """Sections or keywords."""

    data = items(fields.Nested(NameOut))
    page = one(PageOut)
    links = one(PageLinks)


class PublisherList(Served):
    data = items(fields.Nested(NamedPublisher))
    page = one(PageOut)
    links = one(PageLinks)


class AuthorList(Served):
    data = items(fields.Nested(AuthorProfile))
    page = one(PageOut)
    links = one(PageLinks)
