"""Schemas of the directory: sections, keywords, publishers and authors with the counts of their articles."""

from newswire.api.schemas.envelopes import page_of
from newswire.api.schemas.parameters import Digits, Parameters, text_field
from newswire.api.schemas.responses import (
    AuthorOut,
    CountOut,
    PublisherOut,
    Served,
    object_field,
    string_field,
    url_field,
)

# The words of a name and its term take up to 2,600 bytes, which JSON and base64 make longer.
LONGEST_CURSOR = 4000


class NamesParameters(Parameters):
    """The parameters of lists of names."""

    q = text_field("Beginnings of words: names that have a word for each. Blind to case and marks.", 250)
    limit = Digits(1, 100, load_default=25, metadata={"description": "Names on a page."})
    cursor = text_field("Where the page begins: `next_cursor` of the page before.", LONGEST_CURSOR,
                  pattern="^[A-Za-z0-9_-]+$")  # fmt: skip


class NameLinks(Served):
    articles = url_field()


class NameOut(Served):
    name = string_field()
    count = object_field(CountOut)
    links = object_field(NameLinks)


class NamedPublisher(PublisherOut):
    count = object_field(CountOut)
    links = object_field(NameLinks)


class AuthorLinks(NameLinks):
    self = url_field()


class AuthorProfile(AuthorOut):
    """An author as the newest articles that you may read speak of them."""

    publisher = object_field(PublisherOut)
    count = object_field(CountOut)
    links = object_field(AuthorLinks)


# Sections or keywords.
NameList = page_of("NameList", NameOut)
PublisherList = page_of("PublisherList", NamedPublisher)
AuthorList = page_of("AuthorList", AuthorProfile)
