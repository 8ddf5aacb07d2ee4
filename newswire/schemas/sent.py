"""What publishers send, in whichever form: an article of our own form, or ninjs, which can also be a kill."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from newswire.article import Draft, Publisher
from newswire.errors import Fault, Problem
from newswire.formats.ninjs.read import Ninjs, is_ninjs, read_ninjs
from newswire.schemas.article import described, load_draft
from newswire.schemas.fields import FILLED_PATTERN

# For the OpenAPI document: the IPTC's schemas say the rest.
NINJS = {
    "type": "object",
    "description": "ninjs 1.0 to 3.1 (https://iptc.org/standards/ninjs/), or as a Superdesk sends it, with `guid`.",
    "required": ["uri"],
    "properties": {"uri": {"type": "string", "minLength": 1, "maxLength": 250, "pattern": FILLED_PATTERN}},
    "example": {"uri": "urn:example:1", "type": "text", "headlines": [{"value": "Cocoa rises"}]},
}


class Kill(NamedTuple):
    """The publisher's own id of an article that is to be killed (None: the address names it), and why."""

    external_id: str | None
    note: str | None


def load_sent(content: Any, publisher: Publisher, *, named: bool = False) -> Draft | Kill:
    """The draft, or the kill, in `content`: parsed JSON as it was sent, or ninjs that was read already.

    With `named` the address says which article it is, and the name in a ninjs document says nothing.
    """
    if is_ninjs(content):
        content = read_ninjs(content)
    return load_ninjs(content, publisher, named=named) if isinstance(content, Ninjs) else load_draft(content, publisher)


def load_ninjs(read: Ninjs, publisher: Publisher, *, named: bool) -> Draft | Kill:
    """Raises one `Problem` with all faults, each with a pointer into the ninjs document."""
    sent = {name: value for name, value in read.article.items() if not (named and name == "external_id")}
    if read.canceled:
        # Of what is killed nothing but the name counts, and the reason.
        sent = {"headline": "-"} | {name: sent[name] for name in ("external_id", "editor_note") if name in sent}
    found = list(read.faults)
    if not named and not str(sent.get("external_id") or "").strip():
        found.append(Fault("required", "A ninjs document must have a uri, or a guid as a Superdesk sends it.", "/uri"))
    try:
        draft = load_draft(sent, publisher)
    except Problem as problem:
        found += [replace(fault, pointer=place_of(fault.pointer or "", read.places)) for fault in problem.errors]
    if found:
        raise Problem("validation_failed", described(found), found)
    if read.canceled:
        return Kill(draft.external_id, draft.content["editor_note"])
    return replace(draft, warnings=(*read.warnings, *draft.warnings))


def place_of(pointer: str, places: Mapping[str, str]) -> str:
    """Where in the document that stood, or what holds it, which an article as sent has at `pointer`."""
    while pointer and pointer not in places:
        pointer = pointer.rpartition("/")[0]
    return places.get(pointer, "")
