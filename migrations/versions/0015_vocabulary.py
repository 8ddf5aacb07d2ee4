"""The tables of the vocabulary and of subject maps, and the numbers of the maps by which terms were made."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("publisher", sa.Column("mapping", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("article", sa.Column("mapped", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "vocabulary",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("released", sa.Text(), nullable=True),
        sa.Column("loaded_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name="ck_vocabulary_one_row"),
        sa.PrimaryKeyConstraint("id", name="pk_vocabulary"),
    )
    op.create_table(
        "concept",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("names", sa.JSON(), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code", name="pk_concept"),
    )
    op.create_table(
        "broader_concept",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("broader", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["code"], ["concept.code"], name="fk_broader_concept_code_concept"),
        sa.ForeignKeyConstraint(["broader"], ["concept.code"], name="fk_broader_concept_broader_concept"),
        sa.PrimaryKeyConstraint("code", "broader", name="pk_broader_concept"),
    )
    op.create_table(
        "subject_map",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("publisher_id", NUMBER, nullable=False),
        sa.Column("since_seq", sa.BigInteger(), nullable=False),
        sa.Column("map", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["publisher_id"], ["publisher.id"], name="fk_subject_map_publisher_id_publisher"),
        sa.PrimaryKeyConstraint("id", name="pk_subject_map"),
    )
    op.create_index("ix_subject_map_publisher_id", "subject_map", ["publisher_id"])
    op.create_table(
        "former_terms",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("until_entitlement", sa.BigInteger(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["number"], ["article.number"], name="fk_former_terms_number_article"),
        sa.PrimaryKeyConstraint("id", name="pk_former_terms"),
    )
    op.create_index("ix_former_terms_number", "former_terms", ["number"])
