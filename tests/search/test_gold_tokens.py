"""Every word that a linguist marked in a sentence finds that sentence, in fifteen languages, on both engines.

The sentences and their gold tokens are those of Universal Dependencies. Each sentence is an article of its own, in
its language. A gold token counts when it *stands* in its sentence as a whole word, that is:

- it holds a letter, mark or digit: the rest is punctuation and symbols, which nobody can look for; and
- somewhere in the sentence no letter, mark or digit touches it from outside: else it is a piece that the linguists
  cut off a written word (Arabic و, Korean 인당 of 1인당) or a word they wrote instead (German zu and dem of zum).

Nothing touches a character of a script that is written without spaces. There every gold token counts, and every
pair of neighbouring characters besides.

All of them are asked for: those of a sentence together, each in quotes, so that the sentence is found only if every
single one finds it. Every hundredth is asked for alone as well, in all sentences at once.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import count, pairwise
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest
import regex

from tests.support.lists import missing, post, read
from tests.support.wire import Wire

pytestmark = pytest.mark.slow

LONGEST_HEADLINE = 500
STEP = 100
# The words are made in the same way for both engines, and PostgreSQL takes twice as long to be asked for all of them.
POSTGRESQL_SHARE = 3
# A quotation mark in a token (Turkish "Anyway"in) would end the quotation; in a Hebrew one it is a letter (צה"ל).
QUOTE = regex.compile(r'["“”„«»](?!\p{Hebrew})|(?<!\p{Hebrew})["“”„«»]')
UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
RUN = regex.compile(rf"[{UNSPACED}&&[\p{{L}}\p{{M}}]]+", regex.V1)
LETTER = regex.compile(r"[\p{L}\p{M}\p{N}]")
TOUCHING = regex.compile(rf"[[\p{{L}}\p{{M}}\p{{N}}]--{UNSPACED}]{{2}}", regex.V1)


class Sentence(NamedTuple):
    """One sentence; `language` is a BCP 47 tag."""

    name: str
    language: str
    text: str
    tokens: Sequence[str]


Source = Callable[[Path], Iterator[Sentence]]


def parallel(folder: Path) -> Iterator[Sentence]:
    with (folder / "pud_parallel" / "sentences.jsonl").open(encoding="utf-8") as lines:
        for record in map(json.loads, lines):
            for language, said in record["parallel"].items():
                yield Sentence(f"{record['id']}-{language}", language, said["text"], said["tokens"])


def newspapers(folder: Path) -> Iterator[Sentence]:
    with (folder / "ud_newspaper_sentences" / "sentences.jsonl").open(encoding="utf-8") as lines:
        for record in map(json.loads, lines):
            yield Sentence(record["id"], record["language"], record["text"], record["tokens"])


def looked_for(sentence: Sentence) -> list[str]:
    """What must find a sentence, each once."""
    pieces = ("".join(pair) for run in RUN.findall(sentence.text) for pair in pairwise(run))
    words = (QUOTE.sub(" ", token).strip() for token in sentence.tokens if stands(token, sentence.text))
    return list(dict.fromkeys([*words, *pieces]))


def stands(token: str, text: str) -> bool:
    """Whether a token stands in a text as a whole word: see the head of this module."""
    letters = [place for place, character in enumerate(token) if LETTER.match(character)]
    if not letters:
        return False
    bare = token[letters[0] : letters[-1] + 1]
    start = text.find(bare)
    while start >= 0:
        if whole(text, start) and whole(text, start + len(bare)):
            return True
        start = text.find(bare, start + 1)
    return False


def whole(text: str, place: int) -> bool:
    """Whether no word of a text goes on from before a place to behind it."""
    return place == 0 or not TOUCHING.match(text, place - 1)


def as_article(sentence: Sentence, position: int) -> dict[str, Any]:
    """A sentence as an article: every other one is a headline."""
    fits = position % 2 and len(sentence.text) <= LONGEST_HEADLINE
    text = {"headline": sentence.text} if fits else {"headline": "Sentence", "body_text": sentence.text}
    return {**text, "external_id": sentence.name, "language": sentence.language}


@pytest.mark.parametrize("sentences_of", [parallel, newspapers])
def test_the_rule_leaves_out_parts_of_words_only(shared_data: Path, sentences_of: Source) -> None:
    """Many in Arabic and Korean, where linguists cut words to pieces, hardly any elsewhere."""
    words: Counter[str] = Counter()
    kept: Counter[str] = Counter()
    for sentence in sentences_of(shared_data):
        for token in filter(LETTER.search, sentence.tokens):
            words[sentence.language] += 1
            kept[sentence.language] += stands(token, sentence.text)
    for language, total in words.items():
        assert kept[language] > total * (0.6 if language in ("ar", "ko") else 0.99), language


@pytest.mark.parametrize("sentences_of", [parallel, newspapers])
def test_every_gold_token_finds_its_sentence(wire: Wire, shared_data: Path, sentences_of: Source) -> None:
    sentences = list(sentences_of(shared_data))
    if not wire.is_sqlite:
        # At random: the languages come in turns.
        sentences = Random(1).sample(sentences, len(sentences) // POSTGRESQL_SHARE)
    ids = post(wire.as_publisher(), [as_article(*numbered) for numbered in zip(sentences, count(), strict=False)])
    partner = wire.as_partner()
    tokens = {
        number: [f'"{token}"' for token in looked_for(sentence)]
        for number, sentence in zip(ids, sentences, strict=True)
    }
    assert missing(partner, tokens) == []
    sample: dict[str, set[str]] = {}
    for number, quoted in tokens.items():
        for token in quoted:
            sample.setdefault(token, set()).add(number)
    for token in list(sample)[::STEP]:
        found = {article["id"] for article in read(partner, q=token, limit=100, fields="id")}
        assert sample[token] <= found, token
        assert len(found) < len(sentences) / 2, token
