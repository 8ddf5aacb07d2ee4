"""JSON merge-patch (RFC 7396) on an article as it was sent."""

from typing import Any

import orjson

BODIES = frozenset({"body_html", "body_text", "body_markdown"})


def merged(source: bytes, patch: dict[str, Any]) -> dict[str, Any]:
    """The article as sent with `patch` applied; naming one body replaces whichever was there.

    The `source_version` that is stored is no claim of this sender: only one in `patch` counts.
    """
    target = orjson.loads(source)
    target.pop("source_version", None)
    if any(patch.get(name) is not None for name in BODIES):
        target = {name: value for name, value in target.items() if name not in BODIES}
    result: dict[str, Any] = merge(target, patch)
    return result


def merge(target: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge(result.get(name), value)
    return result
