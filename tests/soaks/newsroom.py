"""One writer of the soak `writers`: what a publisher's system sends on a busy day, wrong things too."""

import random
from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import uuid4

from tests.soaks.clients import Answer, Client, Unexpected

SECTIONS = ("world", "sport", "culture")
LANGUAGES = ("en", "de", "fr", "he", "ru")
SHARED = 20
MOMENTS = [f"2026-03-{day:02d}T12:00:00Z" for day in range(1, 6)]


class Receipt(NamedTuple):
    """An acknowledged version. A batch tells no `seq`; `word` is found in its headline only; a kill has none."""

    article_id: str
    version: int
    seq: int | None
    section: str | None
    word: str | None


class Writer:
    """Sends until it is told to stop; keeps the receipts of what was acknowledged, in order."""

    def __init__(self, client: Client, slug: str, number: int) -> None:
        self.client = client
        self.slug = slug
        self.number = number
        self.random = random.Random(number)
        self.receipts: list[Receipt] = []
        self.own: dict[str, str] = {}
        self.refused = 0
        self.dry = 0
        self.written = 0

    def step(self) -> None:
        """One request of any kind."""
        kinds: dict[Callable[[], None], int] = {
            self.post: 25, self.put: 20, self.put_unchanged: 5, self.change: 15, self.batch: 8,
            self.kill_any: 5, self.refuse: 15, self.rehearse: 7,
        }  # fmt: skip
        self.random.choices(list(kinds), list(kinds.values()))[0]()

    def content(self) -> dict[str, Any]:
        """A new article; its headline holds a word that no other has."""
        self.written += 1
        content: dict[str, Any] = {
            "headline": f"w{self.number}x{self.written} from the desk",
            "section": self.random.choice(SECTIONS),
            "language": self.random.choice(LANGUAGES),
            "body_text": "The harbour reopened on Monday. " * self.random.randrange(30),
        }
        if self.random.random() < 0.5:
            content["published_at"] = self.random.choice(MOMENTS)
        return content

    def post(self) -> None:
        headers = {"Idempotency-Key": str(uuid4())} if self.random.random() < 0.5 else {}
        content = self.content()
        answer = self.expect(201, "POST", "/v1/articles", content, headers)
        receipt = self.keep(content, answer)
        self.own[receipt.article_id] = answer.headers["ETag"]
        if self.random.random() < 0.1:
            self.look_for(receipt)

    def change(self) -> None:
        """A new version of an article of its own, which may go to another section; often its last one."""
        if self.own:
            article_id, tag = self.random.choice(list(self.own.items()))
            method, content = self.random.choice(["PUT", "PATCH"]), self.content()
            answer = self.expect(200, method, f"/v1/articles/{article_id}", content, {"If-Match": tag})
            self.keep(content, answer)
            self.own[article_id] = answer.headers["ETag"]
            if self.random.random() < 0.5:
                self.kill(article_id)

    def put(self) -> None:
        """An article that the other writers of this publisher change too."""
        content = self.content()
        self.keep(content, self.expect_stored(self.shared(), content))

    def put_unchanged(self) -> None:
        """The same content twice: the second stores nothing and tells nothing."""
        content, path = self.content(), self.address(f"own{self.number}x{self.written}")
        receipt = self.keep(content, self.expect(201, "PUT", path, content))
        again = self.expect(200, "PUT", path, content).json
        if (again["id"], again["version"], again["seq"]) != receipt[:3]:
            raise Unexpected(f"unchanged content became {again['version']}, {again['seq']}: {receipt}")

    def batch(self) -> None:
        """Some articles at once, new ones and shared ones, and one that cannot be read."""
        contents = [self.content() for _ in range(self.random.randint(2, 12))]
        for content in contents[::2]:
            content["external_id"] = f"shared{self.random.randrange(SHARED)}"
        sent: list[Any] = [*contents, {"headline": ""}]
        answer = self.expect(200, "POST", "/v1/articles/batch", sent).json["results"]
        for content, result in zip(contents, answer, strict=False):
            if result["status"] not in (200, 201):
                raise Unexpected(f"in a batch: {result}")
            self.receipts.append(Receipt(result["id"], result["version"], None, content["section"], word_of(content)))
        if answer[-1]["status"] != 422:
            raise Unexpected(f"a bad article in a batch: {answer[-1]}")

    def kill_any(self) -> None:
        if self.own:
            self.kill(self.random.choice(list(self.own)))

    def kill(self, article_id: str) -> None:
        del self.own[article_id]
        tombstone = self.expect(200, "DELETE", f"/v1/articles/{article_id}?reason=wrong").json
        self.receipts.append(Receipt(article_id, tombstone["version"], tombstone["seq"], None, None))

    def refuse(self) -> None:
        """A request that must fail: before its transaction, or in the midst of it."""
        content = self.content()
        taken = {**content, "external_id": "shared0"}
        wrong: list[tuple[int, str, str, object, dict[str, str]]] = [
            (422, "POST", "/v1/articles", {**content, "headline": None}, {}),
            (400, "POST", "/v1/articles", b'{"headline": "cut o', {}),
            (409, "POST", "/v1/articles", taken, {"Idempotency-Key": str(uuid4())}),
            (412, "PUT", self.address("shared0"), content, {"If-None-Match": "*"}),
        ]  # fmt: skip
        self.expect(*self.random.choice(wrong))
        self.refused += 1

    def rehearse(self) -> None:
        """A dry run: all the work, and nothing kept."""
        self.expect(200, "POST", "/v1/articles?dry_run=true", self.content(), {"Idempotency-Key": str(uuid4())})
        self.expect(200, "PUT", f"{self.shared()}?dry_run=true", self.content())
        self.dry += 2

    def look_for(self, receipt: Receipt) -> None:
        """What was acknowledged is there at once: in the search and on the wire."""
        found = [article["id"] for article in self.client.get(f"/v1/articles?q={receipt.word}")["data"]]
        entries = self.client.get(f"/v1/changes?after={(receipt.seq or 1) - 1}&limit=1")["data"]
        told = [(entry["article_id"], entry["version"], entry["seq"]) for entry in entries]
        if found != [receipt.article_id] or told != [receipt[:3]]:
            raise Unexpected(f"acknowledged but not there at once: {receipt}, found {found}, told {told}")

    def keep(self, content: dict[str, Any], answer: Answer) -> Receipt:
        stored = answer.json
        receipt = Receipt(stored["id"], stored["version"], stored["seq"], content["section"], word_of(content))
        self.receipts.append(receipt)
        return receipt

    def expect(self, status: int, *request: Any) -> Answer:
        answer = self.client.call(*request)
        if answer.status != status:
            raise Unexpected(f"{request[0]} {request[1]}: {answer.status} {answer.body[:500]!r}, expected {status}")
        return answer

    def expect_stored(self, path: str, content: dict[str, Any]) -> Answer:
        answer = self.client.call("PUT", path, content)
        if answer.status not in (200, 201):
            raise Unexpected(f"PUT {path}: {answer.status} {answer.body[:500]!r}")
        return answer

    def shared(self) -> str:
        return self.address(f"shared{self.random.randrange(SHARED)}")

    def address(self, external_id: str) -> str:
        return f"/v1/publishers/{self.slug}/articles/{external_id}"


def word_of(content: dict[str, Any]) -> str:
    return str(content["headline"]).split()[0]
