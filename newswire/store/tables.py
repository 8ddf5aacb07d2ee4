"""The tables, the same on SQLite and PostgreSQL. Those of the search index are in `newswire.search`.

Times are integers, milliseconds since 1970 in UTC. Rendered JSON is stored as bytes, which are joined into pages. The
migrations create the schema; a test compares it with these tables.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import TEXT

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
# SQLite assigns row numbers only to an INTEGER PRIMARY KEY, not to BIGINT.
Number = BigInteger().with_variant(Integer, "sqlite")
# Text that sorts by its bytes, as SQLite does, whatever the locale of the PostgreSQL database.
Bytewise = Text().with_variant(TEXT(collation="C"), "postgresql")

# A single row. `seq` and `chain` are those of the newest log entry. `revision` counts edits of publishers, partners,
# keys, feeds and subjects, so that no cached page survives them. `changed_at` is the last change of `seq` or
# `revision`.
head = Table(
    "head",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1", name="one_row"), primary_key=True, autoincrement=False),
    Column("wire", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("chain", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False, server_default="0"),
)

# The ids that the wire had before the one in the head, with the head at which each ended and why: `fork` where a
# process found that the log had lost entries, `renewed` by the operator.
former_wire = Table(
    "former_wire",
    metadata,
    Column("wire", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("chain", Text, nullable=False),
    Column("ended_at", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
)

# `mapping` is the number of the subject mapping in force: it counts the changes of the publisher's subject map and of
# the vocabulary. An article whose terms were made by it has the same number in `mapped`.
publisher = Table(
    "publisher",
    metadata,
    Column("id", Number, primary_key=True),
    Column("slug", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("url", Text),
    Column("language", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("mapping", Integer, nullable=False, server_default="0"),
)

partner = Table(
    "partner",
    metadata,
    Column("id", Number, primary_key=True),
    Column("slug", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

# Append-only. The newest row of a partner is in force. The older ones record what the partner could see before, so that
# it gets the kills of these articles. `since_seq` is the head's `seq` when the row was added.
entitlement = Table(
    "entitlement",
    metadata,
    Column("id", Number, primary_key=True),
    Column("partner_id", ForeignKey("partner.id"), nullable=False, index=True),
    Column("since_seq", BigInteger, nullable=False),
    Column("filter", JSON, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

# `digest` is the SHA-256 of the key, `hint` its first eight characters. A key with a `nonce` is a signing key, which is
# never sent; its `digest` is that of a discarded random key. `limits` are quotas as `newswire.quotas` writes them, null
# for the default ones.
api_key = Table(
    "api_key",
    metadata,
    Column("id", Number, primary_key=True),
    Column("digest", Text, nullable=False, unique=True),
    Column("hint", Text, nullable=False),
    Column("publisher_id", ForeignKey("publisher.id")),
    Column("partner_id", ForeignKey("partner.id")),
    Column("admin", Boolean, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("label", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
    Column("last_used_at", BigInteger),
    Column("nonce", Text),
    Column("limits", Text),
    CheckConstraint(
        "(publisher_id IS NOT NULL AND partner_id IS NULL AND NOT admin)"
        " OR (publisher_id IS NULL AND partner_id IS NOT NULL AND NOT admin)"
        " OR (publisher_id IS NULL AND partner_id IS NULL AND admin)",
        name="one_party",
    ),
)

# `number` is the order of first reception and breaks every tie. `published_at` is the time by which lists order the
# article; the served one is in its version (`newswire.article.date_version`). `version`, `status` and `seq` are those
# of the current state; `seq` is null while the log has no entry of the article. `due_at` is the time of its next
# release or expiry (`newswire.article.due_at`), null when there is none left.
article = Table(
    "article",
    metadata,
    Column("number", Number, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("publisher_id", ForeignKey("publisher.id"), nullable=False),
    Column("external_id", Text),
    Column("source_version", BigInteger),
    Column("version", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("seq", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("published_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("embargoed_until", BigInteger),
    Column("expires_at", BigInteger, index=True),
    Column("due_at", BigInteger, index=True),
    Column("mapped", Integer, nullable=False, server_default="0"),
    UniqueConstraint("publisher_id", "external_id"),
    Index(None, "status", "published_at", "number"),
    Index(None, "status", "updated_at", "number"),
)

# Imported articles without a date of their own: `published_at` is the one that the import gave them. A row says nothing
# any more once the article has another date (decision 0034).
undated = Table(
    "undated",
    metadata,
    Column("number", ForeignKey("article.number"), primary_key=True, autoincrement=False),
    Column("published_at", BigInteger, nullable=False),
)

# Written once, never changed, but for `terms`, the filter terms of the version, which a rebuild of the search index
# computes again (`newswire.search.rebuild`). `rendered` and `body` are the public JSON of the article without braces,
# `source` is the article as sent (for PATCH), which may be packed by these two (`document.pack_source`), `form` is the
# version of the stored form of the public JSON (`document.FORM`).
version = Table(
    "version",
    metadata,
    Column("number", ForeignKey("article.number"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("digest", Text, nullable=False),
    Column("terms", Text, nullable=False),
    Column("source", LargeBinary, nullable=False),
    Column("rendered", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("form", Integer, nullable=False, server_default="1"),
)

# The log. Only `newswire.wire` writes it.
entry = Table(
    "entry",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("type", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("number", ForeignKey("article.number"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    Column("chain", Text, nullable=False),
    Index(None, "number", "seq"),
)

# Idempotency keys, each with the fingerprint of its first request and the answer to it, null until that is known.
idempotency = Table(
    "idempotency",
    metadata,
    Column("publisher_id", ForeignKey("publisher.id"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("status", Integer),
    Column("facts", JSON),
    Column("answer", LargeBinary),
    Column("created_at", BigInteger, nullable=False, index=True),
)

# The languages of the stems in the search index. A query word is stemmed in each of them.
stemming_language = Table("stemming_language", metadata, Column("language", Text, primary_key=True))

# The spellings of the names of sections, keywords and authors, by filter term (`newswire.search.names`). Append-only.
# `words`, the sort key, are the folded words of the label with a blank before, between and after.
label = Table(
    "label",
    metadata,
    Column("term", Bytewise, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("words", Bytewise, nullable=False),
    Index(None, "kind", "words", "term"),
)

# The operator's dictionary as lines of rules, one row or none; `newswire.search.synonyms` says what a rule is.
synonyms = Table(
    "synonyms",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1", name="one_row"), primary_key=True, autoincrement=False),
    Column("rules", Text, nullable=False),
    Column("loaded_at", BigInteger, nullable=False),
)

# Positions in the log that the programs of a party stored, by name. `party` is `Caller.party`; `chain` is the chain
# value at `after`, null for positions stored before the column existed.
consumer = Table(
    "consumer",
    metadata,
    Column("party", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("after", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("wire", Text, nullable=False),
    Column("chain", Text),
)

# The vocabulary, IPTC Media Topics: `digest` is that of its broader relations, `released` the date that the file names.
vocabulary = Table(
    "vocabulary",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1", name="one_row"), primary_key=True, autoincrement=False),
    Column("digest", Text, nullable=False),
    Column("released", Text),
    Column("loaded_at", BigInteger, nullable=False),
)

# Its concepts by QCode, with their names by language, and the next broader concepts of each.
concept = Table(
    "concept",
    metadata,
    Column("code", Text, primary_key=True),
    Column("names", JSON, nullable=False),
    Column("retired", Boolean, nullable=False),
)
broader_concept = Table(
    "broader_concept",
    metadata,
    Column("code", ForeignKey("concept.code"), primary_key=True),
    Column("broader", ForeignKey("concept.code"), primary_key=True),
)

# Append-only, like `entitlement`: the newest row of a publisher is its subject map, a list of [kind, value, code].
subject_map = Table(
    "subject_map",
    metadata,
    Column("id", Number, primary_key=True),
    Column("publisher_id", ForeignKey("publisher.id"), nullable=False, index=True),
    Column("since_seq", BigInteger, nullable=False),
    Column("map", JSON, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

# The terms that a version on the log had before the subject map changed them, for the kills and removals that are due
# to those who could see it through them. `until_entitlement` is the newest row of `entitlement` at that time.
former_terms = Table(
    "former_terms",
    metadata,
    Column("id", Number, primary_key=True),
    Column("number", ForeignKey("article.number"), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("until_entitlement", BigInteger, nullable=False),
    Column("terms", Text, nullable=False),
)

# Saved queries. `party` is `Caller.party`; `query` maps names of URL parameters to their values; `token` is the SHA-256
# of the feed's token, null if it has none; `grammar` is the one that its `q` is read in (`search.tokens`).
feed = Table(
    "feed",
    metadata,
    Column("id", Number, primary_key=True),
    Column("party", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("title", Text),
    Column("query", JSON, nullable=False),
    Column("token", Text, unique=True),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("grammar", Integer, nullable=False, server_default="1"),
    UniqueConstraint("party", "name"),
)
