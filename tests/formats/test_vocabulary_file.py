"""The file of a vocabulary: it is read in each form that the IPTC publishes, and what is wrong with one is said."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from newswire.formats.vocabulary import MOST_CONCEPTS, VocabularyError, parse_vocabulary
from tests.support.command import Cli
from tests.support.vocabulary import BASE, BEACH, SOCCER, SPORT, vocabulary_document


def parsed(document: Any) -> dict[str, frozenset[str]]:
    concepts, _ = parse_vocabulary(json.dumps(document).encode())
    return {item.code: item.broader for item in concepts}


def test_relations_are_read_from_either_end_and_in_either_spelling() -> None:
    both = parsed(document := vocabulary_document())
    assert both[f"medtop:{BEACH}"] == {f"medtop:{SOCCER}"}
    for left_out in ("broader", "narrower"):
        one_way = copy.deepcopy(document)
        for item in one_way["conceptSet"]:
            item.pop(left_out, None)
        assert parsed(one_way) == both
    spelled = json.loads(json.dumps(document).replace("http://cv", "https://cv"))
    for item in spelled["conceptSet"]:
        item["broader"] = [address.replace("https://cv.iptc.org/newscodes/mediatopic/", "medtop:")
                           for address in item.get("broader", [])] or None  # fmt: skip
        del item["qcode"]
    assert parsed(spelled) == both


def change(position: int, **members: Any) -> Callable[[Any], Any]:
    def changed(document: Any) -> Any:
        document["conceptSet"][position] |= members
        return document

    return changed


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda document: [document], "It has no conceptSet"),
        (lambda document: {**document, "conceptSet": {}}, "It has no conceptSet; download"),
        (lambda document: {**document, "conceptSet": []}, "must have 1 to 20,000 concepts; it has 0."),
        (lambda document: {**document, "conceptSet": [0] * (MOST_CONCEPTS + 1)}, "must have 1 to"),
        (lambda document: {**document, "conceptSet": ["medtop:15000000"]}, "conceptSet[0] is no object"),
        (change(1, qcode="genre:Current"), "conceptSet[1]: 'genre:Current' is no code of the Media Topics"),
        (change(1, qcode=17), "conceptSet[1]: '17' is no code"),
        (change(1, qcode=f"medtop:{SPORT}"), f"medtop:{SPORT} stands there twice"),
        (change(2, broader=["medtop:99999999"]), "names medtop:99999999, which is not in the file"),
        (change(2, broader=[["medtop:15000000"]]), "conceptSet[2].broader"),
        (change(0, broader=[BASE + BEACH]), "is broader than itself"),
        (change(0, broader=[BASE + SPORT]), f"medtop:{SPORT} is broader than itself"),
        (
            lambda document: {
                **document,
                "conceptSet": [
                    {"qcode": f"medtop:{n:08}", "broader": [f"medtop:{n - 1:08}"] if n else []} for n in range(60)
                ],
            },
            "More than 50 concepts are broader than medtop:00000051",
        ),
        (change(0, prefLabel="sport"), "conceptSet[0].prefLabel must be names by language"),
        (change(0, prefLabel={"en": "x" * 501}), "at most 500 characters"),
    ],
)
def test_a_broken_file_is_refused_with_the_place(spoil: Callable[[Any], Any], said: str) -> None:
    with pytest.raises(VocabularyError) as refusal:
        parsed(spoil(vocabulary_document()))
    assert said in str(refusal.value)


def test_a_file_that_is_refused_changes_nothing(sqlite_cli: Cli, tmp_path: Any) -> None:
    file = tmp_path / "topics.json"
    file.write_text(json.dumps(vocabulary_document()))
    sqlite_cli.must("vocabulary", "load", str(file))
    for text, said in (
        (b'{"conceptSet": [\n{]}', "line 2, column 2"),
        (b"\xff\xfe", "It is not JSON"),
        (b"[" * 100_000, "It is not JSON"),
        (b"", "It is not JSON"),
    ):
        file.write_bytes(text)
        assert said in sqlite_cli.refused("vocabulary", "load", str(file))
    with file.open("wb") as opened:
        opened.truncate(65 << 20)
    assert "more than 64 MiB" in sqlite_cli.refused("vocabulary", "load", str(file))
    assert sqlite_cli.run("vocabulary", "load", str(tmp_path / "none.json")).exit_code == 2
    assert sqlite_cli.json("vocabulary", "show", f"medtop:{BEACH}")["broader"] == [f"medtop:{SOCCER}"]
