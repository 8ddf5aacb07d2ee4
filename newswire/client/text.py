"""Text from the wire as a terminal may show it, and the callback that shows progress."""

from collections.abc import Callable

Show = Callable[[int, int], None]
