"""The tables of the peers on PostgreSQL, as an ORM sees them, and how articles come into them.

Authors and pictures are read with the page by `SELECT … IN`, as the manual of SQLAlchemy advises for lists
(https://docs.sqlalchemy.org/en/20/orm/queryguide/relationships.html#select-in-loading).
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, Computed, DateTime, ForeignKey, Index, Integer, Table, create_engine, func, select, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

TOGETHER = 500
OF_AUTHOR = ("name", "role", "bio", "url", "avatar_url")
OF_PICTURE = ("url", "caption", "alt_text", "credit", "width", "height", "mime_type")
OF_ARTICLE = ("external_id", "headline", "summary", "body_text", "section", "language")
WORDS = "to_tsvector('simple', headline || ' ' || coalesce(summary, '') || ' ' || coalesce(body_text, ''))"


class Base(DeclarativeBase):
    """The tables."""


article_author = Table(
    "article_author",
    Base.metadata,
    Column("id", Integer, primary_key=True),
    Column("article_id", ForeignKey("article.id"), index=True),
    Column("author_id", ForeignKey("author.id")),
)


class Author(Base):
    __tablename__ = "author"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str | None]
    bio: Mapped[str | None]
    url: Mapped[str | None]
    avatar_url: Mapped[str | None]


class Picture(Base):
    __tablename__ = "picture"
    id: Mapped[int] = mapped_column(primary_key=True)
    article_id: Mapped[int] = mapped_column(ForeignKey("article.id"), index=True)
    url: Mapped[str]
    caption: Mapped[str | None]
    alt_text: Mapped[str | None]
    credit: Mapped[str | None]
    width: Mapped[int | None]
    height: Mapped[int | None]
    mime_type: Mapped[str | None]


class Article(Base):
    __tablename__ = "article"
    id: Mapped[int] = mapped_column(primary_key=True)
    external_id: Mapped[str] = mapped_column(unique=True)
    headline: Mapped[str]
    summary: Mapped[str | None]
    body_text: Mapped[str | None]
    section: Mapped[str | None]
    language: Mapped[str | None]
    published_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    words: Mapped[Any] = mapped_column(TSVECTOR, Computed(WORDS, persisted=True), deferred=True)
    authors: Mapped[list[Author]] = relationship(secondary=article_author, lazy="selectin")
    images: Mapped[list[Picture]] = relationship(lazy="selectin")
    __table_args__ = (
        Index("article_newest", "published_at", "id"),
        Index("article_words", "words", postgresql_using="gin"),
    )


def received(session: Session, content: dict[str, Any]) -> Article:
    """A new article from JSON; its authors are looked up by name and made where they are missing."""
    sent = {each["name"]: each for each in content.get("authors", [])}
    known = {each.name: each for each in session.scalars(select(Author).where(Author.name.in_(sent)))} if sent else {}
    article = Article(
        **{name: content.get(name) for name in OF_ARTICLE},
        authors=[known.get(name) or Author(**part(each, OF_AUTHOR)) for name, each in sent.items()],
        images=[Picture(**part(each, OF_PICTURE)) for each in content.get("images", [])],
    )
    session.add(article)
    return article


def part(content: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: content.get(name) for name in names}


def fill(url: str, articles: Iterable[dict[str, Any]]) -> None:
    """Makes the tables and puts articles as Newswire serves them into them."""
    engine = create_engine(url)
    Base.metadata.create_all(engine)
    with Session(engine, autoflush=True) as session:
        for number, content in enumerate(articles, 1):
            article = received(session, content)
            article.published_at = datetime.fromisoformat(content["published_at"]).astimezone(UTC)
            if number % TOGETHER == 0:
                session.commit()
                session.expunge_all()
        session.commit()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    engine.dispose()
