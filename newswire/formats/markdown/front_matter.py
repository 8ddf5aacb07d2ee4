"""The parser of YAML front matter: the fields between two lines of `---` at the start of a Markdown article.

It knows no implicit types: every scalar stays text (`no`, `1.0` and `2026-11-02T08:00:00Z` are no boolean, float and
date), except in the four fields that are numbers. The values are validated later, by `newswire.schemas`.
"""

import re
from typing import Any

import yaml

MARK = "---"
LONGEST = 100_000
DEEPEST = 20
NUMBERS = frozenset({"height", "source_version", "urgency", "width"})
# 3.0 is the integer 3, as in JSON.
WHOLE = re.compile(r"([0-9]{1,18})(?:\.0{1,9})?")


class MarkdownError(ValueError):
    """A fault of a Markdown article: `detail`, a sentence, and `line`, counted from 1."""

    def __init__(self, detail: str, line: int) -> None:
        super().__init__(detail, line)
        self.detail = detail
        self.line = line


class FrontMatterLoader(yaml.BaseLoader):
    """A YAML loader of text, lists and mappings only.

    It refuses aliases, with which a small document can become exponentially large ("billion laughs").
    """

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise yaml.MarkedYAMLError(problem="anchors and aliases are not allowed", problem_mark=event.start_mark)
        if self.depth == DEEPEST:
            raise yaml.MarkedYAMLError(problem="nested too deeply", problem_mark=event.start_mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        mapping: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str) or key in mapping:
                problem = f"{key} is given twice" if isinstance(key, str) else "a name must be plain text"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key_node.start_mark)
            mapping[key] = self.value(key, value_node)
        return {key: value for key, value in mapping.items() if value is not None}

    def value(self, key: str, node: yaml.Node) -> Any:
        """The value of a member; None for `key:`, `key: null` and `key: ~`, which count as absent."""
        value = self.construct_object(node, deep=True)
        if isinstance(node, yaml.ScalarNode) and node.style is None:
            if value in ("", "~", "null"):
                return None
            if key in NUMBERS and (number := WHOLE.fullmatch(value)):
                return int(number[1])
        return value


def read_front_matter(lines: list[str]) -> tuple[dict[str, Any], int]:
    """Reads the fields at the start of `lines`, and the number of lines they take; raises `MarkdownError`."""
    if not lines or lines[0].rstrip() != MARK:
        return {}, 0
    end = next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() in (MARK, "...")), None)
    if end is None:
        raise MarkdownError(f"The front matter has no end: a line of {MARK} is missing.", 1)
    text = "\n".join(lines[1:end])
    if len(text) > LONGEST:
        raise MarkdownError(f"The front matter is longer than {LONGEST:,} characters.", 1)
    fields = _load_yaml(text)
    if fields in (None, ""):
        return {}, end + 1
    if not isinstance(fields, dict):
        raise MarkdownError("The front matter must be a list of names and values.", 2)
    return fields, end + 1


def _load_yaml(text: str) -> Any:
    try:
        return yaml.load(text, FrontMatterLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark else 2
        raise MarkdownError(f"The front matter is not YAML: {error.problem}.", line) from None
    except (yaml.YAMLError, ValueError, OverflowError):
        # A character that YAML does not know, or an escape that is no character.
        raise MarkdownError("The front matter holds a character that YAML does not allow.", 2) from None
