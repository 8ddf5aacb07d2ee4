"""The first schema: head, log, articles with their versions, parties, keys, and the search index of each engine."""

import uuid

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FIELDS = ("headline", "summary", "body", "caption", "byline")
COLUMNS = ", ".join((*FIELDS, *(f"{field}_stems" for field in FIELDS), "terms"))
SEARCH_SQLITE = (
    "CREATE TABLE search_place (position INTEGER PRIMARY KEY, number BIGINT NOT NULL UNIQUE)",
    f"CREATE VIRTUAL TABLE search_index USING fts5({COLUMNS}, tokenize = \"ascii tokenchars '_'\")",
)
SEARCH_POSTGRES = (
    "CREATE TABLE search_document (number BIGINT PRIMARY KEY, published_at BIGINT NOT NULL,"
    " words tsvector NOT NULL, forms text[] NOT NULL)",
    "CREATE INDEX ix_search_document_words ON search_document USING gin (words)",
    "CREATE INDEX ix_search_document_published_at ON search_document (published_at, number)",
)


def upgrade() -> None:
    tables()
    for statement in SEARCH_SQLITE if op.get_bind().dialect.name == "sqlite" else SEARCH_POSTGRES:
        op.execute(statement)
    wire = uuid.uuid4()
    op.execute(f"INSERT INTO head (id, wire, seq, chain, revision) VALUES (1, '{wire}', 0, '{'0' * 64}', 0)")


def tables() -> None:
    op.create_table(
        "head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("wire", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_head"),
    )
    op.create_table(
        "partner",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_partner"),
        sa.UniqueConstraint("slug", name="uq_partner_slug"),
    )
    op.create_table(
        "publisher",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_publisher"),
        sa.UniqueConstraint("slug", name="uq_publisher_slug"),
    )
    op.create_table(
        "stemming_language",
        sa.Column("language", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("language", name="pk_stemming_language"),
    )
    op.create_table(
        "api_key",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("publisher_id", NUMBER, nullable=True),
        sa.Column("partner_id", NUMBER, nullable=True),
        sa.Column("admin", sa.Boolean(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(publisher_id IS NOT NULL AND partner_id IS NULL AND NOT admin)"
            " OR (publisher_id IS NULL AND partner_id IS NOT NULL AND NOT admin)"
            " OR (publisher_id IS NULL AND partner_id IS NULL AND admin)",
            name="ck_api_key_one_party",
        ),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name="fk_api_key_partner_id_partner"),
        sa.ForeignKeyConstraint(["publisher_id"], ["publisher.id"], name="fk_api_key_publisher_id_publisher"),
        sa.PrimaryKeyConstraint("id", name="pk_api_key"),
        sa.UniqueConstraint("digest", name="uq_api_key_digest"),
    )
    op.create_table(
        "article",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("publisher_id", NUMBER, nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("source_version", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("embargoed_until", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["publisher_id"], ["publisher.id"], name="fk_article_publisher_id_publisher"),
        sa.PrimaryKeyConstraint("number", name="pk_article"),
        sa.UniqueConstraint("id", name="uq_article_id"),
        sa.UniqueConstraint("publisher_id", "external_id", name="uq_article_publisher_id_external_id"),
    )
    op.create_index("ix_article_expires_at", "article", ["expires_at"], unique=False)
    op.create_index(
        "ix_article_status_published_at_number", "article", ["status", "published_at", "number"], unique=False
    )
    op.create_index("ix_article_status_updated_at_number", "article", ["status", "updated_at", "number"], unique=False)
    op.create_table(
        "entitlement",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("partner_id", NUMBER, nullable=False),
        sa.Column("since_seq", sa.BigInteger(), nullable=False),
        sa.Column("filter", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name="fk_entitlement_partner_id_partner"),
        sa.PrimaryKeyConstraint("id", name="pk_entitlement"),
    )
    op.create_index("ix_entitlement_partner_id", "entitlement", ["partner_id"], unique=False)
    op.create_table(
        "idempotency",
        sa.Column("publisher_id", NUMBER, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["publisher_id"], ["publisher.id"], name="fk_idempotency_publisher_id_publisher"),
        sa.PrimaryKeyConstraint("publisher_id", "key", name="pk_idempotency"),
    )
    op.create_index("ix_idempotency_created_at", "idempotency", ["created_at"], unique=False)
    op.create_table(
        "entry",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("chain", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["number"], ["article.number"], name="fk_entry_number_article"),
        sa.PrimaryKeyConstraint("seq", name="pk_entry"),
    )
    op.create_index("ix_entry_number_seq", "entry", ["number", "seq"], unique=False)
    op.create_table(
        "version",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("source", sa.LargeBinary(), nullable=False),
        sa.Column("rendered", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["number"], ["article.number"], name="fk_version_number_article"),
        sa.PrimaryKeyConstraint("number", "version", name="pk_version"),
    )
