"""The query language of `q`: what is understood, what is refused and where, what matches."""

import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
import regex
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from newswire.search.analysis import analyse_texts, word_forms
from newswire.search.expression import And, Expression, Not, Or, Phrase, Prefix, Spellings, Term
from newswire.search.matching import match_texts, matches_article
from newswire.search.normal_form import fold_run
from newswire.search.syntax import (
    DEEPEST_NESTING,
    LONGEST_QUERY,
    MOST_TERMS,
    ExpressionError,
    parse_query,
    understand_query,
)

LETTER = regex.compile(r"[\p{L}\p{M}\p{N}]")
many = settings(max_examples=200)
UNSPACED = "中国人日本語のテストー々〇ぱがไทยน้ำเมืองລາວພາສາខ្មែរမြန်မာ"
SIGNS = " \t\u00a0\u3000()（）\"“”„«»「」*＊-–−:：&.'’_\u200f\u200b\u00ad\0\ud800😀"
PIECES = (
    "OR",
    "AND",
    "NOT",
    "or",
    "headline:",
    "body：",
    "byline:",
    "caption",
    "U.S.",
    "Israel's",
    "10:30",
    "中国人",
    "中",
)
MORE_PIECES = ("שלום", 'צה"ל', "école", "intern*", '"a phrase"', "(", ")", "-", '"', " ", " ", " ", "word")
pieces = st.sampled_from([*PIECES, *MORE_PIECES, *SIGNS])
queries = st.one_of(st.text(max_size=80), st.lists(pieces, max_size=30).map("".join))


def term(word: str, field: str | None = None) -> Term:
    return Term(word, word, frozenset({field}) if field else None)


