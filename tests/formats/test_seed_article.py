"""The article the project began with, as it came from a publisher's site, pushed as it is."""

import re
from pathlib import Path

from tests.support.wire import Wire

HEADLINE = "Morocco strengthens military ties with Israel, purchases Atmos 2000 artillery systems"
BIOGRAPHY = "The All Israel News Staff is a team of journalists in Israel."
PICTURE = (
    "https://res.cloudinary.com/hb0stl6qx/image/upload/w_900,c_scale,q_auto,f_auto,dpr_auto/"
    "v1739206265/Atmos_2000_1_npuloa.jpg"
)


def test_the_seed_article_is_found_and_listed_with_picture_credit_and_author(wire: Wire, shared_data: Path) -> None:
    publisher, partner = wire.as_publisher("all-israel-news", url="https://allisrael.com"), wire.as_partner()
    body = (shared_data / "seed-article.md").read_bytes()
    response = publisher.post("/v1/articles", data=body, content_type="text/markdown")
    assert response.status_code == 201, response.text
    article = response.get_json()
    assert article["headline"] == HEADLINE
    assert len(re.findall("<p>", article["body_html"])) == 14
    assert "<img" not in article["body_html"]
    assert BIOGRAPHY not in article["body_html"]
    queries = ("artillery", '"Abraham Accords"', "purchase", "HOWITZER")
    pages = [partner.get("/v1/articles", query_string={"q": query}).get_json()["data"] for query in queries]
    assert pages == [pages[0]] * len(queries)
    (listed,) = pages[0]
    (image,) = listed["images"]
    assert (image["role"], image["url"], image["credit"]) == ("lead", PICTURE, "Wikimedia Commons")
    assert image["caption"].startswith("ATMOS 2000 (Autonomous Truck-Mounted Howitzer System)")
    assert "Photo" not in image["caption"]
    (author,) = listed["authors"]
    assert author["name"] == "All Israel News Staff"
    assert author["bio"] == BIOGRAPHY
    assert author["avatar_url"] == "https://allisrael.com/assets/Screenshot-from-2020-12-09-10-20-29.png"
