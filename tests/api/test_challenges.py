"""`WWW-Authenticate`: a person who opens an address in a browser is asked for the key, a script never is."""

import pytest

from tests.support.wire import Wire

NAVIGATION = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize("path", ["/v1/articles/1.html", "/v1/articles.rss", "/v1/articles"])
def test_a_browser_that_opens_an_address_gets_each_challenge_in_a_line_of_its_own(wire: Wire, path: str) -> None:
    response = wire.client.get(path, headers={"Accept": NAVIGATION})
    assert response.status_code == 401
    assert response.headers.getlist("WWW-Authenticate") == [
        'Bearer realm="newswire"', 'Basic realm="newswire", charset="UTF-8"',
    ]  # fmt: skip


@pytest.mark.parametrize("accept", [{}, {"Accept": "application/json"}, {"Accept": "*/*"}])
def test_a_script_gets_both_in_one_line_which_opens_no_dialogue(wire: Wire, accept: dict[str, str]) -> None:
    response = wire.client.get("/v1/articles", headers=accept)
    assert response.headers.getlist("WWW-Authenticate") == [
        'Bearer realm="newswire", Basic realm="newswire", charset="UTF-8"'
    ]