a, b, c = term("a"), term("b"), term("c")
ab, xy = Phrase(("a", "b")), Phrase(("x", "y"))
headline = frozenset({"headline"})


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("a", a),
        ("  a\u00a0b\u3000c\n", And((a, b, c))),
        ("a AND b", And((a, b))),
        ("a or and not", And((a, term("or"), term("and"), term("not")))),
        ("a OR b", Or((a, b))),
        ("a b OR c", Or((And((a, b)), c))),
        ("a (b OR c)", And((a, Or((b, c))))),
        ("a（b　OR　c）", And((a, Or((b, c))))),
        ("(a OR b) OR (c)", Or((a, b, c))),
        ("((a b) c)", And((a, b, c))),
        ("a -b", And((a, Not(b)))),
        ("a NOT b", And((a, Not(b)))),
        ("a −b –c", And((a, Not(b), Not(c)))),
        ("-b a", And((Not(b), a))),
        ("a -(b OR c)", And((a, Not(Or((b, c)))))),
        ('a -"x y"', And((a, Not(xy)))),
        ("a -headline:b", And((a, Not(term("b", "headline"))))),
        ("a -OR", And((a, Not(term("or"))))),
        ("a – b", And((a, b))),
        ("\u200f-b \u200fa", And((Not(b), a))),
        ('"a b"', ab),
        ("“a b” „a b“ ”a b” «a b» »a b« ″a b″ ＂a b＂ 「a b」 『a b』", And((ab,) * 9)),
        ("“a «b”", ab),
        ('"a"', Phrase(("a",))),
        ('a"x y"b', And((a, term("x"), term("y"), b))),
        ('说"x y"b', And((Prefix("说"), xy, b))),
        ('"x y"*', Phrase(("x", "y"), prefix=True)),
        ('"a"*', Prefix("a")),
        ("École", Term("ecole", "école")),
        ("U.S. Israel's", And((Spellings((Phrase(("u", "s")), term("us"))), term("israel")))),
        ("intern*", Prefix("intern")),
        ("ｉｎｔｅｒｎ＊,", Prefix("intern")),
        ("U.S.A*", Spellings((Phrase(("u", "s", "a"), prefix=True), Prefix("usa")))),
        ("M*A*S*H", Phrase(("m", "a", "s", "h"))),
        ("中", Prefix("中")),
        ("“中”", Prefix("中")),
        ("中国", term("中国")),
        ("中国*", term("中国")),
        ("「中国人」", Phrase(("中国", "国人"))),
        ("「AI技術 new」", Spellings((Phrase(("ai", "技术", "术", "new")), Phrase(("ai", "技術", "術", "new"))))),
        ("「new 技」", Phrase(("new", "技"), prefix=True)),
        ('צה"ל a', And((Spellings((Phrase(("צה", "ל")), term("צהל"))), a))),
        ("headline:a", term("a", "headline")),
        ("Headline：a", term("a", "headline")),
        ('headline:"x y" b', And((Phrase(("x", "y"), fields=headline), b))),
        ("headline:x*", Prefix("x", headline)),
        ("headline:(a OR b)", Or((term("a", "headline"), term("b", "headline")))),
        ("headline:OR", term("or", "headline")),
        ("headline:\u200fa", term("a", "headline")),
        ("headline:10:30", Phrase(("10", "30"), fields=headline)),
        # The parts of an address are no compounds.
        ("10:30 http://x.y/", And((Phrase(("10", "30")), Phrase(("http", "x", "y"))))),
        ("author:a headlines:b", And((term("a", "byline"), Phrase(("headlines", "b"))))),
        ("Title:a title:(a OR b)", And((term("a", "headline"), Or((term("a", "headline"), term("b", "headline")))))),
        ('a & !!! 😀 (&) -& "…" b', And((a, b))),
        ("headline:& b", And((term("headline"), b))),
        ("a OR &", a),
        ("a AND OR b", Or((a, b))),
    ],
)
def test_a_query_is_understood(text: str, expression: Expression) -> None:
    assert parse_query(text) == expression


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("", 0, "nothing here"),
        ("  ", 0, "nothing here"),
        ("& 😀 !!!", 0, "nothing here"),
        ("AND", 0, "both sides"),
        ("a OR", 2, "both sides"),
        ("OR a", 0, "both sides"),
        ("a OR OR b", 2, "both sides"),
        ("a (b OR )", 5, "both sides"),
        ("a -", 2, "behind -"),
        ("a - b", 2, "behind -"),
        ("a --b", 2, "behind -"),
        ("a NOT", 2, "behind NOT"),
        ("a NOT OR b", 2, "behind NOT"),
        ("(a -)", 3, "behind -"),
        ("-a", 0, "only excluded"),
        ("-a -b", 0, "only excluded"),
        ("a OR -b", 5, "only excluded"),
        ("a OR (-b)", 6, "only excluded"),
        ("& -a", 0, "only excluded"),
        ("a ()", 2, "within"),
        ("a (b", 2, "Close"),
        ("a (b (c)", 2, "Close"),
        ("a) b", 1, "Open"),
        (")", 0, "Open"),
        ('a "b', 2, "Close"),
        ("a 「b", 2, "Close"),
        ("a b」", 3, "Close"),
        ('5" gun', 1, "Close"),
        ("a *", 2, "intern*"),
        ("a *ing", 2, "intern*"),
        ("a **b**", 2, "intern*"),
        ("a $*", 3, "intern*"),
        ('a ""*', 4, "intern*"),
        ("(a b)*", 5, "intern*"),
        ("a headline:", 10, "behind the colon"),
        ("headline: a", 8, "behind the colon"),
        ("headline:)", 9, "Open"),
        ("headline:-a", 9, "behind -"),
        ("headline:*", 9, "intern*"),
        ("headline:(a body:b)", 12, "within another"),
        ("headline:body:b", 9, "within another"),
    ],
)
def test_a_broken_query_is_refused_at_the_place_if_it_is_read_strictly(text: str, position: int, says: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        understand_query(text, strict=True)
    assert caught.value.position == position
    assert says in caught.value.detail


def test_limits_are_told() -> None:
    def refused(text: str) -> tuple[int, str]:
        with pytest.raises(ExpressionError) as caught:
            parse_query(text)
        return caught.value.position, caught.value.detail

    def nested(depth: int) -> str:
        return "(a OR " * depth + "a" + ")" * depth

    assert parse_query("a".ljust(LONGEST_QUERY)) == a
    assert refused("a".ljust(LONGEST_QUERY + 1)) == (LONGEST_QUERY, "Shorten the query to 4,000 characters.")
    assert parse_query("a " * MOST_TERMS) == And((a,) * MOST_TERMS)
    assert refused("a " * (MOST_TERMS + 1)) == (2 * MOST_TERMS, "Look for at most 100 words and phrases.")
    assert parse_query(nested(DEEPEST_NESTING)) == Or((a,) * (DEEPEST_NESTING + 1))
    assert refused(nested(DEEPEST_NESTING + 1)) == (len("(a OR ") * DEEPEST_NESTING, "Nest at most 20 parentheses.")
    assert parse_query("(" * 1_000 + "a" + ")" * 1_000) == a
    assert refused("-" * LONGEST_QUERY) == (0, "Write what to look for: nothing here has a letter or digit.")
    assert refused("NOT " * 999) == (4 * MOST_TERMS, "Look for at most 100 words and phrases.")
    assert parse_query("headline:" * 400) == Phrase(("headline",) * 399, fields=headline)


def parts(expression: Expression) -> Iterator[Expression]:
    yield expression
    if isinstance(expression, And | Or):
        for operand in expression.operands:
            yield from parts(operand)
    elif isinstance(expression, Not):
        yield from parts(expression.operand)


def check_what_engines_rely_on(whole: Expression) -> None:
    assert not isinstance(whole, Not)
    for part in parts(whole):
        match part:
            case And(operands):
                assert len(operands) > 1
                assert not any(isinstance(operand, And) for operand in operands)
                assert not all(isinstance(operand, Not) for operand in operands)
            case Or(operands):
                assert len(operands) > 1
                assert not any(isinstance(operand, Or | Not) for operand in operands)
            case Not(operand):
                assert not isinstance(operand, Not)
            case Term(form, spelling):
                assert "_" in spelling or word_forms(spelling)[0] in (form, fold_run(form))
            case Prefix(form):
                assert form
            case Phrase(forms, prefix):
                assert len(forms) > prefix


def understood(text: str) -> Expression | ExpressionError:
    try:
        return parse_query(text)
    except ExpressionError as error:
        return error


@settings(max_examples=1_000)
@given(queries)
def test_any_text_is_understood_or_refused_at_a_place(text: str) -> None:
    expression = understood(text)
    if isinstance(expression, ExpressionError):
        assert 0 <= expression.position <= len(text)
        assert expression.detail.endswith(".")
    else:
        check_what_engines_rely_on(expression)
        assert matches_article(expression, match_texts(analyse_texts({"headline": text, "body": "a word"}, "en"))) in (
            True,
            False,
        )


def found(query: str, text: str, language: str | None = None) -> bool:
    return matches_article(parse_query(query), match_texts(analyse_texts({"body": text}, language)))


@pytest.mark.parametrize(
    ("language", "text", "queries"),
    [
        (
            "en",
            "Israel's army purchased 155-mm howitzers from the U.S. in 2020.",
            [
                "purchase",
                "HOWITZER",
                "israel army",
                '"the US" OR U.S.',
                '"155 mm"',
                "purch* -navy",
                "(tank OR 2020)",
                "Israel’s",
                '"from the u"*',
                "army -tank -(ship OR plane)",
            ],
        ),
        ("he", 'דובר צה"ל אמר שלום בירושלים', ['צה"ל', "צה״ל", '"דובר צה"ל"', "ירושל* OR בירוש*", "בירושלימ", "שָׁלוֹם"]),
        ("ar", "اشترت القُوّات مدافع من أمريكا عام ٢٠٢٤", ["القوات", '"من امريكا"', "2024", "مدافع -دبابات", "أمريك*"]),
        (
            "ru",
            "Русский самолёт пролетел над Москвой",
            ["самолет", "русские самолеты", '"над Москвой"', "москв*", "русскии"],
        ),
        (
            "fr",
            "Les élections à l’Assemblée, cœur du débat",
            ["election", "élections", '"l\'assemblee"', "coeur", "«cœur du débat»"],
        ),
        ("de", "Die Häuser in der Straße", ["haus", "Häuser", "STRASSE", "„in der Straße“", "straß*", "hauser"]),
        ("es", "El Niño llegó a las naciones", ["nino", "nación", '"el nino llego"', "nacion*"]),
        (
            "zh-Hans",
            "中国人民解放军AI技术new体系",
            ["中国", "人民", "「国人民」", "放", '"AI技术"', "「技术new」", "技术*", "ai技术new体", "军"],
        ),
        ("ja", "東京都でテレビとラーメンを見た。", ["東京", "京都", "ﾃﾚﾋﾞ", "「都でテレ」", "ラーメン", "見"]),
        ("th", "นายกรัฐมนตรีไทยเดินทางไปเชียงใหม่", ["รัฐมนตรี", "เชียงใหม่", "«ไทยเดิน»", "ไทย -ลาว", "น้ำ OR ไทย"]),
        ("ko", "서울에서 1인당 5,000달러", ["서울*", '"1인당"', "서울에서"]),
        ("hi", "हिन्दी में समाचार २०२४", ["हिन्दी", "2024", '"में समाचार"']),
    ],
)
def test_an_article_is_found(language: str, text: str, queries: list[str]) -> None:
    assert [query for query in queries if not found(query, text, language)] == []


@pytest.mark.parametrize(
    ("language", "text", "queries"),
    [
        (
            "en",
            "Israel's army purchased 155-mm howitzers",
            [
                '"purchase"',
                '"army howitzers"',
                "army -purchase",
                "purchasing navy",
                "owitzer*",
                '"155"* "mm howitzer"',
                "howi",
                '"mm israel"',
                "navy OR tank",
            ],
        ),
        ("zh-Hans", "中国人民AI技术new", ["国中", "「中人」", '"技 术"', "「术 ai」", '"AI术"', "「民new」"]),
        ("th", "นายกรัฐมนตรี", ["มนตรีนาย"]),
        ("he", "שלום", ["purchase", "שלו", '"שלומ של"']),
        (None, "purchased", ["purchase"]),
    ],
)
def test_an_article_is_not_found(language: str | None, text: str, queries: list[str]) -> None:
    assert [query for query in queries if found(query, text, language)] == []


def test_a_word_is_stemmed_in_the_language_of_the_article_only() -> None:
    assert found("purchase", "purchased", "en-GB")
    assert not found("purchase", "purchased", "fr")
    assert not found("dies", "die Wahl", "de")  # in English die and dies have one stem
    assert found("purchased", "purchased", None)


def test_a_field_named_in_the_query_goes_before_search_in() -> None:
    analysed = analyse_texts(
        {"headline": "cocoa prices", "body": "coffee", "byline": "Ann Lee", "caption": "beans"}, "en"
    )
    texts = match_texts(analysed)
    assert matches_article(parse_query("cocoa coffee"), texts)
    assert matches_article(parse_query("headline:price byline:lee caption:bean"), texts)
    assert not matches_article(parse_query("headline:coffee"), texts)
    assert not matches_article(parse_query("headline:(cocoa coffee)"), texts)
    assert matches_article(parse_query("cocoa -headline:coffee"), texts)
    assert not matches_article(parse_query("cocoa coffee"), texts, ["headline", "byline"])
    assert matches_article(parse_query("cocoa body:coffee"), texts, ["headline"])


def test_a_phrase_never_runs_over_a_field() -> None:
    analysed = match_texts(analyse_texts({"headline": "cocoa", "summary": "prices", "body": "rise\nagain"}, "en"))
    assert not matches_article(parse_query('"cocoa prices"'), analysed)
    assert matches_article(parse_query('"rise again"'), analysed)


@many
@given(st.text(max_size=60))
def test_every_word_of_an_article_finds_it(text: str) -> None:
    analysed = match_texts(analyse_texts({"body": text}, "en"))
    for form in word_forms(text):
        assert matches_article(parse_query(f'"{form}"'), analysed)
        assert matches_article(parse_query(f"{form}*"), analysed)
        assert matches_article(parse_query(form), analysed)


@many
@given(st.text(max_size=60))
def test_every_article_is_found_by_its_own_text_quoted(text: str) -> None:
    quoted = regex.sub('["“”„‟″＂〝〞〟*＊]', " ", text)
    assume(word_forms(quoted))
    assert matches_article(
        parse_query(f'"{quoted}"'), match_texts(analyse_texts({"body": f"before {quoted} behind"}, "en"))
    )


@many
@given(st.text(UNSPACED, min_size=2, max_size=30), st.data())
def test_any_two_characters_or_more_of_a_run_find_it_and_only_where_they_stand(text: str, data: st.DataObject) -> None:
    run = unicodedata.normalize("NFKC", text)
    start = data.draw(st.integers(0, len(run) - 2))
    end = data.draw(st.integers(start + 2, len(run)))
    piece = run[start:end]
    assume(unicodedata.normalize("NFKC", piece) == piece)
    analysed = match_texts(analyse_texts({"body": f"AI{run} 2024"}, "zh"))
    assert matches_article(parse_query(f"「{piece}」"), analysed)
    assert matches_article(parse_query(piece), analysed)
    assert matches_article(parse_query(piece[0]), analysed)
    other = data.draw(st.text(UNSPACED, min_size=2, max_size=4).map(lambda text: unicodedata.normalize("NFKC", text)))
    assert matches_article(parse_query(f"「{other}」"), analysed) == (other in run)


def test_hostile_texts_are_understood_or_refused(shared_data: Path) -> None:
    with (shared_data / "hostile_text" / "naughty_strings.jsonl").open(encoding="utf-8", newline="\n") as lines:
        texts = [json.loads(line).get("text", "") for line in lines]
    expressions = [found for found in map(understood, texts) if not isinstance(found, ExpressionError)]
    assert len(expressions) > len(texts) / 2
    for expression in expressions:
        check_what_engines_rely_on(expression)


def gold_sentences(shared_data: Path) -> Iterator[tuple[str, str, list[str]]]:
    with (shared_data / "pud_parallel" / "sentences.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            for language, sentence in json.loads(line)["parallel"].items():
                yield language, sentence["text"], sentence["tokens"]
    with (shared_data / "ud_newspaper_sentences" / "sentences.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            sentence = json.loads(line)
            yield sentence["language"], sentence["text"], sentence["tokens"]


def searchable(text: str, token: str) -> list[str]:
    """The token, where it stands in the text as a whole word; in scripts without spaces its pairs and itself."""
    before, found, behind = text.partition(token)
    if not found or not word_forms(token):
        return []
    if regex.fullmatch(r"[\p{Han}\p{Thai}]+", token):
        return [token, *(token[start : start + 2] for start in range(len(token) - 1))]
    return [] if LETTER.match(before[-1:]) or LETTER.match(behind[:1]) else [token]


@pytest.mark.slow
def test_every_gold_token_quoted_finds_its_sentence(shared_data: Path) -> None:
    tried: dict[str, int] = {}
    missed = []
    for language, text, tokens in gold_sentences(shared_data):
        analysed = match_texts(analyse_texts({"body": text}, language))
        for token in tokens:
            for piece in searchable(text, token):
                tried[language] = tried.get(language, 0) + 1
                quoted = piece.replace('"', "״")
                if not matches_article(parse_query(f'"{quoted}"'), analysed):
                    missed.append((language, piece, text))
    assert missed == []
    assert min(tried.values()) > 1_000
    assert len(tried) >= 15
