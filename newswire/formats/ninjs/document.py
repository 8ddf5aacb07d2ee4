"""The shared types of the ninjs reader: an object with members in any spelling (`Part`), and the result of reading.

Which members a ninjs document has is known in `read` and `parts`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from newswire.article import ArticleWarning
from newswire.errors import Fault

NINJS_TYPE = "application/vnd.iptc.ninjs+json"
SIGNALS = "http://cv.iptc.org/newscodes/signal/"
EMPTY: tuple[Any, ...] = (None, "", [], {})
MOST_WARNINGS, LONGEST_WARNING = 50, 500
PLURALS = {"body": "bodies", "headline": "headlines", "description": "descriptions"}
HTML_ROLES = frozenset({"html", "xhtml", "html5", "richtext"})
TAG = re.compile(r"</?(?:p|br|div|h[1-6]|ul|ol|li|a|em|strong|b|i|span|blockquote|figure|table)[\s/>]", re.IGNORECASE)


class FoundValue(NamedTuple):
    """A value of the document, with the JSON pointer (RFC 6901) to it."""

    value: Any
    pointer: str


class Prose(NamedTuple):
    """A text of the document. `role` is its kind, such as `main`, `caption`, or the suffix of `body_html`."""

    value: Any
    pointer: str
    role: str
    html: bool

    @property
    def found(self) -> FoundValue:
        return FoundValue(self.value, self.pointer)

    @property
    def is_text(self) -> bool:
        return isinstance(self.value, str)


class NinjsReader:
    """The result of reading a document: the article as sent, the pointers to its values, warnings and faults."""

    def __init__(self) -> None:
        self.article: dict[str, Any] = {}
        self.pointers: dict[str, str] = {}
        self.warnings: list[ArticleWarning] = []
        self.faults: list[Fault] = []

    def put(self, name: str, found: FoundValue | None) -> None:
        if found is not None:
            self.article[name] = found.value
            self.pointers[f"/{name}"] = found.pointer

    def add(self, name: str, found: FoundValue) -> None:
        """Appends an item to the list field `name`."""
        items = self.article.setdefault(name, [])
        self.pointers[f"/{name}/{len(items)}"] = found.pointer
        self.pointers.setdefault(f"/{name}", found.pointer.rpartition("/")[0])
        items.append(found.value)

    def drop(self, name: str) -> bool:
        return self.article.pop(name, None) is not None

    def warn(self, pointer: str, code: str, detail: str) -> None:
        """Warns of the value at a JSON pointer; `detail` goes on after the pointer and a colon."""
        if len(self.warnings) < MOST_WARNINGS:
            said = f"{pointer}: {detail}"[:LONGEST_WARNING]
            self.warnings.append(ArticleWarning(pointer=pointer[:LONGEST_WARNING], code=code, detail=said))

    def fault(self, pointer: str, code: str, detail: str) -> None:
        self.faults.append(Fault(code, detail, pointer=pointer))


class Part:
    """An object of a document. Callers name members in lower case; of several names the first one present counts."""

    def __init__(self, content: Mapping[str, Any], pointer: str) -> None:
        self.content = content
        self.pointer = pointer
        self.spelled: dict[str, str] = {}
        for name in content:
            self.spelled.setdefault(name.lower(), name)
        self.known: set[str] = set()

    def take(self, *names: str) -> FoundValue | None:
        """The first of these members that is not empty; all of them are marked as read."""
        self.known.update(self.spelled[name] for name in names if name in self.spelled)
        name = self.name_of(*names)
        return None if name is None else FoundValue(self.content[name], self.under(name))

    def text(self, *names: str) -> str | None:
        """The first of these members that is not empty, if it is text and not blank; else None."""
        found = self.take(*names)
        return found.value.strip() or None if found is not None and isinstance(found.value, str) else None

    def name_of(self, *names: str) -> str | None:
        spelled = (self.spelled.get(name) for name in names)
        return next((name for name in spelled if name is not None and self.content[name] not in EMPTY), None)

    def under(self, name: str) -> str:
        """The JSON pointer to a member, in text that UTF-8 can encode."""
        spelled = name if name in self.content else self.spelled.get(name, name)
        spelled = spelled.encode("utf-8", "backslashreplace").decode()
        return f"{self.pointer}/{spelled.replace('~', '~0').replace('/', '~1')}"

    def unread(self) -> Iterator[tuple[str, Any]]:
        return ((name, value) for name, value in self.content.items() if name not in self.known)

    def parts(self, *names: str) -> list["Part"]:
        """The objects in a list; a single object counts as a list of one."""
        found = self.take(*names)
        if found is None:
            return []
        if isinstance(found.value, Mapping):
            return [Part(found.value, found.pointer)]
        if not isinstance(found.value, list):
            # A value of the wrong type was not read, and belongs into the warnings.
            self.known -= {self.spelled[name] for name in names if name in self.spelled}
        # A string in place of an object is the name of that object.
        named = (({"name": item} if isinstance(item, str) else item, place) for item, place in list_items(found))
        return [Part(item, place) for item, place in named if isinstance(item, Mapping)]

    def named_parts(self, *names: str) -> list[tuple[str, "Part"]]:
        """Objects with names: the keys of an object in ninjs 1, the `name` of each item of a list since ninjs 2."""
        found = self.take(*names)
        if found is not None and isinstance(found.value, Mapping):
            whole = Part(found.value, found.pointer)
            return [(name, Part(item, whole.under(name))) for name, item in found.value.items()
                    if isinstance(item, Mapping)]  # fmt: skip
        return [(part.text("name") or "", part) for part in self.parts(*names)]

    def prose(self, stem: str, reading: NinjsReader) -> list[Prose]:
        """All texts of a kind: `body`, `body_html` … in ninjs 1, the list `bodies` since ninjs 2."""
        found = [
            self.prose_of(name, name.lower().removeprefix(stem).strip("_"))
            for name in self.content
            if (name.lower() == stem or name.lower().startswith(f"{stem}_")) and self.content[name] not in EMPTY
        ]
        listed = self.take(PLURALS[stem])
        if listed is not None and not isinstance(listed.value, list):
            reading.fault(listed.pointer, "invalid_type", "Must be an array.")
        elif listed is not None:
            found += [text for part in self.parts(PLURALS[stem]) if (text := part.prose_item()) is not None]
        return found

    def prose_of(self, name: str, role: str) -> Prose:
        self.known.add(name)
        value = self.content[name]
        return Prose(value, self.under(name), role, _is_html(value, role, None))

    def prose_item(self) -> Prose | None:
        found, role = self.take("value"), self.text("role") or ""
        if found is None:
            return None
        return Prose(found.value, found.pointer, role.lower(), _is_html(found.value, role, self.text("contenttype")))


def list_items(found: FoundValue | None) -> Iterable[tuple[Any, str]]:
    """The items of a list with their pointers; empty for any other value."""
    if found is None or not isinstance(found.value, list):
        return ()
    return ((item, f"{found.pointer}/{number}") for number, item in enumerate(found.value))


def _is_html(value: Any, role: str, media_type: str | None) -> bool:
    """Whether a text is HTML, by its media type, else by its role, else by the tags in it."""
    if media_type is not None:
        return "html" in media_type or "xml" in media_type
    if role.lower() in HTML_ROLES:
        return True
    return role.lower() != "text" and isinstance(value, str) and TAG.search(value) is not None
