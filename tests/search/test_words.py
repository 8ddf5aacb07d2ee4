"""The words of the index: which are kept, which are near to a typed one, and that publishers add them side by side."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from string import ascii_lowercase

import pytest
from sqlalchemy import select, text

from newswire.search import words
from newswire.search.analysis import analyse_texts
from newswire.search.rebuild import rebuild_index
from newswire.store.tables import word
from tests.support.lists import post
from tests.support.wire import Wire

KEPT = ["bridge", "election", "bare", "parliament", "zelensky", "montreal", "abcdefghijklmnopqrstuvwxyzabcd"]
PUBLISHERS, TIMES = 3, 5
PUBLISHING = """
import random, sys
from tests.support.wire import Caller, Wire
wire = Wire(sys.argv[1])
mine = Caller(wire.client, sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
for turn in range(int(sys.argv[3])):
    new = [f"wort{chr(97 + turn)}{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(300)]
    random.shuffle(new)
    mine.publish(body_text=" ".join(new))
wire.close()
"""


def stored(wire: Wire) -> set[str]:
    with wire.database.read() as connection:
        found = {row.word: row for row in connection.execute(select(word))}
    assert all((row.length, row.reversed) == (len(each), each[::-1]) for each, row in found.items())
    return set(found)


def errors_in(typed: str) -> Iterator[str]:
    """Every text that is one error from a word: a letter left out, exchanged with the next, replaced, or added."""
    for at in range(len(typed) + 1):
        before, after = typed[:at], typed[at:]
        yield from (f"{before}{letter}{after}" for letter in "axz")
        if after:
            yield before + after[1:]
            yield from (f"{before}{letter}{after[1:]}" for letter in "axz")
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]


def test_words_of_letters_are_kept_folded_and_nothing_else(wire: Wire) -> None:
    text = "The Élection of 2024: U.S. B2B covid19 naïve об’єкт 大统领 ประเทศไทย हिन्दी שלום " + "x" * 31
    wire.as_publisher().publish(text, summary="summary", body_text="bodies", byline="By Ana Pérez")
    assert stored(wire) == {"election", "naive", "हिन्दी", "שלומ", "summary", "bodies", "perez"}


def test_every_word_with_one_error_is_near(wire: Wire) -> None:
    with wire.database.begin() as connection:
        words.add_words(connection, KEPT)
    with wire.database.read() as connection:
        for each in KEPT:
            wrong = {typed for typed in errors_in(each) if len(typed) >= words.SHORTEST and typed != each}
            missed = [typed for typed in wrong if each not in words.words_one_edit_away(connection, typed)]
            assert missed == [], each


def test_a_word_that_is_not_near_is_not_found(wire: Wire) -> None:
    with wire.database.begin() as connection:
        words.add_words(connection, KEPT)
    with wire.database.read() as connection:
        assert words.words_one_edit_away(connection, "bridge") == []
        assert words.words_one_edit_away(connection, "electron") == ["election"]
        assert words.words_one_edit_away(connection, "elektrion") == []
        assert words.words_two_edits_away(connection, "elektrion") == ["election"]
        assert words.words_two_edits_away(connection, "bridgxx") == []


def test_one_article_adds_a_bounded_number_of_words(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "MOST_NEW", 10)
    three = [f"{a}{b}{c}word" for a in ascii_lowercase for b in "abc" for c in "abc"]
    with wire.database.begin() as connection:
        words.add_words(connection, [*words.unknown_words(connection, analyse_texts({"body": " ".join(three)}, "en"))])
    assert len(stored(wire)) == 10


def test_what_was_rolled_back_is_not_taken_for_known(wire: Wire) -> None:
    publisher = wire.as_publisher()
    for _ in range(2):
        tried = publisher.post("/v1/articles?dry_run=true", json={"headline": "Unheard", "body_text": "novelties"})
        assert tried.status_code == 200
    publisher.publish("Unheard", body_text="novelties")
    assert stored(wire) == {"unheard", "novelties"}


def test_a_rebuild_adds_the_words_of_what_was_published_before(wire: Wire) -> None:
    post(wire.as_publisher(), [{"headline": f"Ancient chronicle {number}"} for number in range(3)])
    rows = "search_place" if wire.is_sqlite else "search_document"
    with wire.database.begin() as connection:
        connection.execute(text("DELETE FROM word"))
        connection.execute(text(f"UPDATE {rows} SET index_version = '0/old'"))
        connection.info.clear()
    fresh = Wire(wire.url)
    assert [*rebuild_index(fresh.database)] == [3]
    assert stored(fresh) == {"ancient", "chronicle"}
    fresh.close()


def test_transactions_with_the_same_new_words_do_not_block_each_other(wire: Wire) -> None:
    new = [f"word{a}{b}{c}" for a in ascii_lowercase for b in ascii_lowercase for c in "abcd"]
    start, added = threading.Barrier(2), []

    def add(order: list[str]) -> None:
        start.wait()
        with wire.database.begin() as connection:
            words.add_words(connection, order)
        added.append(order)

    threads = [threading.Thread(target=add, args=(order,)) for order in (new, new[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(added) == 2
    assert stored(wire) == set(new)


@pytest.mark.slow
def test_processes_that_publish_the_same_new_words_at_once_are_all_served(wire: Wire) -> None:
    keys = [wire.publisher_key(f"publisher{number}") for number in range(PUBLISHERS)]
    running = [
        subprocess.Popen(
            [sys.executable, "-c", PUBLISHING, wire.url, key, str(TIMES)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ,
        )
        for key in keys
    ]  # fmt: skip
    try:
        for process in running:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in running:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        said = [process.communicate(timeout=120)[1] for process in running]
        assert [process.returncode for process in running] == [0] * PUBLISHERS, said
    finally:
        for process in running:
            process.kill()
            process.wait()
    assert len([each for each in stored(wire) if each.startswith("wort")]) == TIMES * 300
