"""Addresses of pictures: the candidates of a `srcset`, placeholders, and whether two addresses show the same picture.

Pure functions on text. In which attribute an address is found is known in `pictures`.
"""

import re
from itertools import islice
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from newswire.caches import cache_short

C0_AND_SPACE = "".join(map(chr, range(0x21)))
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*+:", re.IGNORECASE)
SUFFIX = re.compile(r"\.(?:jpe?g|jfif|png|gif|webp|avif|heic|bmp|tiff?|svg)$", re.IGNORECASE)
LONGEST = 4_096
MOST_CANDIDATES = 1_000

# WHATWG HTML 4.8.4.2.1, "parse a srcset attribute": a URL is everything up to white space, so it may contain commas;
# its descriptors end at the next comma outside of parentheses. Possessive, so that 100 kB take linear time.
CANDIDATE = re.compile(r"([^\s,]\S*+)(?:(?<=,)|((?:[^,(]++|\([^)]*+\)?+)*+))")
DESCRIPTOR = re.compile(r"(?<!\S)([0-9]{1,6}(?:\.[0-9]{1,3})?)([wx])(?!\S)")

WORDS = re.compile(r"[^a-z0-9]+")
# File names of nothing but such words are never a photograph, whatever they end in, or if they are a GIF, PNG or SVG.
EMPTY_NAMES = frozenset({"1x1", "placeholder", "spacer"})
EMPTY_DRAWINGS = frozenset({"blank", "clear", "lazyload", "pixel", "trans", "transparent"})
PADDING = "bg big black default empty gif gray grey icon image images img large lazy photo pic picture small white"
FILLERS = frozenset(PADDING.split())
EMPTY = EMPTY_NAMES | EMPTY_DRAWINGS
# A picture of a loader is one if nothing else can be loaded.
LOADERS = frozenset({"loader", "loading", "preloader", "preloaderbig"})
# The names of photographs are longer: customer-loading-a-truck.jpg.
MOST_WORDS, LONGEST_NAME = 3, 60

# Parameters that ask for another size of the same picture, and those that mean something of the kind beside them.
SIZES = "w h width height resize fit dpr quality itok imwidth imheight maxwidth maxheight max-width max-height"
SIZE_PARAMETERS = frozenset(SIZES.split())
DETAILS = "s sig hash q auto crop format fm size sz scale strip downsize ssl output-quality output-format"
BESIDE_SIZE = frozenset(DETAILS.split())
# WordPress and others write the size before the suffix: harbour-300x200.jpg, harbour-scaled.jpg, harbour@2x.jpg.
SIZE_IN_NAME = re.compile(r"(?:-[0-9]{2,4}x[0-9]{2,4}|-scaled|@[1-4]x)(?=\.[a-z]{3,4}$)", re.IGNORECASE)
# Cloudinary's and ShortPixel's parameters, as a step of the path: /w_760,q_auto/, /c_fill,h_80/.
SIZE_IN_PATH = re.compile(r"/(?=(?:[^/,]*+,)*?[wh]_[0-9])[a-z]{1,4}_[^/,]*+(?:,[a-z]{1,4}_[^/,]*+)*+(?=/)")


class Candidate(NamedTuple):
    """An address of a `srcset`: its width in pixels, or its density where no width is said."""

    url: str
    width: float | None
    density: float


def read_candidates(srcset: str) -> list[Candidate]:
    """The candidates of a `srcset`, a thousand at most."""
    found = []
    for each in islice(CANDIDATE.finditer(srcset), MOST_CANDIDATES):
        url, descriptors = each[1], each[2] or ""
        sizes = {unit: float(number) for number, unit in DESCRIPTOR.findall(descriptors)}
        found.append(Candidate(url.rstrip(","), sizes.get("w"), sizes.get("x", 1.0)))
    return found


def by_size(candidate: Candidate) -> tuple[float, float]:
    """The sort key of candidates: by width, and by density where none has a width."""
    return candidate.width or 0, candidate.density


def is_usable(url: str, *, has_base: bool) -> bool:
    """Whether `url` can be loaded from the web; a relative one only with a base URL."""
    url = url.strip(C0_AND_SPACE)
    if not url or len(url) > LONGEST or url[0] in "#{[<" or "{{" in url:
        return False
    if SCHEME.match(url):
        return url[:8].lower().startswith(("http://", "https://"))
    if url.startswith("//"):
        return len(url) > 2
    return has_base and ("/" in url or is_picture_file(url))


def is_picture_file(url: str) -> bool:
    """Whether the path of `url` ends like the name of a picture."""
    return SUFFIX.search(_path_of(url)) is not None


@cache_short(2_000, 300)
def is_sure_placeholder(url: str) -> bool:
    """Whether the file name says that the picture shows nothing: blank.gif, 1x1-white.jpg, image_placeholder.png."""
    name = _path_of(url).rpartition("/")[2].lower()
    words = _words_of(name)
    if EMPTY.isdisjoint(words) or not words <= EMPTY | FILLERS:
        return False
    return not EMPTY_NAMES.isdisjoint(words) or name.endswith((".gif", ".png", ".svg"))


def looks_like_placeholder(url: str) -> bool:
    """Whether another address for the same picture is to be preferred: its short name has a word of a placeholder."""
    words = _words_of(_path_of(url).rpartition("/")[2].lower())
    return len(words) <= MOST_WORDS and not (EMPTY | LOADERS).isdisjoint(words)


def _words_of(name: str) -> set[str]:
    """The words of a short file name without its suffix; none of a long one, which is that of a photograph."""
    return {*WORDS.split(SUFFIX.sub("", name))} - {""} if len(name) <= LONGEST_NAME else set()


def _path_of(url: str) -> str:
    return url.partition("?")[0].partition("#")[0].strip(C0_AND_SPACE)


def picture_key(url: str) -> str:
    """A text that is the same for the addresses of one picture in several sizes.

    Left out are the scheme, and from path and query what is known to name a size or a compression. Different pictures
    keep different keys, as far as names can tell.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    path = SIZE_IN_NAME.sub("", unquote(parts.path))
    path = SIZE_IN_PATH.sub("", path) if "_" in path else path
    if not parts.query:
        return f"//{parts.netloc.lower()}{path}"
    members = parse_qsl(parts.query, keep_blank_values=True)
    names = {name.lower() for name, _ in members}
    passed = SIZE_PARAMETERS | BESIDE_SIZE if not SIZE_PARAMETERS.isdisjoint(names) else frozenset()
    others = [(name, value) for name, value in members if name.lower() not in passed]
    return f"//{parts.netloc.lower()}{path}?{urlencode(others)}" if others else f"//{parts.netloc.lower()}{path}"
