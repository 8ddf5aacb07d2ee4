"""Text from the wire as a terminal may show it, and the callback that shows progress."""

import re
from collections.abc import Callable

# Whatever a terminal would obey: C0 and C1 controls and the separators of lines.
CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def plain(text: str) -> str:
    """Text of somebody else's on one line of a terminal, which obeys nothing in it."""
    return CONTROLS.sub(" ", text)


Show = Callable[[int, int], None]
