"""The other spelling of a word is found: compounds, numbers, sign words, British and American, and scripts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswire.search.analysis import analyse_texts, text_variants
from newswire.search.compounds import LONGEST_JOINED, find_variants
from newswire.search.english import british_stems, spelling_pairs
from newswire.search.highlight import highlight_article
from newswire.search.matching import match_texts, matches_article
from newswire.search.normal_form import normalise_text
from newswire.search.offsets import find_variant_tokens
from newswire.search.price import check_price
from newswire.search.syntax import parse_query

SAME = [
    "U.S./US/us", "U.S.A./USA", "U.N./UN", "p.m./pm", "Ph.D./PhD", "node.js/nodejs", "AT&T/ATT", "R&B/RB",
    "Wi-Fi/wifi/WiFi", "F-35/F35", "e-mail/email/E-Mail", "e-mails/email", "anti-war/antiwar", "O'Brien/OBrien/O’Brien",
    "al-Qaeda/alqaeda/Al-Qaeda", "Al-Jazeera/aljazeera", "COVID-19/COVID19", "G-20/G20", "MH-17/MH17", "co-op/coop",
    "D'Angelo/dangelo", "rock'n'roll/rocknroll", "U.K.-based/UK-based/ukbased", "U.S.-led/US-led", "don't/dont",
    "state-of-the-art/stateoftheart", "Coca-Cola's/cocacola", "col·legi/collegi", "wi‑fi/wifi",
    "12,500/12500/12.500/12'500", "$1,000/1000", "1.000.000/1000000/1,000,000", "1,00,000/100000", "١٢٬٥٠٠/12500",
    "1,250.50/1250", "Disney+'s/Disney+", "#ClimateAction/#climate_action", "tsunami's/tsunami", "Trump’s/trump",
    "organise/organize/organising", "organisation/organization", "colour/color/coloured", "centre/center",
    "defence/defense", "travelled/traveled", "grey/gray", "programme/program", "aluminium/aluminum",
    "paediatric/pediatric", "catalogue/catalog", "sceptic/skeptic", "analyse/analyze", "neighbourhood/neighborhood",
    "fulfil/fulfill", "tyre/tire", "fuelled/fueled", "Oʻzbekiston/Ozbekiston/O'zbekiston", "Hawaiʻi/Hawaii",
]  # fmt: skip


def finds(query: str, text: str, language: str = "en") -> bool:
    return matches_article(parse_query(query), match_texts(analyse_texts({"body": f"Then {text} came."}, language)))


def pairs(words: str) -> list[tuple[str, str]]:
    spellings = words.split("/")
    return [(one, other) for one in spellings for other in spellings]


@pytest.mark.parametrize("words", SAME)
def test_each_spelling_of_a_word_finds_the_others(words: str) -> None:
    # What is typed without separators (1250) cannot find a number whose parts differ otherwise.
    missed = [pair for pair in pairs(words) if not finds(*pair)]
    assert [pair for pair in missed if pair[0] not in ("1,250.50",)] == []


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("125", "12.5"), ("35", "3,5"), ("51", "5-1"), ("20242025", "2024-2025"), ("911", "9/11"), ("12345", "1,2345"),
        ("c++", "C"), ("c++", "C#"), ("c#", "C++"), (".net", "net"), ("#tag", "tag"),
        ("@name", "me@name"), ("@name", "name"), ("lgbtq+", "LGBTQ"), ("sentencethere", "a sentence.There"),
        ("prise", "prize"), ("tyre", "tired"), ("cheque", "check"), ("서울", "서울시장"), ("wi fi -wifi", "wi-fi"),
    ],
)  # fmt: skip
def test_what_only_looks_alike_is_not_found(query: str, text: str) -> None:
    assert not finds(query, text)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("c++", "C++"), ("c++,", "C++17"), ("c", "C++"), ("-c# c++", "C++"), ("c#", "(C#)"), ("f#", "F#,"),
        ("g++", "g++"),
        (".NET", ".NET"), (".net", "(.NET)"), ("net", ".NET"), ("#tag", "#tag!"), ("tag", "#tag"), ("@name", ".@name:"),
        ("canal+", "Canal+"), ("lgbtq+", "LGBTQ+"), ("body:c#", "C#"), ("body:(c++ -c#)", "C++"),
        ('"new c++ standard"', "the new C++ standard"), ('"c++ standard"', "C++ standard"), ('"then #tag"', "#tag"),
        ("iran", "l'Iran"), ("l'Iran", "l’Iran"), ("12\u00a0500", "12500"), ("12\u202f500", "12,500"),
        ("c++", "C/C++"), ("c#", "C++/C#"), ("c/c++", "C/C++"), ("c", "C/C++"), ("U.S.'s", "US"), ("U.S.’s", "U.S."),
        ("us", "U.S.'s"), ("12500", "12\u00a0500"), ("12500", "12\u202f500"),
        ("wi-fi*", "wifi"), ("wi-fi*", "wi-fix"), ("9/11", "9/11"),
        ("5-1", "5-1"), ("COVID-19", "Covid-19"), ("gray", "Grey's"), ("organizer", "organiser"),
    ],
)  # fmt: skip
def test_a_word_is_found_with_its_sign_and_without(query: str, text: str) -> None:
    assert finds(query, text)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ('"US troops"', "U.S. troops"), ('"U.S. troops"', "US troops"), ('"wifi router"', "Wi-Fi router"),
        ('"wi-fi router"', "wifi router"), ('"the wifi router works"', "the Wi-Fi router works"),
        ('"all US troops"', "all U.S. troops"), ('"US-led invasion"', "U.S.-led invasion"),
        ('"US led invasion"', "U.S.-led invasion"), ('"U.S. wifi"', "US Wi-Fi"), ('"us wifi"', "U.S. Wi-Fi"),
        ('"12500 marchers"', "12,500 marchers"), ('"12,500 marchers"', "12500 marchers"),
        ('"President Trump\'s"', "President Trump’s"), ('"troops in the us"', "troops – in the – U.S."),
        ('"email address book"', "e-mail address book"),
    ],
)  # fmt: skip
def test_a_phrase_finds_the_other_spelling_of_its_words(query: str, text: str) -> None:
    assert finds(query, text)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ('"US troops left"', "U.S. troops and nobody left"), ('"troops US"', "U.S. troops"),
        ('"wifi router"', "Wi-Fi or router"), ('"c++ standard"', "C standard and C++"),
    ],
)  # fmt: skip
def test_a_phrase_in_another_spelling_keeps_its_order(query: str, text: str) -> None:
    assert not finds(query, text)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("ko", "서울/서울에서/서울은/서울이/서울로/서울까지"), ("ko", "정부/정부가/정부는/정부를/정부와"),
        ("ko", "BBC/BBC는"), ("en", "서울/서울에서"),
        ("he", "ירושלים/בירושלים/ולירושלים/מירושלים"), ("he", "ממשלה/הממשלה/שהממשלה/והממשלה"),
        ("he", 'צה"ל/צהל/צה״ל'), ("ar", "العراق/والعراق/بالعراق/فالعراق/للعراق/عراق"), ("ar", "بغداد/لبغداد/وبغداد"),
        ("zh", "台北/臺北"), ("zh", "国家/國家"), ("ja", "東京/东京"), ("zh", "后/後"),
    ],
)  # fmt: skip
def test_particles_prefixes_and_traditional_characters_are_no_hindrance(language: str, words: str) -> None:
    assert [pair for pair in pairs(words) if not finds(*pair, language=language)] == []


def test_a_row_of_the_version_before_is_found_in_traditional_characters() -> None:
    """It has the forms as they were written; and a phrase of the query still finds them."""
    found = parse_query("臺北地震")
    older = match_texts(analyse_texts({}, "zh"))._replace(
        forms=dict.fromkeys(("headline", "summary", "body", "caption", "byline"), " 臺北 北地 地震 震 ")
    )
    assert matches_article(found, older)


def test_every_american_spelling_of_the_list_has_one_british_stem() -> None:
    assert len({american for american, _ in spelling_pairs()}) == len([*spelling_pairs()])
    assert not british_stems().keys() & set(british_stems().values())


@pytest.mark.parametrize(
    ("query", "text", "marked"),
    [
        ("wifi", "The Wi-Fi", "The <mark>Wi-Fi</mark>"), ("US", "In the U.S. now", "In the <mark>U.S</mark>. now"),
        ("c++", "C++ and C", "<mark>C++</mark> and C"), ("台北", "在臺北地震", "在<mark>臺北</mark>地震"),
        ("서울", "서울에서 지진", "<mark>서울에서</mark> 지진"), ("colour", "A color", "A <mark>color</mark>"),
        ("12500", "Zé: 12\u202f500 x", "Zé: <mark>12\u202f500</mark> x"),
        ("cafebar", "Un café-bar", "Un <mark>café-bar</mark>"),
        ('"US troops"', "U.S. troops, us", "<mark>U.S. troops</mark>, us"),
        ('"us troops left"', "US troops left us troops", "<mark>US troops left</mark> us troops"),
    ],
)  # fmt: skip
def test_what_was_found_is_marked(query: str, text: str, marked: str) -> None:
    language = "ko" if "서" in text else "en"
    found = highlight_article(parse_query(query), {"headline": text, "body_text": "", "language": language})
    assert found["headline"] == [marked]


texts = st.lists(
    st.sampled_from(["U.S.", "Wi-Fi", "été", "12,500", "C++", "#tag", "-", "中国", "al-", "Qaeda's", "x", "(.NET)"])
    | st.text(max_size=8)
).map(" ".join)


@given(texts)
def test_the_tokens_that_are_marked_are_those_of_the_index(text: str) -> None:
    line = " ".join(text.split())
    normal = line.lower() if line.isascii() else normalise_text(line)
    marked = {span.token for span in find_variant_tokens(line)}
    assert marked == {token for token in text_variants(line, normal) if not token.endswith("_caps")}


@given(texts)
def test_the_tokens_of_compounds_are_short_and_few(text: str) -> None:
    found = [*find_variants(normalise_text(text).split())]
    assert all(len(variant.token) <= 2 * LONGEST_JOINED + 20 for variant in found)
    assert len(found) <= 12 * len(text) + 1


def test_a_pasted_headline_with_compounds_is_affordable() -> None:
    headline = (
        "U.S.-led anti-war troops' 12,500 Wi-Fi e-mails from O'Brien at AT&T: state-of-the-art C++ in COVID-19 " * 3
    )
    for query in (headline, f'"{headline}"', f'"{headline[:36]}"'):
        check_price(parse_query(query), 3)
