"""The articles that the soak `paging` walks through, and what is done to them meanwhile."""

import random
import threading
from typing import Any, NamedTuple

from tests.soaks.clients import Client, Unexpected

BATCH = 500
# Most articles share one of these times.
MOMENTS = [f"2026-03-{day:02d}T12:00:00Z" for day in range(1, 8)]


class Item(NamedTuple):
    """One article: its ids, and which walks hold it."""

    id: str
    external_id: str
    harbour: bool
    world: bool


class Shelf:
    """Articles of one publisher. `touched` are the ids of those that were killed or moved, or are about to be."""

    def __init__(self, client: Client, publisher: str) -> None:
        self.client = client
        self.publisher = publisher
        self.touched: set[str] = set()
        self.disturbances = 0
        self._random = random.Random(7)
        self._items: list[Item] = []
        self._movable: list[Item] = []
        self._lock = threading.Lock()
        self._number = 0

    def fill(self, number: int) -> None:
        """Publishes so many articles, of which a third may be moved and killed later."""
        while self._number < number:
            contents = [self._content() for _ in range(min(BATCH, number - self._number))]
            results = self._expect("POST", "/v1/articles/batch", contents)["results"]
            self._items += [item_of(result["id"], sent) for result, sent in zip(results, contents, strict=True)]
        self._movable = self._items[::3]

    def standing(self) -> list[Item]:
        """The articles that are there now and have not been touched."""
        with self._lock:
            return [item for item in self._items if item.id not in self.touched]

    def disturb(self) -> None:
        """Publishes, updates, moves or kills one article."""
        action = self._random.choices([self.publish, self.update, self.move, self.kill], [8, 8, 2, 2])[0]
        action()
        self.disturbances += 1

    def publish(self) -> None:
        content = self._content()
        item = item_of(self._put(content)["id"], content)
        with self._lock:
            self._items.append(item)

    def update(self) -> None:
        """Other words and a new version, at the same time of publication and on the same walks."""
        item = self._random.choice(self._items)
        if item.id not in self.touched:
            self._put(headlined(item.external_id, item.harbour, item.world, f"updated {self._number}"))

    def move(self) -> None:
        """To another time, which others have too."""
        item = self._random.choice(self._movable)
        if self._touch(item) or self._random.random() < 0.5:
            content = headlined(item.external_id, item.harbour, item.world, "moved")
            self._put({**content, "published_at": self._random.choice(MOMENTS)}, gone=True)

    def kill(self) -> None:
        item = self._random.choice(self._movable)
        if self._touch(item):
            self._expect("DELETE", self._address(item.external_id))

    def _touch(self, item: Item) -> bool:
        """Notes, before it is done, that an article will be moved or killed; False: it was already."""
        with self._lock:
            new = item.id not in self.touched
            self.touched.add(item.id)
        return new

    def _content(self) -> dict[str, Any]:
        """The next article."""
        self._number += 1
        content = headlined(f"p{self._number}", self._number % 10 < 7, self._number % 2 == 0, "arrives")
        if self._random.random() < 0.8:
            content["published_at"] = self._random.choice(MOMENTS)
        elif self._random.random() < 0.5:
            content["published_at"] = (
                f"2026-02-{self._random.randint(1, 28):02d}T{self._random.randint(0, 23):02d}:00:00Z"
            )
        return content

    def _put(self, content: dict[str, Any], *, gone: bool = False) -> Any:
        """Stores one article; `gone`: it may have been killed before."""
        answer = self.client.call("PUT", self._address(content["external_id"]), content)
        if answer.status not in ((200, 201, 410) if gone else (200, 201)):
            raise Unexpected(f"PUT of {content['external_id']}: {answer.status} {answer.body[:500]!r}")
        return answer.json

    def _expect(self, method: str, path: str, content: object = None) -> Any:
        answer = self.client.call(method, path, content)
        if answer.status != 200:
            raise Unexpected(f"{method} {path}: {answer.status} {answer.body[:500]!r}")
        return answer.json

    def _address(self, external_id: str) -> str:
        return f"/v1/publishers/{self.publisher}/articles/{external_id}"


def headlined(external_id: str, harbour: bool, world: bool, what: str) -> dict[str, Any]:
    return {
        "external_id": external_id,
        "headline": f"{external_id} {'harbour' if harbour else 'airport'} {what}",
        "section": "world" if world else "sport",
    }


def item_of(article_id: str, content: dict[str, Any]) -> Item:
    headline = content["headline"].split()
    return Item(article_id, content["external_id"], "harbour" in headline, content["section"] == "world")
