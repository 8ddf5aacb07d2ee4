"""The Markdown form: an article as a publisher's site gives it, read into the article as sent."""

import gzip
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newswire.formats.html.sanitise import sanitise
from newswire.formats.html.text import count_words, html_to_text
from newswire.formats.markdown.front_matter import MarkdownError
from newswire.formats.markdown.read import markdown_to_html, read_markdown

SAMPLES = Path(__file__).parents[2] / "newswire" / "samples"
FORM = """\
Harbour reopens
![The quay at sunrise, seen
from the sea. (Photo: Saltmarsh (CC BY))](https://cdn.example/quay.jpg)
First paragraph.
Second “paragraph”.
![](/avatars/harbour.png)
The Harbour Desk is a team of journalists in Port Selwick.
"""

MARKUP = r"# ![ ]( ) a.png > - 1. | |--|--| ``` --- *** ** ` < <b> &amp; \\ : [a, ![](b.png) (Photo:x)"
LINES = ["By Ada Lark\n", "Ada Lark is a writer.\n"]
YAML = r"a: b: - [ ] { } , ' \" \U ffffffff &x *x !!set | ? # % @"
BREAKS = ["\n", "\n\n", "\r\n", "\n    ", " "]


def soup(marks: str) -> st.SearchStrategy[str]:
    """Texts made of such marks, of line breaks and of anything."""
    pieces = st.sampled_from(marks.split()) | st.sampled_from(BREAKS + LINES) | st.text(max_size=8)
    return st.lists(pieces, max_size=30).map("".join)


def body(markdown: str) -> str:
    """The body of an article with that text, without line breaks between elements."""
    html: str = read_markdown(f"Headline\n{markdown}").get("body_html", "")
    return re.sub(r">\n+<", "><", html.strip())


def author(biography: str, portrait: str = "![](a.png)") -> Any:
    return read_markdown(f"Headline\nText.\n{portrait}\n{biography}").get("authors")


def test_the_form_gives_headline_lead_picture_body_and_author() -> None:
    assert read_markdown(FORM) == {
        "headline": "Harbour reopens",
        "body_html": "<p>First paragraph.</p>\n<p>Second “paragraph”.</p>\n",
        "images": [
            {
                "url": "https://cdn.example/quay.jpg",
                "role": "lead",
                "caption": "The quay at sunrise, seen from the sea.",
                "credit": "Saltmarsh (CC BY)",
            }
        ],
        "authors": [
            {
                "name": "Harbour Desk",
                "bio": "The Harbour Desk is a team of journalists in Port Selwick.",
                "avatar_url": "/avatars/harbour.png",
            }
        ],
    }


