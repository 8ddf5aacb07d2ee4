"""A publisher's own id is a full address: what is read and patched by our id is read and patched by it."""

from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.test import TestResponse

from tests.support.wire import Caller, Wire

STORY = {"headline": "Ferry", "body_html": "<p>On Tuesday.</p>"}
ROOT = "/v1/publishers/reuters/articles/"


def put(publisher: Caller, external_id: str, **fields: Any) -> dict[str, Any]:
    response = publisher.put(ROOT + quote(external_id, safe=""), json={**STORY, **fields})
    assert response.status_code in (200, 201), response.text
    article: dict[str, Any] = response.get_json()
    return article


def answer_of(response: TestResponse) -> tuple[Any, ...]:
    """All of a response but the headers that name the request."""
    own = {"Content-Location", "X-Request-Id", "Date", "Vary"}
    return response.status_code, {k: v for k, v in response.headers.items() if k not in own}, response.data


@pytest.mark.parametrize(
    "external_id", ["plain-1", "a/b c", "https://x.example/q?é=1#f", "batch", "%2F", "a//b", "..."]
)
@pytest.mark.parametrize("end", ["", "/versions/1", ".md", ".html", ".ninjs"])
def test_what_is_read_by_the_publishers_id_is_what_is_read_by_ours(
    shared_publisher: Caller, shared_partner: Caller, external_id: str, end: str
) -> None:
    article = put(shared_publisher, external_id)
    for caller in (shared_publisher, shared_partner):
        for method in ("GET", "HEAD"):
            by_id = caller.call(method, f"/v1/articles/{article['id']}{end}")
            named = caller.call(method, ROOT + quote(external_id, safe="") + end)
            assert answer_of(named) == answer_of(by_id)
            assert (named.status_code, named.headers["ETag"]) == (200, by_id.headers["ETag"])
            assert named.headers["Content-Location"] == f"http://localhost/v1/articles/{article['id']}{end}"
    fresh = shared_partner.get(
        ROOT + quote(external_id, safe="") + end, headers={"If-None-Match": named.headers["ETag"]}
    )
    assert fresh.status_code == 304


def test_accept_and_paging_are_those_of_our_own_address(wire: Wire) -> None:
    publisher = wire.as_publisher()
    article = put(publisher, "a/1")
    for number in range(3):
        put(publisher, "a/1", headline=f"Ferry {number}")
    page = publisher.get(f"{ROOT}a/1", headers={"Accept": "text/html"})
    assert page.content_type.startswith("text/html")
    ninjs = "application/vnd.iptc.ninjs+json;version=2.1"
    assert publisher.get(f"{ROOT}a/1.ninjs", headers={"Accept": ninjs}).content_type == ninjs
    versions, path = [], f"{ROOT}a/1/versions?limit=3"
    while path:
        found = publisher.get(path)
        assert found.status_code == 200, found.text
        assert all(item["links"]["self"].endswith(f"/v1/articles/{article['id']}") for item in found.get_json()["data"])
        versions += [item["version"] for item in found.get_json()["data"]]
        path = (found.get_json()["links"]["next"] or "").removeprefix("http://localhost")
    assert versions == [4, 3, 2, 1]
    assert publisher.get(f"{ROOT}a/1/versions?nonsense=1").status_code == 400
    assert publisher.get(f"{ROOT}a/1?nonsense=1").status_code == 400
    assert publisher.get(f"{ROOT}a/1", headers={"Accept": "text/csv"}).status_code == 406
    assert publisher.post(f"{ROOT}a/1").status_code == 405


def test_a_patch_by_the_publishers_id_is_a_patch(wire: Wire) -> None:
    publisher, admin, other = wire.as_publisher(), wire.as_admin(), wire.as_publisher("ap")
    article = put(publisher, "a/1")
    tag = publisher.get(f"{ROOT}a/1").headers["ETag"]
    assert publisher.patch(f"{ROOT}a/1", json={"summary": "x"}).status_code == 428
    patched = publisher.patch(f"{ROOT}a/1", json={"summary": "x"}, headers={"If-Match": tag})
    assert (patched.status_code, patched.get_json()["id"], patched.get_json()["version"]) == (200, article["id"], 2)
    assert patched.get_json()["body_text"] == "On Tuesday."
    assert publisher.patch(f"{ROOT}a/1", json={"summary": "y"}, headers={"If-Match": tag}).status_code == 412
    assert admin.patch(f"{ROOT}a/1", json={"summary": "y"}, headers={"If-Match": "*"}).get_json()["version"] == 3
    headers = {"If-Match": "*"}
    assert other.patch(f"{ROOT}a/1", json={"summary": "z"}, headers=headers).status_code == 404
    assert publisher.patch(f"{ROOT}never", json={"summary": "z"}, headers=headers).status_code == 404
    assert wire.as_partner().patch(f"{ROOT}a/1", json={}, headers=headers).status_code == 403
    publisher.delete(f"{ROOT}a/1")
    assert publisher.patch(f"{ROOT}a/1", json={"summary": "z"}, headers=headers).status_code == 410


