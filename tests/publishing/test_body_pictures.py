"""The pictures of a body become pictures of the article, whatever the form of the body, and each of them once."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswire.article import Draft, Publisher
from newswire.errors import Problem
from newswire.formats.feeds.markup import feed_content
from newswire.formats.html.page import write_page
from newswire.formats.markdown.read import parse_markdown
from newswire.formats.ninjs.read import parse_ninjs
from newswire.publishing.body_pictures import split_open_credit
from newswire.schemas.article import load_sent
from tests.support.wire import Wire

SITE = Publisher(1, "site", "Site", "https://site.example/", "en")
KITE = "https://site.example/kite.jpg"


def load(sent: Any) -> Draft:
    draft = load_sent(sent, SITE, named=True)
    assert isinstance(draft, Draft)
    return draft


def images_of(body: str, name: str = "body_html", images: list[dict[str, Any]] | None = None) -> list[dict[str, Any]]:
    """The members of each picture that are not empty, but for its id."""
    draft = load({"headline": "x", name: body, "images": images or []})
    return [{key: value for key, value in image.items() if value and key != "id"} for image in draft.content["images"]]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('<p>A <img src="/kite.jpg" alt="A kite" width="800" height="600"></p>',
         {"alt_text": "A kite", "width": 800, "height": 600}),
        ('<figure><a href="/x"><img src=/kite.jpg></a><figcaption>Kites <b>fly</b>. (Photo: Ida Lunn)</figcaption>',
         {"caption": "Kites fly.", "credit": "Ida Lunn"}),
        ('<div class="wp-caption"><a href="/x"><img src=/kite.jpg></a><p class="wp-caption-text">Kites</p></div>',
         {"caption": "Kites"}),
        ("<figure><figure><img src=/kite.jpg></figure><figcaption>All kites</figcaption></figure>",
         {"caption": "All kites"}),
        ("<figure><img src=/kite.jpg><figcaption>Kites.<p>Photograph: Matt Rourke/AP</figcaption></figure>",
         {"caption": "Kites.", "credit": "Matt Rourke/AP"}),
        ('<img src=/kite.jpg alt="IMG 1" title="IMG_2034">', {"alt_text": "IMG 1"}),
        ('<img src=/kite.jpg alt="A kite" title="Kites over the beach (Foto: Ida Lunn)">',
         {"alt_text": "A kite", "caption": "Kites over the beach", "credit": "Ida Lunn"}),
        ('<picture><source srcset="/kite.jpg 1x"></picture>', {}),
    ],
)  # fmt: skip
def test_a_picture_of_a_body_is_described_by_its_figure(body: str, expected: dict[str, Any]) -> None:
    assert images_of(body) == [{"url": KITE, "role": "inline"} | expected]


@pytest.mark.parametrize(
    "markdown", ['![A kite](/kite.jpg "Kites. (Photo: Ida Lunn)")', "![Kites. (Photo: Ida Lunn)](/kite.jpg)"]
)
def test_body_markdown_describes_a_picture_as_text_markdown_does(markdown: str) -> None:
    article = load(parse_markdown(f"Headline\n\nText\n\n{markdown}\n\nText".encode()))
    found = load({"headline": "x", "body_markdown": f"Text\n\n{markdown}\n\nText"}).content["images"]
    assert found == article.content["images"]
    assert found[0]["caption"] == "Kites."


def test_a_picture_of_ninjs_is_described_by_the_body_as_well() -> None:
    document = {
        "uri": "urn:x", "type": "text", "headlines": [{"value": "x"}],
        "bodies": [{"contentType": "text/html", "value": f"<figure><img src={KITE}><figcaption>Kites</figcaption>"
                    "</figure><img src=https://site.example/b.jpg>"}],
        "associations": [{"name": "lead-1", "type": "picture", "by": "Ida Lunn", "renditions": [{"href": KITE}]}],
    }  # fmt: skip
    images = load(parse_ninjs(json.dumps(document).encode())).content["images"]
    assert [(image["url"][21:], image["role"], image["caption"], image["credit"]) for image in images] == [
        ("kite.jpg", "lead", "Kites", "Ida Lunn"), ("b.jpg", "inline", None, None),
    ]  # fmt: skip


def test_what_the_publisher_lists_is_filled_up_and_never_overwritten() -> None:
    listed = [{"url": "/kite.jpg", "caption": "Ours"}, {"url": "/b.jpg?w=90"}]
    body = (
        '<figure><img src="/kite.jpg" alt="A kite" width="8" height="6">'
        "<figcaption>Theirs (Photo: Jo)</figcaption></figure>"
        '<img src="/b.jpg?w=900" alt="B" width="900" height="600"><img src="/c.jpg">'
    )
    assert images_of(body, images=listed) == [
        {"url": KITE, "role": "lead", "caption": "Ours", "credit": "Jo", "alt_text": "A kite", "width": 8, "height": 6},
        # The size of another file is not that of the listed one.
        {"url": "https://site.example/b.jpg?w=90", "role": "inline", "alt_text": "B"},
        {"url": "https://site.example/c.jpg", "role": "inline"},
    ]


def test_a_listed_picture_is_found_among_the_addresses_of_a_late_one() -> None:
    body = '<img srcset="/s.jpg 400w, /kite.jpg 800w, /l.jpg 1600w">'
    draft = load({"headline": "x", "body_html": body, "images": [{"url": KITE, "role": "gallery"}]})
    assert [image["role"] for image in draft.content["images"]] == ["gallery"]
    assert draft.content["body_html"] == f'<img src="{KITE}">'


@pytest.mark.parametrize("attributes", ['alt="x src="', 'alt="x src=" title="y"', "alt='<img src=' title='y'"])
def test_words_that_look_like_an_address_are_none(attributes: str) -> None:
    draft = load({"headline": "x", "body_html": f"<p>Tea</p><img {attributes}>"})
    assert draft.content["body_html"] == "<p>Tea</p>"
    assert draft.content["images"] == []
    draft = load({"headline": "x", "body_html": f"<img {attributes} src=/kite.jpg>"})
    assert [image["url"] for image in draft.content["images"]] == [KITE]


def test_what_was_sent_stays_what_was_sent() -> None:
    sent = {"headline": "x", "body_html": '<img data-src="/kite.jpg">', "images": [{"url": "/b.jpg"}]}
    assert load(sent).source == sent


def test_two_hundred_pictures_are_kept_and_the_others_counted() -> None:
    body = "".join(f"<img src=/{number}.jpg>" for number in range(230))
    draft = load({"headline": "x", "body_html": body, "images": [{"url": "/lead.jpg"}, {"url": "/229.jpg"}]})
    assert len(draft.content["images"]) == 200
    assert [(each["pointer"], each["code"]) for each in draft.warnings] == [("/body_html", "too_many_pictures")]
    assert "31 pictures" in draft.warnings[0]["detail"]


def test_long_descriptions_are_cut_with_a_warning() -> None:
    body = f'<figure><img src=/kite.jpg alt="{"a" * 3_000}"><figcaption>{"c " * 15_000}</figcaption></figure>' * 2
    draft = load({"headline": "x", "body_html": body})
    (image,) = draft.content["images"]
    assert (len(image["alt_text"]), len(image["caption"])) == (2_000, 20_000)
    assert [each["code"] for each in draft.warnings] == ["shortened", "shortened"]


def test_an_address_that_is_too_long_for_images_stays_in_the_body() -> None:
    draft = load({"headline": "x", "body_html": f"<img src=/{'a' * 2_100}.jpg>"})
    assert draft.content["images"] == []
    assert "<img" in draft.content["body_html"]


@pytest.mark.parametrize(
    ("caption", "text", "credit"),
    [
        ("A kite. Photograph: Matt Rourke/AP", "A kite.", "Matt Rourke/AP"),
        ("A kite in Leeds Photograph: J. R. Hill/The Guardian", "A kite in Leeds", "J. R. Hill/The Guardian"),
        ("Photo: Ida Lunn", "", "Ida Lunn"),
        ("Ein Drachen | Foto: dpa", "Ein Drachen", "dpa"),
        ("A kite. Photo by Ida Lunn.", "A kite.", "Ida Lunn"),
        ("A kite (Photo: Ida Lunn)", "A kite", "Ida Lunn"),
        ("She posted the photo: nobody saw it", "She posted the photo: nobody saw it", None),
        ("The photo by the door fell. It broke.", "The photo by the door fell. It broke.", None),
        ("Image: why it matters. And how.", "Image: why it matters. And how.", None),
        ("Photo", "Photo", None),
    ],
)
def test_a_credit_is_split_from_a_caption_where_it_is_clear(caption: str, text: str, credit: str | None) -> None:
    assert split_open_credit(caption) == (text, credit)


@given(
    st.lists(
        st.sampled_from([f"<img src=/{name}.jpg?w={width}>" for name in "abc" for width in (100, 200)]), max_size=6
    )
)
def test_a_picture_is_listed_once_and_sending_back_what_is_served_changes_nothing(pictures: list[str]) -> None:
    first = load({"headline": "x", "body_html": f"<p>x</p>{''.join(pictures)}"}).content
    urls = [image["url"].partition("?")[0] for image in first["images"]]
    assert len(urls) == len(set(urls)) == len({picture[10] for picture in pictures})
    members = ("url", "role", "caption", "alt_text", "credit", "width", "height")
    listed = [{name: image[name] for name in members if image[name]} for image in first["images"]]
    again = load({"headline": "x", "body_html": first["body_html"], "images": listed})
    assert again.content == first
    assert again.warnings == ()


MEGABYTES = "A" * 3_000_000


@pytest.mark.parametrize(
    "body",
    [
        {"body_html": f'<p>Text stays.</p><p><img src="data:image/png;base64,{MEGABYTES}"></p>'},
        {"body_html": f"<p>Text stays.</p><IMG alt=x SRC='DATA:image/png;base64,{MEGABYTES}'>"},
        {"body_markdown": f"Text stays.\n\n![x](data:image/png;base64,{MEGABYTES})"},
        {"body_markdown": f"Text stays.\n\n![x][i]\n\n[i]: <data:image/png;base64,{MEGABYTES}>"},
        {"body_markdown": f'Text stays.\n\n<img src="data:image/png;base64,{MEGABYTES}">'},
        parse_markdown(f"Headline\n\nText stays.\n\n![x](data:image/png;base64,{MEGABYTES})".encode()),
    ],
    ids=["html", "upper case", "markdown", "reference", "html in markdown", "text/markdown"],
)
def test_a_pasted_picture_refuses_nothing_and_is_told_once(body: dict[str, Any]) -> None:
    draft = load({"headline": "x"} | body)
    assert draft.content["body_text"] == "Text stays."
    assert draft.content["images"] == []
    assert [each["code"] for each in draft.warnings] == ["data_picture"]


def test_text_about_data_counts_towards_the_size_of_a_body() -> None:
    url = f"data:image/png;base64,{MEGABYTES}"
    for body in ({"body_html": f"<p title='{url}'>x"}, {"body_html": url}, {"body_markdown": url}):
        with pytest.raises(Problem, match="at most 2 MiB"):
            load({"headline": "x"} | body)


def test_feeds_and_pages_show_each_picture_once(wire: Wire) -> None:
    article = wire.as_publisher().publish(
        headline="x", body_html='<p>x</p><img src="https://c.example/a-300x200.jpg"><img data-src="https://c.example/b.jpg">',
        images=[{"url": "https://c.example/a.jpg", "credit": "Ida Lunn"}, {"url": "https://c.example/g.jpg"}],
    )  # fmt: skip
    assert [image["url"][18:] for image in article["images"]] == ["a.jpg", "g.jpg", "b.jpg"]
    for shown in (feed_content(article) or "", write_page(article).decode().partition("<main>")[2]):
        assert [
            shown.count(f'src="https://c.example/{name}"') for name in ("a.jpg", "a-300x200.jpg", "g.jpg", "b.jpg")
        ] == [0, 1, 1, 1]
    assert "Ida Lunn" in write_page(article).decode().partition("<footer>")[2]
    partner = wire.as_partner()
    assert len(partner.get("/v1/articles?has_image=true").get_json()["data"]) == 1
    # Metadata for machines name all of them, under the address that is listed.
    assert partner.get("/v1/articles.rss").get_data(as_text=True).count("<media:content ") == 3
    item = partner.get("/v1/articles.json").get_json()["items"][0]
    assert item["image"] == "https://c.example/a.jpg"
    assert len(item["attachments"]) == 3


def test_every_form_of_an_article_with_pictures_can_be_sent_back(wire: Wire) -> None:
    publisher = wire.as_publisher()
    body = '<figure><img src="https://c.example/a.jpg"><figcaption>A kite (Photo: Jo)</figcaption></figure><p>x</p>'
    article = publisher.publish(headline="x", body_html=body)
    for suffix, media in (("md", "text/markdown"), ("ninjs", "application/vnd.iptc.ninjs+json")):
        sent = publisher.get(f"/v1/articles/{article['id']}.{suffix}").data
        back = publisher.put(f"/v1/articles/{article['id']}", data=sent, headers={"If-Match": "*"}, content_type=media)
        assert back.status_code == 200, back.text
        assert back.get_json()["images"] == article["images"]
        assert back.get_json()["version"] == 1