def test_the_seed_article_is_read_whole(shared_data: Path) -> None:
    article = read_markdown((shared_data / "seed-article.md").read_text(encoding="utf-8"))
    assert article["headline"].startswith("Morocco strengthens military ties with Israel")
    (picture,) = article["images"]
    assert (picture["role"], picture["credit"]) == ("lead", "Wikimedia Commons")
    assert picture["caption"].startswith("ATMOS 2000 (Autonomous Truck-Mounted Howitzer System), a 155 mm/39 caliber")
    assert picture["caption"].endswith("undergoing testing with the IDF.")
    assert picture["url"].endswith("/w_900,c_scale,q_auto,f_auto,dpr_auto/v1739206265/Atmos_2000_1_npuloa.jpg")
    assert article["body_html"].count("<p>") == 14
    assert "<img" not in article["body_html"]
    assert article["authors"] == [
        {
            "name": "All Israel News Staff",
            "bio": "The All Israel News Staff is a team of journalists in Israel.",
            "avatar_url": "/assets/Screenshot-from-2020-12-09-10-20-29.png",
        }
    ]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda text: text.replace("\n", "\r\n"), id="CRLF"),
        pytest.param(lambda text: "\ufeff" + text, id="byte order mark"),
        pytest.param(lambda text: "\n\n" + text, id="empty lines first"),
        pytest.param(lambda text: "# " + text, id="marked headline"),
        pytest.param(lambda text: text.rstrip("\n"), id="no newline at the end"),
        pytest.param(lambda text: re.sub("\n(?=[FS!T])", "\n\n", text), id="empty lines between"),
    ],
)
def test_the_form_may_be_written_in_other_ways(change: Any) -> None:
    assert read_markdown(change(FORM)) == read_markdown(FORM)


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("One\nTwo\n\nThree", "<p>One</p><p>Two</p><p>Three</p>"),
        ("## Head\n*em* **b**\n[l](/x)", '<h2>Head</h2><p><em>em</em> <strong>b</strong></p><p><a href="/x">l</a></p>'),
        ("One\n- a\n- b\n  still b\nTwo", "<p>One</p><ul><li>a</li><li>b\nstill b</li></ul><p>Two</p>"),
        ("One\n1. a\n2. b\nTwo", "<p>One</p><ol><li>a</li><li>b</li></ol><p>Two</p>"),
        ("One\n> a\n> b\nTwo", "<p>One</p><blockquote><p>a\nb</p></blockquote><p>Two</p>"),
        ("One\n```\na\n\nb\n```\nTwo", "<p>One</p><pre><code>a\n\nb\n</code></pre><p>Two</p>"),
        ("One\n---\nTwo", "<p>One</p><hr /><p>Two</p>"),
        ("    Indented\nTwo", "<p>Indented</p><p>Two</p>"),
        (
            "One\n| a | b |\n|---|--:|\n| 1 | 2 |\nTwo",
            "<p>One</p><table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody>"
            "</table><p>Two</p>",
        ),
        ("One ![ two\nThree", "<p>One ![ two</p><p>Three</p>"),
        ("a < b & c", "<p>a &lt; b &amp; c</p>"),
        ("One<br>two", "<p>One<br>two</p>"),
    ],
)
def test_lines_are_paragraphs_unless_markdown_makes_them_more(markdown: str, html: str) -> None:
    assert body(markdown) == html


def test_dangerous_links_are_left_for_the_sanitiser_to_remove_and_tell() -> None:
    cleaned = sanitise(read_markdown("H\n[x](javascript:alert(1)) <script>y</script>")["body_html"], None)
    assert cleaned.html == "<p><a>x</a> </p>"
    assert [warning["code"] for warning in cleaned.warnings] == ["removed_element", "removed_attribute"]


@pytest.mark.parametrize(
    ("caption", "credit"),
    [
        ("(Photo: Wikimedia Commons)", "Wikimedia Commons"),
        ("(Foto: dpa/Anna Ohm)", "dpa/Anna Ohm"),
        ("(Bild: Bergbote)", "Bergbote"),
        ("(Crédit photo : Atelier)", "Atelier"),
        ("(צילום: ארכיון)", "ארכיון"),
        ("(تصوير: الواحة)", "الواحة"),
        ("(Фото: Хроника)", "Хроника"),
        ("（写真：青凪だより）", "青凪だより"),
        ("（图/海报社）", "海报社"),
        ("(摄影：林晓)", "林晓"),
        ("[Image credit: Observatory]", "Observatory"),
        ("(Photo by Ada Lark/Wire)", "Ada Lark/Wire"),
        ("(Photo: Ada (CC BY-SA 4.0)).", "Ada (CC BY-SA 4.0)"),
    ],
)
def test_the_credit_at_the_end_of_a_caption_is_taken_off(caption: str, credit: str) -> None:
    (picture,) = read_markdown(f"Headline\n![The quay {caption}](a.png)\nText")["images"]
    assert (picture["caption"], picture["credit"]) == ("The quay", credit)


@pytest.mark.parametrize(
    "caption", ["The quay (1931)", "The quay (photo taken at dawn)", "The quay (left) and the town"]
)
def test_other_brackets_stay_in_the_caption(caption: str) -> None:
    assert read_markdown(f"Headline\n![{caption}](a.png)\nText")["images"] == [
        {"url": "a.png", "role": "lead", "caption": caption}
    ]


