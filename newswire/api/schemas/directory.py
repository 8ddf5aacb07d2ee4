"""Names with their counts: what may be asked of sections, keywords, publishers and authors, and what is served."""

from newswire.api.schemas.envelopes import CountOut, page_of
from newswire.api.schemas.parameters import Digits, Parameters, text
from newswire.api.schemas.responses import AuthorOut, PublisherOut, Served, link, one, string

# Words and term of a name: 2,600 bytes, in JSON and base64.
LONGEST_CURSOR = 4000


class NamesParameters(Parameters):
    """The parameters of lists of names."""

    q = text("Beginnings of words: names that have a word for each. Blind to case and marks.", 250, example="jan do")
    limit = Digits(1, 100, load_default=25, metadata={"description": "Names on a page."})
    cursor = text("Where the page begins: `next_cursor` of the page before.", LONGEST_CURSOR,
                  pattern="^[A-Za-z0-9_-]+$")  # fmt: skip


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


# Sections or keywords.
NameList = page_of("NameList", NameOut)
PublisherList = page_of("PublisherList", NamedPublisher)
AuthorList = page_of("AuthorList", AuthorProfile)
