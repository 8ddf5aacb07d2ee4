"""Recognition of files that hold no articles in a form that is read: feeds, web pages, tables, archives, documents.

It only names what a person has given, for one sentence in place of an error for each line. Nothing is parsed here.
"""

import re
from codecs import BOM_UTF8

KNOWN_BYTES: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "a ZIP archive, or a document of an office program (such as .xlsx or .docx)"),
    (b"\xd0\xcf\x11\xe0", "a document of an office program (such as .xls or .doc)"),
    (b"%PDF-", "a PDF document"),
    (b"{\\rtf", "an RTF document"),
    (b"SQLite format 3\x00", "a SQLite database"),
    (b"PGDMP", "an archive of pg_dump"),
    (b"BZh", "compressed by bzip2"),
    (b"\xfd7zXZ\x00", "compressed by xz"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\x1f\x8b", "compressed twice by gzip"),
    (b"PAR1", "a Parquet file"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
)
ROOTS = {
    "rss": "an RSS feed", "feed": "an Atom feed", "rdf": "an RSS 1.0 feed or another RDF document",
    "opml": "a list of feeds in OPML", "nitf": "an article in NITF", "newsml": "NewsML 1", "html": "a web page (HTML)",
    "urlset": "a sitemap", "sitemapindex": "a sitemap",
    **dict.fromkeys(("newsitem", "newsmessage", "packageitem", "conceptitem", "knowledgeitem", "planningitem"),
                    "NewsML-G2"),
}  # fmt: skip
HTML = frozenset({
    "a", "article", "b", "blockquote", "body", "br", "center", "div", "em", "figure", "font", "h1", "h2", "h3", "head",
    "hr", "i", "img", "main", "ol", "p", "pre", "section", "span", "strong", "table", "ul",
})  # fmt: skip
# What may stand before the root of a document: the declaration, instructions, comments, the document type.
PROLOGUE = re.compile(r"\s*+(?:<\?.*?\?>|<!--.*?-->|<!DOCTYPE(?![^>]*\bhtml\b)[^>\[]*(?:\[.*?\]\s*)?>)", re.S | re.I)
ROOT = re.compile(r"\s*<(!DOCTYPE\s+html\b|(?:[\w.-]+:)?([\w.-]+))", re.I)
MOST_PROLOGUES = 50
DELIMITERS = {",": "CSV (a table with commas)", ";": "CSV (a table with semicolons)", "\t": "a table with tabs (TSV)"}
BYTE_ORDER_MARKS = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))


def is_markup_or_binary(first: bytes) -> bool:
    """Whether a file whose first line that is not blank is this can hold no article: XML, HTML, a binary format."""
    is_binary = b"\0" in first and not first.lstrip().startswith(b"{")
    return (
        is_binary
        or first.startswith(tuple(mark for mark, _ in (*KNOWN_BYTES, *BYTE_ORDER_MARKS)))
        or (first.removeprefix(BOM_UTF8).lstrip().startswith(b"<"))
    )


def name_markup_or_binary(head: bytes) -> str:
    """What a file is that begins with `head`, of which `is_markup_or_binary` holds."""
    for magic, name in KNOWN_BYTES:
        if head.startswith(magic):
            return name
    for mark, encoding in BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return f"{name_markup(head[2:].decode(encoding, 'replace'))} in UTF-16; Newswire reads UTF-8"
    markup = name_markup(head.decode("utf-8-sig", "replace"))
    return "a binary file" if markup == "text" else markup


def name_markup(text: str) -> str:
    """The kind of an XML document or a web page by its root element; "text" where no tag stands at the beginning."""
    if not text.lstrip().startswith("<"):
        return "text"
    for _ in range(MOST_PROLOGUES):
        if not (found := PROLOGUE.match(text)):
            break
        text = text[found.end() :]
    if not (root := ROOT.match(text)):
        return "XML"
    name = (root[2] or "html").lower()
    if name == "rss" and "wordpress.org/export" in text:
        return "a WordPress export (WXR, in RSS)"
    return ROOTS.get(name) or ("HTML" if name in HTML else "XML")


def name_text(first: bytes, second: bytes) -> str:
    """The kind of a text, by its first two lines that are not blank; the second may be empty."""
    lines = [line.decode("utf-8", "replace").strip("\ufeff\r\n") for line in (first, second) if line]
    if lines[0].strip() == "---" or re.match(r"#+ |!\[", lines[0]):
        return "perhaps Markdown, whose name has to end in .md"
    for delimiter, name in DELIMITERS.items():
        if all(delimiter in line.strip(" ") for line in lines) and not lines[0].rstrip().endswith((".", ",", ";")):
            return name
    return "text, and no line of it is a JSON object"
