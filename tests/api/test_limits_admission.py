"""Which bodies are worth receiving: those of a valid key that may send them, within its quota."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder

from newswire.api.admission import READER_BYTES, body_limit
from newswire.api.limits.quotas import FAILURES
from newswire.api.request.bodies import BATCH_BYTES
from newswire.formats.strict_json import ARTICLE_BYTES
from newswire.quotas import Quota
from tests.support.site import problem_of
from tests.support.wire import Caller, Wire

FAR = "203.0.113.7"


@pytest.fixture
def wire(fresh_sqlite: str) -> Iterator[Wire]:
    with closing(Wire(fresh_sqlite, secret="s" * 32, limits={"publish": Quota(2, 60)})) as made:
        yield made


def limit_of(wire: Wire, path: str, key: str | None, method: str = "POST", **headers: str) -> int:
    sent = {**({} if key is None else {"Authorization": f"Bearer {key}"}), **headers}
    environ = EnvironBuilder(path=path, method=method, headers=Headers(sent)).get_environ()
    return body_limit(wire.app.config["NEWSWIRE"], environ)


def test_a_body_is_received_of_a_key_that_may_send_it(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    for _ in range(2):
        assert limit_of(wire, "/v1/articles", publisher.key) == ARTICLE_BYTES
        assert limit_of(wire, "/v1/articles/batch", publisher.key) == BATCH_BYTES
        assert limit_of(wire, "/v1/consumers/desk", partner.key, "PUT") == READER_BYTES
        assert limit_of(wire, "/v1/articles", partner.key) == 0
        assert limit_of(wire, "/v1/articles", publisher.key, "GET") == 0
    for unknown in (None, "nw_guess", ""):
        assert limit_of(wire, "/v1/articles", unknown) == 0
    wire.revoke(publisher.key)
    assert limit_of(wire, "/v1/articles", publisher.key) == 0


def test_no_body_is_received_of_a_key_over_its_quota(wire: Wire) -> None:
    publisher = wire.as_publisher()
    for headline in "ab":
        assert limit_of(wire, "/v1/articles", publisher.key) == ARTICLE_BYTES
        publisher.publish(headline)
    assert limit_of(wire, "/v1/articles", publisher.key) == 0
    assert limit_of(wire, "/v1/feeds", publisher.key) == READER_BYTES


def test_no_signed_body_is_received_of_an_address_that_guesses(wire: Wire) -> None:
    signed = {"X-Superdesk-Signature": "sha1=" + "0" * 40}
    far = {"X-Forwarded-For": FAR}
    guess, publisher = Caller(wire.client, "nw_guess"), wire.as_publisher()
    for _ in range(FAILURES.requests):
        assert limit_of(wire, "/v1/articles", None, **signed, **far) == ARTICLE_BYTES
        problem_of(guess.get("/v1/me", headers=far), "unauthenticated")
    assert limit_of(wire, "/v1/articles", None, **signed, **far) == 0
    assert limit_of(wire, "/v1/articles", publisher.key, **far) == 0
    assert limit_of(wire, "/v1/articles", None, **signed) == ARTICLE_BYTES
    assert limit_of(wire, "/v1/articles", publisher.key) == ARTICLE_BYTES


def test_a_body_of_somebody_who_cannot_be_looked_up_now_is_received(fresh_sqlite: str) -> None:
    with closing(Wire(fresh_sqlite, wait_seconds=1)) as wire:
        publisher, slots = wire.as_publisher(), wire.app.config["NEWSWIRE"].slots
        for party in ("one", "two"):
            slots.take(slots.authentications, party, 0)
        assert limit_of(wire, "/v1/articles", publisher.key) == ARTICLE_BYTES


def test_a_body_with_a_signature_is_received_only_where_it_may_be_valid(wire: Wire, fresh_sqlite: str) -> None:
    signed = {"X-Superdesk-Signature": "sha1=" + "0" * 40}
    assert limit_of(wire, "/v1/articles", None, **signed) == ARTICLE_BYTES
    for path in ("/v1/articles/batch", "/nope", "/v1/feeds"):
        assert limit_of(wire, path, None, **signed) == 0
    assert limit_of(wire, "/v1/articles", None, "PUT", **signed) == 0
    assert limit_of(wire, "/v1/articles", None, **{"X-Superdesk-Signature": "x"}) == 0
    with closing(Wire(fresh_sqlite)) as without_secret:
        assert limit_of(without_secret, "/v1/articles", None, **signed) == 0
