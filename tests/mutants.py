"""Mutants: faults put into the code, each with the tests that must notice it.

    python -m tests.mutants [--quick] [--list] [NAME ...]

Each is applied to a copy of the tree, in which its tests are run; without arguments all of them, which takes some
minutes. With `--quick` only the quick part of the suite may notice. Exit status: 0 every mutant was caught, 1 one
survived, 2 the list is out of date or the usage wrong.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).resolve().parent.parent
COPIED = ("newswire", "migrations", "tests", "bench", "docs", "pyproject.toml", "constraints.txt", "README.md")
TESTS_FAILED = 1
LONGEST_SECONDS = 900.0
"""After this a test that waits for what the fault prevents has noticed it, too."""


class Mutant(NamedTuple):
    """A fault: in `file` of newswire/ the text `old`, which stands there once, becomes `new`.

    `tests` are those that should notice, as pytest is given them; not `quick`: only a slow one does.
    """

    name: str
    file: str
    old: str
    new: str
    tests: str
    quick: bool = True

    def broken(self, text: str) -> str:
        """The text of the file with the fault; raises `ValueError` where the list is out of date."""
        if text.count(self.old) != 1:
            raise ValueError(f"{self.name}: {self.old!r} stands {text.count(self.old)} times in {self.file}")
        return text.replace(self.old, self.new)


MUTANTS = [
    # Stories around an article.
    Mutant("a link to a hidden story is followed", "reading/related.py",
           "if may_know(asked.connection, row, asked.visibility, asked.now):", "if True:", "reading/test_related.py"),
    Mutant("a kill is told to whoever sees the story that it linked to", "reading/related.py",
           "and asked.visibility.could_see_at(past.terms, past.seq)", "", "reading/test_related.py"),
    Mutant("an owner's stories have the ETag of the head alone", "api/views/related.py",
           "if not visibility.shares_pages:", "if False:", "reading/test_related.py"),
    # The log.
    Mutant("chain without the number", "wire.py", "{chain} {seq} {digest}", "{chain} {digest}",
           "changes/test_changes.py"),
    Mutant("first number of a batch too low", "wire.py", "last - len(entries) + 1", "last - len(entries)",
           "changes/test_changes.py"),
    Mutant("the last entry of a page comes twice", "changes/page.py", 'entry.c.seq > bindparam("after")',
           'entry.c.seq >= bindparam("after")', "changes/test_changes.py"),
    Mutant("verify trusts the stored digest", "wire.py", "row.stored != row.digest or not is_intact(row)",
           "row.stored != row.digest", "wire/test_log.py"),
    Mutant("verify does not look at the head", "wire.py", "if newest.chain != chain:", "if False:", "wire/test_log.py"),
    Mutant("a look that began before the question answers it", "store/shared_look.py", "asked = self._begun",
           "asked = self._begun - 1", "store/test_shared_look.py"),
    Mutant("an optimistic read is not checked", "wire.py", "if read_committed_head(connection) == seen:", "if True:",
           "api/test_kept_pages.py"),
    Mutant("callers outlive an edit of their keys", "wire.py", "return head.wire, head.revision", "return head.wire",
           "api/test_kept_pages.py"),
    # Stories.
    Mutant("every copy of a story is shown", "reading/stories.py",
           "if finder.parents[match.number] is None:", "if True:",
           "reading/test_stories.py"),
    Mutant("articles without stems are lost", "search/sqlite/match.py",
           "(stemless := without_stems(expression, languages))", "(stemless := None)",
           "search/test_language_conditions.py"),
    Mutant("tables of one form are one story", "search/signatures.py",
           "return few or numbers < TABLE_SHARE * len(differing)", "return True", "search/test_signatures.py"),
    Mutant("a story ends at the copies on its page", "reading/stories.py",
           "match for match in members_of(finder, roots) if match.number not in followed", "match for match in shown",
           "reading/test_stories.py"),
    # Publishing.
    Mutant("idempotency keys without their publisher", "publishing/idempotency.py",
           "(idempotency.c.publisher_id == publisher_id) & (idempotency.c.key == key)", "idempotency.c.key == key",
           "publishing/test_publishing.py"),
    Mutant("an idempotency key for any request", "publishing/idempotency.py", "if row.fingerprint != fingerprint:",
           "if False:", "publishing/test_publishing.py"),
    Mutant("a killed article can be updated", "publishing/receive.py",
           "            raise article_canceled_problem(held)\n        condition(held)\n",
           "            pass\n        condition(held)\n",
           "publishing/test_publishing.py"),
    Mutant("a kill is not told", "publishing/receive.py", "EntryType.CANCELED if self._was_entered(held) else None",
           "None", "publishing/test_publishing.py"),
    Mutant("old words stay in the index", "publishing/receive.py",
           "        if not created:\n            # The buffer", "        if False:\n            # The buffer",
           "publishing/test_publishing.py changes reading"),
    Mutant("a late retry overwrites", "article.py", "draft.source_version < (held.source_version or 0)", "False",
           "publishing/test_publishing.py"),
    Mutant("an embargo does not hold", "article.py", "draft.embargoed_until > now", "draft.embargoed_until < now",
           "publishing/test_publishing.py"),
    # Clocks and damage.
    Mutant("an entry may be older than the one before it (SQLite)", "store/sqlite/backend.py",
           '"at": max(row["at"], earliest)', '"at": row["at"]', "wire/test_time_of_entries.py"),
    Mutant("an entry may be older than the one before it (PostgreSQL)", "store/postgres/backend.py",
           "greatest(new.at, (SELECT at FROM entry WHERE seq = :before))", "new.at", "wire/test_time_of_entries.py"),
    Mutant("a noisy measurement moves the time", "timestamps.py", "moment if is_contradicted else expected", "moment",
           "store/test_server_clock.py"),
    Mutant("a worker releases by a wrong clock", "cli/worker.py",
           "RELEASE_CLOCK.may_release() and release.has_due_articles", "release.has_due_articles",
           "attacks/test_clocks.py", quick=False),
    Mutant("a marked database is read", "store/damage.py", "if self.is_set() and not self.is_ignored:", "if False:",
           "attacks/test_damage.py"),
    Mutant("damage of PostgreSQL is a failure like any other", "store/postgres/backend.py",
           "isinstance(error, (DataCorrupted, IndexCorrupted))", "False", "attacks/test_damage.py"),
    Mutant("a worker lives on without its thread", "cli/worker.py", "while thread.is_alive() and not stop.wait",
           "while not stop.wait", "attacks/test_damage.py", quick=False),
    Mutant("a cached 304 may be sniffed", "api/cache/middleware.py",
           ', *(name for name, _ in SAFE_HEADERS)', "", "api/test_headers.py"),
    Mutant("a poll of a revoked key ends in an empty page", "api/views/streams.py", "if follower.is_denied:",
           "if False:", "changes/test_revoked_while_waiting.py", quick=False),
    Mutant("a key in base64 is logged", "logs.py", "MASK if holds_encoded_key(found[0]) else found[0]", "found[0]",
           "server/test_logs.py"),
    Mutant("everything is released at once", "publishing/release.py",
           ".where(article.c.due_at <= now)\n        .order_by", ".where(article.c.due_at > 0)\n        .order_by",
           "publishing/test_release.py"),
    Mutant("If-Match of any version", "api/request/conditional.py",
           "found[1] == stored.id and int(found[2]) == stored.version", "found[1] == stored.id",
           "publishing/test_publishing.py formats/test_ninjs_in.py"),
    Mutant("a gzip bomb is decompressed whole", "api/request/bodies.py", "if len(content) > limit:", "if False:",
           "api/test_edges.py"),
    Mutant("a member twice is accepted", "formats/strict_json.py", "if len(found) < len(pairs):", "if False:",
           "api/test_hostile_input.py"),
    # Access.
    Mutant("the entitlement does not hold", "visibility.py", "and self.filter.matches(standing.terms)\n", "\n",
           "api/test_entitlement_on_every_door.py"),
    Mutant("what has expired is shown", "visibility.py", "return () if self.owner else (TimeRule",
           "return () if True else (TimeRule", "publishing/test_publishing.py"),
    Mutant("an excluded term excludes nothing", "visibility.py", "and terms.isdisjoint(self.exclude)", "and True",
           "changes/test_every_way_of_reading.py"),
    Mutant("a range finds whole tags only", "language_tags.py", "for length in range(1, len(parts) + 1)",
           "for length in [len(parts)]", "search/test_language_ranges.py"),
    Mutant("terms of older versions stay as they were", "search/rebuild.py",
           "refresh_terms(connection, held, row.slug, subjects, story))\n", "{})\n",
           "migrations/test_languages_and_dates.py"),
    Mutant("a changed map forgets who saw an article by it", "search/mapped_articles.py",
           "if (number, version) in self._former", "if False", "changes/test_subject_maps.py"),
    Mutant("former terms count for who came later", "visibility.py", "(until is None or now.id <= until) and now.",
           "now.", "changes/test_subject_maps.py"),
    Mutant("new terms count for who was cut before", "visibility.py", " and new.id > since and ", " and ",
           "changes/test_subject_maps.py"),
    Mutant("entries in memory keep the terms of before", "changes/watcher.py", "if fresh and not revised else None",
           "if fresh else None", "changes/test_subject_maps.py"),
    Mutant("what is published by the map of before passes for mapped", "publishing/receive.py",
           "new = new._replace(mapped=OUTDATED)", "new = new._replace(mapped=publisher.mapping)",
           "changes/test_subject_maps.py"),
    Mutant("a map is no part of what is stored already", "search/remapping.py", "if held.version in former else",
           "if False else", "changes/test_subject_maps.py"),
    Mutant("an embargo lifted early leaves its article ahead", "article.py",
           " and held.status is not Status.WITHHELD:", ":", "publishing/test_dates_far_ahead.py"),
    Mutant("entitlement history begins an entry late", "visibility.py", "if new.since_seq >= seq and",
           "if new.since_seq > seq and", "changes/test_changes.py"),
    Mutant("entitlement history ends an entry late", "visibility.py", "if new.since_seq >= seq and",
           "if new.since_seq >= seq - 1 and", "changes/test_changes.py"),
    Mutant("a withheld version is read after its release", "reading/article.py", "was_told=row.seq is not None",
           "was_told=True", "publishing/test_publishing.py"),
    Mutant("what is withheld may be read", "visibility.py", "frozenset(Status), frozenset({Status.USABLE})",
           "frozenset(Status), frozenset(Status)", "attacks/test_leaks.py"),
    Mutant("names of hidden articles are listed", "reading/directory.py", "return cls(rule.filter, rule.times)",
           "return cls(Filter(), rule.times)", "attacks/test_leaks.py"),
    Mutant("everybody could once see everything", "visibility.py",
           "        if (until is None or now.id <= until) and now.filter.matches(terms):\n            return True\n",
           "        return True\n",
           "attacks/test_leaks.py"),
    Mutant("a version from outside the entitlement is read", "visibility.py",
           "return (was_told or self.owner) and self.filter.matches(terms)", "return was_told or self.owner",
           "attacks/test_leaks.py", quick=False),
    Mutant("whoever names a killed article is told of it", "reading/article.py",
           "return any(visibility.could_see_at(past.terms, past.seq, past.since, past.until) for past in pasts)",
           "return True",
           "api/test_entitlement_on_every_door.py"),
    Mutant("a revoked key opens", "accounts/callers.py", "row.revoked_at is not None or ", "", "api/test_routes.py"),
    Mutant("an expired key opens", "accounts/callers.py", "row.expires_at <= now", "False", "api/test_routes.py"),
    Mutant("a cached caller does not expire", "api/auth.py",
           "return known if expires_at is None or expires_at > moment else None", "return known",
           "api/test_kept_pages.py"),
    Mutant("a token opens every feed", "api/auth.py", "if caller is None or caller.feed != feed:",
           "if caller is None:", "accounts/test_saved_feeds.py"),
    Mutant("a token shows what only an owner sees", "accounts/saved_feeds.py",
           "replace(caller.visibility, owner=False)", "caller.visibility", "accounts/test_saved_feeds.py"),
    Mutant("a new key brings a dead token back", "accounts/keys.py",
           "if has_reading_key(connection, kind, row.publisher or row.partner, now):", "if True:",
           "accounts/test_dead_tokens.py"),
    Mutant("any revocation ends the tokens", "accounts/keys.py",
           "if has_reading_key(connection, kind, row.publisher or row.partner, now):", "if False:",
           "accounts/test_dead_tokens.py"),
    Mutant("a key that was revoked meanwhile makes tokens", "accounts/keys.py",
           "if connection.execute(query).one_or_none() is None:", "if False:", "accounts/test_dead_tokens.py"),
    Mutant("consumers of all parties in one", "changes/consumers.py",
           "return consumer.c.party == party, consumer", "return consumer.c.name == name, consumer",
           "changes/test_consumers.py"),
    # Caches and ETags.
    Mutant("a list's ETag without the caller", "api/views/lists.py", "context.media_type, fingerprint, head.wire",
           "context.media_type, head.wire", "reading/test_reading.py"),
    Mutant("a feed's ETag without its owner", "api/views/lists.py", 'if context.request.path.startswith("/v1/feeds"):',
           "if False:", "api/test_kept_pages_against_fresh.py"),
    Mutant("a list's ETag without the revision", "api/views/lists.py", "head.seq, head.revision, *moments",
           "head.seq, *moments", "accounts/test_saved_feeds.py reading"),
    Mutant("cached pages are shared by all", "api/cache/middleware.py", "return (fingerprint, party, *map",
           "return (party, *map", "api/test_kept_pages.py"),
    Mutant("cached feeds are shared by parties", "api/cache/middleware.py", "return (fingerprint, party, *map",
           "return (fingerprint, *map", "api/test_kept_pages.py"),
    Mutant("a date within its own second", "api/request/conditional.py", "now - changed_at >= STRONG_AFTER", "True",
           "formats/test_syndication.py"),
    # Changes.
    Mutant("what leaves a filter is not removed", "changes/rules.py",
           "left = any(matcher.answers(item.number, past) for past in item.before)", "left = False",
           "changes/test_changes.py"),
    Mutant("the content of what may no longer be read", "changes/rules.py",
           "rule.filter.matches(item.told.terms) and rule.allows(standing)", "rule.filter.matches(item.told.terms)",
           "changes/test_changes.py"),
    Mutant("a position beyond the head", "changes/positions.py", "if is_current and position.seq > head.seq:",
           "if False:", "changes/test_consumers.py"),
    Mutant("the chain of a position is not compared", "changes/positions.py",
           "if own is None or not own.startswith(position.chain.lower()):", "if False:", "changes/test_positions.py"),
    Mutant("a stream does not notice a failover", "changes/positions.py",
           "if entry is not None and not position.precedes(entry):", "if False:", "changes/test_positions.py"),
    Mutant("event ids one too low", "api/views/streams.py", "LogPosition(entry.item.seq,",
           "LogPosition(entry.item.seq - 1,", "changes/test_every_way_of_reading.py"),
    Mutant("ids of passed entries one too high", "api/views/streams.py", "position = page.next.seq",
           "position = page.next.seq + 1", "changes/test_every_way_of_reading.py"),
    Mutant("an edit wakes nobody", "changes/watcher.py", "if revised or not fresh or any", "if not fresh or any",
           "changes/test_watcher.py"),
    Mutant("a cut-off export looks whole", "api/views/streams.py", "if follower.position.seq == head.seq:", "if True:",
           "changes/test_every_way_of_reading.py"),
    # Lists and search.
    Mutant("the last article of a page comes twice", "search/keyset.py",
           "columns.where(tuple_(*place) < tuple_(*start) if", "columns.where(tuple_(*place) <= tuple_(*start) if",
           "reading/test_reading.py"),
    Mutant("a cursor of another query", "search/query.py", "if fingerprint != self.fingerprint:", "if False:",
           "reading/test_reading.py"),
    Mutant("one more page than there is", "reading/lists.py", "more = len(rows) > len(page)",
           "more = len(rows) >= len(page)", "reading/test_reading.py"),
    Mutant("a query of any price", "search/price.py", "<= MOST_POINTS", ">= 0", "search/test_price.py"),
    Mutant("a found article comes twice (SQLite)", "search/sqlite/index.py", 'rowid < bindparam("beyond") if',
           'rowid <= bindparam("beyond") if', "reading/test_reading.py"),
    Mutant("search shows what is withheld (SQLite)", "search/sqlite/index.py",
           "Filter(exclude=frozenset(HIDDEN)) if usable", "Filter() if usable", "publishing/test_publishing.py"),
    Mutant("search shows what is withheld (PostgreSQL)", "search/postgres/index.py", '"status = \'usable\'" if',
           '"true" if', "publishing/test_publishing.py"),
    Mutant("the walk towards newer articles skips a span", "search/postgres/time_buckets.py",
           '"next": "(span + 1) << 3', '"next": "(span + 2) << 3', "search/test_time_buckets.py"),
    Mutant("the walk towards older articles begins late", "search/postgres/time_buckets.py",
           '"edge": "((newest >> 3 * level) + 1) << 3', '"edge": "(newest >> 3 * level) << 3',
           "search/test_time_buckets.py"),
    Mutant("a count of ten thousand is no count", "reading/lists.py", "found <= most", "found < most",
           "reading/test_counts_equal_paging.py"),
    # Content.
    Mutant("addresses of any scheme", "urls.py", 'if parts.scheme in ("http", "https") and parts.hostname else None',
           "if parts.scheme else None", "formats/test_html.py"),
    Mutant("addresses keep their passwords", "urls.py", "    netloc = (f",
           '    netloc = parts.netloc.rpartition("@")[0] + (f',
           "formats/test_links.py"),
    Mutant("hosts by the first IDNA", "urls.py", 'idna.alabel(label).decode("ascii")', 'label.encode("idna").decode()',
           "formats/test_links.py"),
    Mutant("mail with headers of its own", "urls.py", "if name.lower() not in MAIL_FIELDS or (", "if (",
           "formats/test_links.py"),
    Mutant("ids of the body are ids of the page", "formats/html/jumps.py", 'PREFIX = "user-content-"', 'PREFIX = ""',
           "formats/test_links.py"),
    Mutant("a link for any address of an embed", "formats/html/rewriting.py", "if url := self.find_url(value):",
           "if url := value:", "formats/test_embeds.py"),
    Mutant("prose about markup is unescaped", "formats/html/escaped.py", "if PROSE.match(markup, position):",
           "if False:", "formats/test_embeds.py"),
    Mutant("footnotes that nothing refers to are dropped", "formats/markdown/footnotes.py",
           'if label in met or notes["refs"][f":{label}"] < 0:', "if False:", "formats/test_links.py"),
    Mutant("a digest without the text", "document.py", 'UNSIGNED = frozenset({"seq"',
           'UNSIGNED = frozenset({"body_html", "body_text", "seq"', "client/test_verify_remote.py"),
    # The connections.
    Mutant("chunks of a byte cost nothing", "server/chunked.py",
           "if self.chunks > FREE_CHUNKS + self.decoded // MEAN_CHUNK_BYTES:", "if False:",
           "server/test_request_framing.py"),
    Mutant("a chunk may be longer than its size", "server/chunked.py", "Step.CHUNK_END: 1}", "Step.CHUNK_END: 99}",
           "server/test_request_framing.py"),
    Mutant("a body over its limit is kept", "server/request_body.py", "if content and self.size <= self.limit:",
           "if content:", "server/test_request_framing.py"),
    Mutant("a slow body is waited for", "server/request_body.py", "received < seconds * BODY_BYTES_PER_SECOND",
           "False", "server/test_request_framing.py"),
    Mutant("events of closed connections are handled", "server/event_loop.py",
           "if connection not in self.connections[connection.state]:\n            # Another",
           "if False:\n            # Another",
           "server/test_making_room.py"),
    Mutant("an address never gets its share back", "server/acceptor.py", "self.per_party[party] -= 1", "pass",
           "server/test_making_room.py"),
    Mutant("the bytes that were sent stay in memory", "server/connection.py", "2 * len(rest) > len(rest.obj)", "True",
           "server/test_making_room.py"),
    # Limits.
    Mutant("limits: a party may have every slot", "api/limits/slots.py", "(size + 1) // 2 if share is None",
           "size if share is None", "api/test_limits_slots.py"),
    Mutant("limits: whoever came first gets the slot", "api/limits/slots.py", "chosen = min(able, key=rank)",
           "chosen = able[0]", "api/test_limits_slots.py"),
    Mutant("limits: nobody makes room", "api/limits/slots.py", "if most <= counts[newcomer.party] + 1:", "if True:",
           "api/test_limits_slots.py"),
    Mutant("limits: writers take the slots of readers", "api/pipeline.py",
           'slots.readers if route.method == "GET" else slots.writers', "slots.readers", "api/test_limits.py"),
    Mutant("limits: a 304 costs a request", "api/pipeline.py", "(response.status_code == 304 or context.is_free)",
           "context.is_free", "api/test_limits.py"),
    Mutant("limits: kept pages have no quota", "api/cache/middleware.py",
           "if reservation is not None and not reservation.is_granted:", "if False:", "api/test_limits.py"),
    Mutant("who waits for another poll is not told of an edit", "api/views/streams.py", "context.land_flight()", "pass",
           "changes/test_shared_polls.py", quick=False),
    Mutant("a page after a wait is kept for those who begin now", "api/views/changes.py",
           'parameters.get("start") == "now" or not', "not", "changes/test_shared_polls.py"),
    Mutant("limits: guesses are not counted", "api/pipeline.py", 'if problem.code == "unauthenticated":', "if False:",
           "api/test_limits.py"),
    Mutant("limits: a client says its own address", "api/request/address.py",
           '*reversed(forwarded.split(",")[-MOST_HOPS:])', '*forwarded.split(",")[-MOST_HOPS:]', "api/test_limits.py"),
    Mutant("limits: given back to a later window", "api/limits/windows.py",
           "words[row + NAME] == hashed and words[row + ENDS_AT] / 1000 == window.ends_at", "True",
           "api/test_limits_windows.py"),
    Mutant("limits: a body of anybody is received", "api/admission.py",
           "return 0 if problem.status < 500 else longest", "return longest", "api/test_limits_admission.py"),
]  # fmt: skip


@contextmanager
def copied_tree() -> Iterator[Path]:
    """A copy of what tests need; the code in it can be broken."""
    with tempfile.TemporaryDirectory(prefix="newswire-mutants-") as folder:
        tree = Path(folder) / "newswire"
        tree.mkdir()
        for name in COPIED:
            source = REPOSITORY / name
            if source.is_dir():
                shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copyfile(source, tree / name)
        yield tree


def is_caught(mutant: Mutant, tree: Path, *, quick: bool) -> bool:
    """Whether a test fails; raises `ValueError` when the list is out of date, or the tests did not run."""
    file = tree / "newswire" / mutant.file
    sound = file.read_text(encoding="utf-8")
    tests = [f"tests/{name}" for name in mutant.tests.split()]
    some = ["-m", "not slow"] if quick or mutant.quick else []
    file.write_text(mutant.broken(sound), encoding="utf-8")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *some, *tests],
            cwd=tree, env={**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True, text=True, check=False, timeout=LONGEST_SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return True
    finally:
        file.write_text(sound, encoding="utf-8")
    if done.returncode not in (0, TESTS_FAILED):
        raise ValueError(
            f"{mutant.name}: pytest ended with {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    return done.returncode == TESTS_FAILED


def survivors(mutants: Sequence[Mutant], *, quick: bool) -> list[Mutant]:
    """Tries each, tells of it, and returns those that no test has noticed."""
    alive = []
    with copied_tree() as tree:
        for mutant in mutants:
            began = time.monotonic()
            caught = is_caught(mutant, tree, quick=quick)
            print(
                f"{'caught' if caught else 'SURVIVED':<8}  {time.monotonic() - began:5.1f} s  {mutant.name}", flush=True
            )
            if not caught:
                alive.append(mutant)
    return alive


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutants", description="Puts faults into the code, one by one."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="only the mutants with this in their names")
    parser.add_argument("--quick", action="store_true", help="only those that the quick part of the suite must notice")
    parser.add_argument("--list", action="store_true", help="print the names and run nothing")
    chosen = parser.parse_args()
    wanted = [
        mutant
        for mutant in MUTANTS
        if (mutant.quick or not chosen.quick) and all(name in mutant.name for name in chosen.names)
    ]
    if chosen.list:
        print(*(mutant.name for mutant in wanted), sep="\n")
        return 0
    try:
        alive = survivors(wanted, quick=chosen.quick)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{len(wanted) - len(alive)} of {len(wanted)} mutants were caught.")
    return 1 if alive else 0


if __name__ == "__main__":
    raise SystemExit(main())
