"""Soak `repeats`: the same request fifty times at once, and fifty writers of one article."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from tests.soaks.clients import Answer, Client
from tests.soaks.crew import crew
from tests.soaks.following import Follower, check_whole, found, listed
from tests.soaks.report import Report, slowest
from tests.soaks.stage import Scale, Stage

AT_ONCE = 50


def soak(stage: Stage, scale: Scale, report: Report) -> None:
    sender, reader = stage.publisher("gazette"), stage.partner("daily")
    with stage.served() as server, crew(server, AT_ONCE) as (pool, _):
        crowd = Crowd(pool, [stage.client(sender) for _ in range(AT_ONCE)])
        for number in range(scale.rounds):
            one_key(report, crowd, number)
            one_key_for_two_articles(report, crowd, number)
            one_external_id_created(report, crowd, number)
            one_external_id_changed(report, crowd, number)
        check_end(report, stage.client(reader), scale.rounds)
        report.figures = {
            "rounds": scale.rounds,
            "requests": sum(len(client.seconds) for client in crowd.clients),
            "sent again": sum(client.repeats for client in crowd.clients),
            "ms for 99 %": slowest([taken for client in crowd.clients for taken in client.seconds]),
        }
    stage.examine(report)


class Crowd:
    """Fifty clients that send at the same moment."""

    def __init__(self, pool: ThreadPoolExecutor, clients: list[Client]) -> None:
        self.pool = pool
        self.clients = clients

    def send(self, method: str, path: str, contents: list[object], key: str | None = None) -> list[Answer]:
        """One request of each client, released together; `contents` go round."""
        barrier = threading.Barrier(len(self.clients), timeout=30)
        headers = {} if key is None else {"Idempotency-Key": key}

        def one(number: int) -> Answer:
            barrier.wait()
            return self.clients[number].call(method, path, contents[number % len(contents)], headers)

        return list(self.pool.map(one, range(len(self.clients))))


def one_key(report: Report, crowd: Crowd, number: int) -> None:
    """One Idempotency-Key, one article, fifty same answers."""
    answers = crowd.send("POST", "/v1/articles", [{"headline": f"key{number}"}], str(uuid4()))
    report.equal("answers to one key", len({(a.status, a.body, a.headers["ETag"]) for a in answers}), 1)
    report.equal("their status", answers[0].status, 201)
    replayed = sum("Idempotent-Replayed" in answer.headers for answer in answers)
    report.equal("of them replayed", replayed, AT_ONCE - 1)


def one_key_for_two_articles(report: Report, crowd: Crowd, number: int) -> None:
    """One Idempotency-Key for two contents: whoever comes first has it, the other is refused."""
    contents: list[object] = [{"headline": f"either{number}"}, {"headline": f"either{number}", "section": "other"}]
    answers = crowd.send("POST", "/v1/articles", contents, str(uuid4()))
    half = AT_ONCE // 2
    report.equal("a key used for two articles", statuses(answers), {201: half, 422: half})
    report.equal("articles of it", len({answer.body for answer in answers if answer.status == 201}), 1)


def one_external_id_created(report: Report, crowd: Crowd, number: int) -> None:
    """One external_id, fifty POSTs: one article, forty-nine refusals."""
    content = {"headline": f"created{number}", "external_id": f"created{number}"}
    answers = crowd.send("POST", "/v1/articles", [content])
    report.equal("one external_id created", statuses(answers), {201: 1, 409: AT_ONCE - 1})


def one_external_id_changed(report: Report, crowd: Crowd, number: int) -> None:
    """One external_id, fifty contents: versions 1 to 50, each told once; then one content: one version more."""
    path = f"/v1/publishers/gazette/articles/changed{number}"
    contents: list[object] = [{"headline": f"changed{number} to{n}"} for n in range(AT_ONCE)]
    answers = crowd.send("PUT", path, contents)
    report.equal("one external_id changed", statuses(answers), {201: 1, 200: AT_ONCE - 1})
    articles = sorted((answer.json for answer in answers), key=lambda article: int(article["seq"]))
    report.equal("versions by seq", [article["version"] for article in articles], [*range(1, AT_ONCE + 1)])
    same = crowd.send("PUT", path, [{"headline": f"changed{number} at last"}])
    report.equal("versions of one content", {answer.json["version"] for answer in same}, {AT_ONCE + 1})
    report.equal("numbers of one content", len({answer.json["seq"] for answer in same}), 1)


def check_end(report: Report, reader: Client, rounds: int) -> None:
    """Four articles of every round, one of them with fifty-one versions: on the wire, in the list, in the search."""
    told = Follower(reader).catch_up()
    check_whole(report, told)
    report.equal("entries", len(told), rounds * (3 + AT_ONCE + 1))
    report.equal("versions told of each article", Counter(Counter(entry.article_id for entry in told).values()),
                 Counter({1: 3 * rounds, AT_ONCE + 1: rounds}))  # fmt: skip
    report.equal("articles listed", len(listed(reader)), 4 * rounds)
    words = [f"{word}{number}" for number in range(rounds) for word in ("key", "either", "created", "changed")]
    report.none("words not found once", [word for word, ids in found(reader, words).items() if len(ids) != 1])


def statuses(answers: list[Answer]) -> dict[int, int]:
    return dict(Counter(answer.status for answer in answers))
