"""A long poll whose key ends while it waits: 401, and not an empty page that means "nothing new"."""

import threading
import time

import pytest
from werkzeug.test import TestResponse

from tests.support.site import problem_of
from tests.support.wire import Wire

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("after", [0.3, 1.6], ids=["in the first second", "later"])
def test_a_poll_whose_key_is_revoked_while_it_waits_is_401(wire: Wire, after: float) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    publisher.publish("Before")
    answers: list[TestResponse] = []
    poll = threading.Thread(target=lambda: answers.append(partner.get("/v1/changes?after=1&wait=30")))
    began = time.monotonic()
    poll.start()
    time.sleep(after)
    wire.revoke(partner.key)
    poll.join(20)
    assert not poll.is_alive()
    assert time.monotonic() - began < 15
    problem_of(answers[0], "unauthenticated")