def test_pictures_in_the_body_become_inline_pictures() -> None:
    article = read_markdown(
        "Headline\nOne.\n![Two\nlines (Photo: X)](b.png)\nThree ![in text](c.png) four.\n- ![listed](d.png)\n\n"
        '[![linked](e.png)](https://x.example/)\n![What is seen](f.png "What it means (Photo: Y)")\nEnd.'
    )
    assert article["images"] == [
        {"url": "b.png", "role": "inline", "caption": "Two lines", "credit": "X"},
        {"url": "c.png", "role": "inline", "caption": "in text"},
        {"url": "d.png", "role": "inline", "caption": "listed"},
        {"url": "e.png", "role": "inline", "caption": "linked"},
        {"url": "f.png", "role": "inline", "caption": "What it means", "credit": "Y", "alt_text": "What is seen"},
    ]
    assert article["body_html"] == "<p>One.</p>\n<p>Three  four.</p>\n<p>End.</p>\n"


def test_pictures_without_text_are_a_gallery() -> None:
    article = read_markdown("Headline\n![a](1.png)\n![b](2.png)\n\n![c](3.png)")
    assert [picture["role"] for picture in article["images"]] == ["lead", "gallery", "gallery"]
    assert "body_html" not in article


@pytest.mark.parametrize(
    ("biography", "name"),
    [
        ("The Harbour Desk is five people and a cat.", "Harbour Desk"),
        ("Ada Lark covers ports.", "Ada Lark"),
        ("Ada Lark writes about ports from Port Selwick.", "Ada Lark"),
        ("Ada Lark, a reporter in Port Selwick, likes rain.", "Ada Lark"),
        ("Dr. Ada M. van der Lark has worked as an editor since 2010.", "Dr. Ada M. van der Lark"),
        ("Ada Lark is a lawyer and mother of three.", "Ada Lark"),
        ("Die Redaktion Nordlicht ist ein Team in Oberlichtach.", "Redaktion Nordlicht"),
        ("Vinzenz Lohr ist freier Journalist.", "Vinzenz Lohr"),
        ("Solène Marchegay est journaliste à Valbrume.", "Solène Marchegay"),
        ("Teo Barranco es corresponsal en las islas.", "Teo Barranco"),
        ("Gina Nerello è una giornalista di mare.", "Gina Nerello"),
        ("Inês Pradela é repórter de economia.", "Inês Pradela"),
        ("Вера Лугова — корреспондент отдела науки.", "Вера Лугова"),
        ("Вера Лугова пишет о науке.", "Вера Лугова"),
        ("דנה ברקת היא כתבת לענייני סביבה.", "דנה ברקת"),
        ("ليلى حدّار صحفية تغطي شؤون البحر.", "ليلى حدّار"),
        ("林晓是本报记者。", "林晓"),
        ("佐川みなとは青凪だよりの記者です。", "佐川みなと"),
        ("**Ada Lark** at the quay since 2010.", "Ada Lark"),
    ],
)
def test_the_author_is_whom_the_biography_is_about(biography: str, name: str) -> None:
    assert author(biography) == [{"name": name, "bio": biography.replace("**", ""), "avatar_url": "a.png"}]


def test_the_alternative_text_of_the_portrait_is_the_name() -> None:
    assert author("Ada Lark the Elder covers ports.", "![Ada Lark](a.png)")[0]["name"] == "Ada Lark"


def test_two_authors_may_be_introduced_and_a_rule_before_them_is_dropped() -> None:
    article = read_markdown("H\nText.\n***\n![](a.png)\nAda Lark covers ports.\n![](t.png)\nTom Reed covers rail.")
    assert [author["name"] for author in article["authors"]] == ["Ada Lark", "Tom Reed"]
    assert article["body_html"] == "<p>Text.</p>\n"