def test_who_may_not_see_an_article_does_not_find_it_by_its_name(wire: Wire) -> None:
    publisher, other = wire.as_publisher(), wire.as_publisher("ap")
    limited, partner = wire.as_partner("sports", section=["sport"]), wire.as_partner()
    put(publisher, "open", section="world")
    put(publisher, "held", embargoed_until="2190-01-01T00:00:00Z")
    for caller, name, status in (
        (partner, "open", 200), (limited, "open", 404), (other, "open", 404), (partner, "held", 404),
        (publisher, "held", 200), (publisher, "never", 404), (partner, "never", 404),
    ):  # fmt: skip
        for end in ("", "/versions", "/versions/1", ".md"):
            response = caller.get(f"{ROOT}{name}{end}")
            assert response.status_code == status, (name, end, response.text)
            by_id = caller.get("/v1/articles/00000000-0000-0000-0000-000000000000" + end)
            if status == 404:
                assert response.get_json()["detail"] == by_id.get_json()["detail"] or end.startswith("/versions/")
    assert partner.get("/v1/publishers/nobody/articles/open").status_code == 404
    assert wire.client.get(f"{ROOT}open").status_code == 401


def test_no_cursor_tells_whether_there_is_an_article(wire: Wire) -> None:
    put(wire.as_publisher(), "hidden", section="World")
    limited = wire.as_partner("sports", section=["sport"])
    for query, status in (("?cursor=zz", 400), ("?cursor=5", 404), ("", 404)):
        for name in ("hidden", "never"):
            assert limited.get(f"{ROOT}{name}/versions{query}").status_code == status, (name, query)


def test_a_killed_article_is_gone_by_its_name_as_by_its_id(wire: Wire) -> None:
    publisher, partner, limited = wire.as_publisher(), wire.as_partner(), wire.as_partner("sports", section=["sport"])
    article = put(publisher, "a")
    publisher.delete(f"{ROOT}a")
    publisher.delete(f"{ROOT}before")
    for caller in (publisher, partner, limited):
        for end in ("", "/versions", "/versions/1", ".html"):
            statuses = (
                caller.get(f"{ROOT}a{end}").status_code,
                caller.get(f"/v1/articles/{article['id']}{end}").status_code,
            )
            assert statuses[0] == statuses[1], (end, statuses)
    assert [caller.get(f"{ROOT}a").status_code for caller in (publisher, partner, limited)] == [410, 410, 404]
    assert [caller.get(f"{ROOT}before").status_code for caller in (publisher, partner)] == [410, 404]


def test_an_id_that_ends_like_an_address_comes_first(wire: Wire) -> None:
    publisher, limited = wire.as_publisher(), wire.as_partner("sports", section=["sport"])
    whole = put(publisher, "story.html", headline="Whole", section="world")
    stem = put(publisher, "story", headline="Stem", section="sport")
    assert publisher.get(f"{ROOT}story.html").get_json()["id"] == whole["id"]
    assert publisher.get(f"{ROOT}story.html.md").data.startswith(b"---\n")
    assert publisher.get(f"{ROOT}story.html/versions/1").get_json()["id"] == whole["id"]
    # Whoever may not know of the one gets the other, as if the first did not exist.
    assert limited.get(f"{ROOT}story.html").content_type.startswith("text/html")
    shown = limited.get(f"{ROOT}story.html").headers["Content-Location"]
    assert shown == f"http://localhost/v1/articles/{stem['id']}.html"
    for name in ("story/versions", "story/versions/1"):
        assert publisher.get(ROOT + name).get_json().get("id", stem["id"]) == stem["id"]
        article = put(publisher, name, headline="Odd")
        assert publisher.get(ROOT + name).get_json()["id"] == article["id"]
        assert publisher.get(f"{ROOT}{name}/versions").get_json()["data"][0]["id"] == article["id"]
        assert publisher.delete(ROOT + name).get_json()["id"] == article["id"]
    assert publisher.get(f"{ROOT}story/versions/0").status_code == 404


def test_an_id_that_no_article_can_have_is_refused_with_a_reason(shared_publisher: Caller) -> None:
    for odd in ("a%00b", "%20a", "a%0Ab", "x" * 251, "x" * 250 + ".html", "%20.md"):
        response = shared_publisher.get(ROOT + odd)
        expected = 404 if odd.endswith(".html") else 422
        assert (response.status_code, response.content_type) == (expected, "application/problem+json"), odd
        assert shared_publisher.get(f"{ROOT}{odd}/versions").status_code in (404, 422)
