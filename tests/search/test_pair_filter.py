"""The filter of an article's pairs of adjacent words on PostgreSQL, and the upkeep of its index."""

import random

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from newswire.search.index import tend_index
from newswire.search.postgres.pair_filter import MOST_BYTES, MOST_PAIRS, make_filter, pair_hashes
from tests.support.wire import Wire

WORDS = [f"w{number}" for number in range(60)]


def may_have(made: bytes | None, pair: tuple[str, str]) -> bool:
    """What the SQL condition says of a pair."""
    if made is None:
        return True
    return all(made[at % (8 * len(made)) >> 3] >> (at % (8 * len(made)) & 7) & 1 for at in pair_hashes(pair))


@given(st.sets(st.tuples(st.text(min_size=1, max_size=8), st.text(min_size=1, max_size=8)), max_size=300))
def test_no_filter_rules_out_a_pair_that_its_article_has(pairs: set[tuple[str, str]]) -> None:
    made = make_filter(pairs)
    assert all(may_have(made, pair) for pair in pairs)


def test_a_filter_rules_out_most_pairs_and_is_bounded() -> None:
    pairs = {(f"a{number}", f"b{number}") for number in range(400)}
    others = {(f"c{number}", f"d{number}") for number in range(2000)}
    made = make_filter(pairs)
    assert made is not None
    assert len(made) == 301
    assert sum(may_have(made, pair) for pair in others) < 260
    many = make_filter({(f"a{number}", "b") for number in range(MOST_PAIRS)})
    assert many is not None
    assert len(many) == MOST_BYTES
    assert make_filter({(f"a{number}", "b") for number in range(MOST_PAIRS + 1)}) is None


def test_phrases_are_found_in_rows_with_and_without_a_filter(fresh_postgresql: str) -> None:
    chosen = random.Random(5)
    wire = Wire(fresh_postgresql)
    publisher, partner = wire.as_publisher(), wire.as_partner()
    texts = [" ".join(chosen.choices([*WORDS, "the", "of", "said"], k=80)) for _ in range(60)]
    for number, body in enumerate(texts):
        publisher.publish(f"Story {number}", body_text=body)
    # As rows of the analysis before are: they have no filter.
    with wire.database.begin() as connection:
        connection.execute(text("UPDATE search_document SET pairs = NULL WHERE number % 2 = 0"))
    for _ in range(60):
        words = chosen.choice(texts).split()
        at = chosen.randrange(len(words) - 3)
        phrase = " ".join(words[at : at + chosen.choice([2, 2, 3])])
        if chosen.random() < 0.3:
            phrase = " ".join(chosen.sample(words, 2))
        expected = {f"Story {number}" for number, body in enumerate(texts) if f" {phrase} " in f" {body} "}
        assert {*partner.listed(f'q="{phrase}"&limit=100')} == expected, phrase
    wire.close()


def test_the_worker_empties_the_pending_list_of_the_index(fresh_postgresql: str) -> None:
    wire = Wire(fresh_postgresql)
    publisher = wire.as_publisher()

    def empty_list() -> int:
        """Empties the pending list, and returns how many pages it had."""
        with wire.database.begin() as connection:
            return int(connection.scalar(text("SELECT gin_clean_pending_list('ix_search_document_words')")) or 0)

    publisher.publish("A long story")
    assert empty_list() > 0
    publisher.publish("A longer story")
    tend_index(wire.database, 0.05)
    assert empty_list() == 0
    wire.close()