@pytest.mark.parametrize(
    ("portrait", "paragraph"),
    [
        ("![](a.png)", "The talks are to resume on Monday."),
        ("![](a.png)", "Morocco is expected to sign in May."),
        ("![](a.png)", "Prime Minister Jon Roe has said he told reporters nothing."),
        ("![](a.png)", "Mount Selwick is the highest of the five."),
        ("![](a.png)", "She covers ports."),
        ("![](a.png)", "**Correction:** An earlier version said five."),
        ("![](a.png)", "המשטרה הגישה כתב אישום נגד החשודים."),
        ("![](a.png)", "東京都は20日、記者会見で発表した。"),
        ("![](a.png)", "Ada Lark covers ports. " + "More. " * 200),
        ("![The quay](a.png)", "Ada Lark is a reporter."),
        ("![Paris](a.png)", "Paris has been quiet since."),
    ],
)
def test_a_last_paragraph_below_a_picture_is_not_lost(portrait: str, paragraph: str) -> None:
    article = read_markdown(f"H\nText.\n{portrait}\n{paragraph}")
    assert "authors" not in article
    assert html_to_text(article["body_html"]) == f"Text.\n\n{paragraph.replace('**', '').strip()}"
    assert [picture["role"] for picture in article["images"]] == ["inline"]


def test_two_lines_below_a_picture_are_no_biography() -> None:
    article = read_markdown("H\nText.\n![](a.png)\nAda Lark covers ports.\nAnd more.")
    assert "authors" not in article
    assert article["body_html"].count("<p>") == 3


def test_a_lead_picture_above_one_paragraph_is_no_portrait() -> None:
    article = read_markdown("H\n![](a.png)\nAda Lark covers ports.")
    assert article["images"] == [{"url": "a.png", "role": "lead"}]
    assert article["body_html"] == "<p>Ada Lark covers ports.</p>\n"


@pytest.mark.parametrize(
    ("byline", "names"),
    [
        ("By Ada Lark", ["Ada Lark"]),
        ("BY ADA LARK and TOM REED", ["ADA LARK", "TOM REED"]),
        ("By Ada Lark, Staff Writer", ["Ada Lark"]),
        ("By Ada Lark in Port Selwick", ["Ada Lark"]),
        ("Von Vinzenz Lohr", ["Vinzenz Lohr"]),
        ("Par Solène Marchegay et Luc Aubrac", ["Solène Marchegay", "Luc Aubrac"]),
        ("Автор: Вера Лугова", ["Вера Лугова"]),
        ("מאת: דנה ברקת", ["דנה ברקת"]),
        ("بقلم ليلى حدّار", ["ليلى حدّار"]),
        ("文／林晓", ["林晓"]),
    ],
)
def test_a_line_that_says_by_whom_is_the_byline(byline: str, names: list[str]) -> None:
    article = read_markdown(f"H\n![c](a.png)\n{byline}\nText.")
    assert article["byline"] == byline
    assert article["authors"] == [{"name": name} for name in names]
    assert article["body_html"] == "<p>Text.</p>\n"


@pytest.mark.parametrize(
    "line", ["By Monday the quay will be dry.", "Por fin llueve", "记者会见在周一举行。", "כתב אישום הוגש"]
)
def test_other_lines_that_begin_like_a_byline_stay_text(line: str) -> None:
    assert body(line) == f"<p>{line}</p>"


def test_byline_and_biography_are_one_author() -> None:
    article = read_markdown("H\nBy Ada Lark and Tom Reed\nText.\n![](a.png)\nAda Lark joined in 2010.")
    assert article["authors"] == [
        {"name": "Ada Lark", "bio": "Ada Lark joined in 2010.", "avatar_url": "a.png"},
        {"name": "Tom Reed"},
    ]


def test_front_matter_adds_and_overrides() -> None:
    text = (
        "---\nlanguage: no\nurgency: 3\nsource_version: 7\npublished_at: 2026-11-02T08:00:00Z\n"
        'keywords: [1.0, yes, a b]\nsummary:\nsection: null\nslugline: ""\nauthors:\n- {name: Tom Reed}\n---\n'
    )
    article = read_markdown(text + FORM)
    assert article["authors"] == [{"name": "Tom Reed"}]
    assert {name: article[name] for name in article if name not in ("headline", "body_html", "images", "authors")} == {
        "language": "no",
        "urgency": 3,
        "source_version": 7,
        "published_at": "2026-11-02T08:00:00Z",
        "keywords": ["1.0", "yes", "a b"],
        "slugline": "",
    }


