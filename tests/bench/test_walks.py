"""`python -m bench walks` counts every way, and the way of a POST stays short."""

from pathlib import Path

from bench.walks import run, table


def test_every_way_is_counted_and_a_post_is_at_most_eight_frames_above_the_driver(tmp_path: Path) -> None:
    walks = run(tmp_path)
    assert all(walk.calls >= len(walk.functions) >= len(walk.files) >= len(walk.around) > 0 for walk in walks.values())
    kept = walks["GET a list, kept page"]
    assert kept.depth == 0
    assert kept.files == kept.around
    posted = walks["POST one article"]
    assert posted.deepest[0] == "api/views/publishing.py:create_article"
    assert {"publishing/draft.py", "publishing/receive.py", "wire.py"} <= posted.files
    assert posted.depth <= 8
    assert len(table(walks).splitlines()) == len(walks) + 2
