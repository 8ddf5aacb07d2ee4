"""Footnotes in Markdown (`text[^1]` and `[^1]: the note`), as CommonMark does not have them but publishers write them.

The plugin parses them. This module renders them without classes, which the sanitiser would remove with a warning, and
keeps notes that the plugin would drop.
"""

import re
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin

# The plugin looks for the end of each name, to the next space. 24,000 times "[^" took it minutes.
LONG_NAME = re.compile(r"\[\^[^ \n\]]{200}")


def has_footnotes(markdown: str) -> bool:
    """Whether there could be footnotes in `markdown`, and all their names are of a length that can be read."""
    return "[^" in markdown and not LONG_NAME.search(markdown)


def add_footnotes(parser: MarkdownIt) -> MarkdownIt:
    """Adds footnotes to a parser, and returns it. Their ids are `fn1` …, those of the references to them `fnref1` …"""
    parser.use(footnote_plugin, inline=False)
    parser.core.ruler.before("footnote_tail", "footnotes_without_reference", _list_all_notes)
    parser.add_render_rule("footnote_ref", _render_reference)
    parser.add_render_rule("footnote_block_open", _render_opening)
    parser.add_render_rule("footnote_open", _render_note)
    parser.add_render_rule("footnote_anchor", _render_return)
    return parser


def _list_all_notes(state: StateCore) -> None:
    """Lists the notes that nothing refers to, and all but the first of a name: the plugin leaves them out."""
    notes = state.env.get("footnotes")
    if notes is None:
        return
    met: set[str] = set()
    for token in state.tokens:
        if token.type != "footnote_reference_open":
            continue
        label = token.meta["label"]
        number = len(notes["list"])
        if label in met:
            # No label in a text has a line break, so this one is new.
            token.meta["label"] = f"{label}\n{number}"
        if label in met or notes["refs"][f":{label}"] < 0:
            notes["list"][number] = {"label": token.meta["label"], "count": 0}
        met.add(label)


def _numbers(token: Token) -> tuple[int, str]:
    """The number of a note, and what the id of a reference to it ends in."""
    number, repetition = token.meta["id"] + 1, token.meta.get("subId", 0)
    return number, f"{number}:{repetition}" if repetition else f"{number}"


def _is_referred_to(token: Token, env: Any) -> bool:
    return bool(env["footnotes"]["list"][token.meta["id"]]["count"])


def _render_reference(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    number, reference = _numbers(tokens[index])
    return f'<sup><a href="#fn{number}" id="fnref{reference}">[{number}]</a></sup>'


def _render_opening(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    return "<hr>\n<section>\n<ol>\n"


def _render_note(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    return f'<li id="fn{_numbers(tokens[index])[0]}">' if _is_referred_to(tokens[index], env) else "<li>"


def _render_return(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    if not _is_referred_to(tokens[index], env):
        return ""
    return f' <a href="#fnref{_numbers(tokens[index])[1]}">↩\ufe0e</a>'