def test_a_headline_in_the_front_matter_need_not_be_repeated() -> None:
    head = "---\nheadline: From above\n---\n"
    assert read_markdown(head) == {"headline": "From above"}
    for text in ("Text.", "From above\nText.", "# Other\nText."):
        assert read_markdown(head + text) == {"headline": "From above", "body_html": "<p>Text.</p>\n"}


@pytest.mark.parametrize(
    ("text", "line", "detail"),
    [
        ("", 1, "no headline"),
        ("\n \n", 1, "no headline"),
        ("\n![a](b.png)\ntext", 2, "no headline"),
        ("---\na: 1\n---\n", 4, "no headline"),
        ("---\na: 1", 1, "no end"),
        ("---\na: 1\nb: [\n---\nH", 3, "not YAML"),
        ("---\na: 1\na: 2\n---\nH", 3, "a is given twice"),
        ("---\na:\n  b: 1\n  b: 2\n---\nH", 4, "b is given twice"),
        ("---\na: &x 1\nb: *x\n---\nH", 2, "anchors and aliases"),
        ("---\na: *x\n---\nH", 2, "anchors and aliases"),
        ("---\n- a\n---\nH", 2, "names and values"),
        ("---\ntext\n---\nH", 2, "names and values"),
        ("---\n? [a]\n: 1\n---\nH", 2, "plain text"),
        ("---\na: \x07\n---\nH", 2, "character"),
        ('---\na: "\\UFFFFFFFF"\n---\nH', 2, "character"),
        ("---\na: " + "[" * 1_000 + "\n---\nH", 2, "too deeply"),
        ("---\na: " + "x" * 200_000 + "\n---\nH", 1, "longer"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(text: str, line: int, detail: str) -> None:
    with pytest.raises(MarkdownError, match=detail) as error:
        read_markdown(text)
    assert error.value.line == line
    assert detail in error.value.detail


def test_yaml_tags_make_no_objects() -> None:
    text = (
        "---\na: !!python/object/apply:os.system [x]\nb: !!binary aGk=\nc: !!set {x}\nd: !!timestamp 2026-01-01\n---\nH"
    )
    assert read_markdown(text) == {"headline": "H", "a": ["x"], "b": "aGk=", "c": {}, "d": "2026-01-01"}


@given(soup(MARKUP) | soup(YAML).map("---\n{}\n---\nHeadline".format) | st.text())
def test_any_text_is_an_article_or_an_error(text: str) -> None:
    article: dict[str, Any] = {"headline": "refused"}
    line = 1
    try:
        article = read_markdown(text)
    except MarkdownError as error:
        line = error.line
    assert 1 <= line <= len(re.split("\r\n|\r|\n", text))
    assert json.loads(json.dumps(article)) == article
    assert article["headline"] != ""


@settings(max_examples=40)
@given(st.lists(st.from_regex(r"[A-Z][a-z]{1,9}( [a-z]{1,9}){2,9}\.", fullmatch=True), min_size=1))
def test_every_line_of_prose_is_a_paragraph(lines: list[str]) -> None:
    assert html_to_text(read_markdown("\n".join(["Headline", *lines]))["body_html"]) == "\n\n".join(lines)


def test_markdown_bodies_are_commonmark_with_tables() -> None:
    assert markdown_to_html("One\ntwo\n\n~~x~~ <b>y</b>\n\nHead\n---\n\n    code\n\n|a|\n|-|\n|1|\n") == (
        "<p>One\ntwo</p>\n<p><s>x</s> <b>y</b></p>\n<h2>Head</h2>\n<pre><code>code\n</code></pre>\n"
        "<table>\n<thead>\n<tr>\n<th>a</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>1</td>\n</tr>\n</tbody>\n</table>\n"
    )


def test_real_markdown_bodies_become_clean_html(shared_data: Path) -> None:
    with gzip.open(shared_data / "articles" / "lctt_zh.jsonl.gz", "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["body_markdown"] for line in lines][:100]
    for text in texts:
        assert html_to_text(sanitise(markdown_to_html(text), "https://example.org/").html)


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece",
    ["[", "![", "*a **a ", "a\n", "> ", "&", "`", "<a b='", "|a|b|\n|-|-|\n", "![a\n", "- ", "-\n", ">\n", "\xa0x\n"],
)
def test_no_markdown_takes_long(piece: str) -> None:
    text = "Headline\n\n" + piece * (2_000_000 // len(piece))
    started = time.process_time()
    read_markdown(text)
    cleaned = sanitise(markdown_to_html(text), None)
    count_words(html_to_text(cleaned.html))
    assert time.process_time() - started < 15


@pytest.mark.slow
@pytest.mark.parametrize("line", ["- " * 12 + "a\n", "1. " * 12 + "a\n", "> - " * 9 + "a\n"])
def test_lists_in_lists_in_every_line_do_not_take_long(line: str) -> None:
    started = time.process_time()
    markdown_to_html(line * 45_000)
    assert time.process_time() - started < 2


def test_markdown_of_too_many_lines_keeps_them_all() -> None:
    markdown = "- a [b](c)\n" * 60_000
    cleaned = sanitise(markdown_to_html(markdown), None)
    assert cleaned == (f"<pre>{markdown}</pre>".replace("\n</pre>", "</pre>"), [], [])


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.md")), ids=lambda path: path.stem)
def test_every_sample_is_an_article_with_its_pictures_and_author(path: Path) -> None:
    article = read_markdown(path.read_text(encoding="utf-8"))
    pictures = article.get("images", [])
    authors = article.get("authors", [])
    addresses = [picture["url"] for picture in pictures] + [author["avatar_url"] for author in authors]
    assert all((SAMPLES / address).read_bytes().startswith(b"\x89PNG") for address in addresses)
    assert all((SAMPLES / address).stat().st_size < 25_000 for address in addresses)
    if path.stem.startswith("flash"):
        assert (pictures, authors, article.get("body_html")) == ([], [], None)
        return
    assert all(picture["caption"] and picture["credit"] for picture in pictures)
    if path.stem.startswith("gallery"):
        assert ([picture["role"] for picture in pictures], authors) == (["lead", "gallery", "gallery"], [])
        return
    assert [picture["role"] for picture in pictures] == ["lead"]
    assert [sorted(author) for author in authors] == [["avatar_url", "bio", "name"]]
    assert authors[0]["bio"] not in article["body_html"]
    assert 6 <= article["body_html"].count("<p>") <= 14


def test_the_samples_speak_many_languages_and_name_their_authors() -> None:
    articles = [read_markdown(path.read_text(encoding="utf-8")) for path in SAMPLES.glob("*.md")]
    assert len(articles) >= 12
    assert {article.get("language", "en") for article in articles} == {"en", "he", "ar", "fr", "de", "es", "ru", "ja"}
    assert {author["name"] for article in articles for author in article.get("authors", [])} == {
        "Edmund Vale", "Oriel Hatch", "Mina Orrel", "Valley Desk", "Solène Marchegay", "Vinzenz Lohr", "Teo Barranco",
        "Вера Лугова", "דנה ברקת", "ليلى حدّار", "佐川みなと",
    }  # fmt: skip
    assert len({article["external_id"] for article in articles if "external_id" in article}) == len(articles) - 1


def test_every_picture_of_the_samples_is_used() -> None:
    texts = "".join(path.read_text(encoding="utf-8") for path in SAMPLES.glob("*.md"))
    assert {path.name for path in (SAMPLES / "pictures").iterdir()} == set(re.findall(r"pictures/([\w.-]+)\)", texts))
