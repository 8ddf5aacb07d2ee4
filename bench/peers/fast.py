"""FastAPI with SQLAlchemy: plain functions in threads, a session for each request, response models of pydantic.

After https://fastapi.tiangolo.com/tutorial/sql-databases/ (whose SQLModel is SQLAlchemy and pydantic; here are the
two themselves), with pages by `offset` and `limit` and no count, as there.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Query
from pydantic import BaseModel, ConfigDict
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session, defer

from bench.peers.tables import Article, received


class AuthorModel(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    name: str
    role: str | None = None
    bio: str | None = None
    url: str | None = None
    avatar_url: str | None = None


class PictureModel(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    url: str
    caption: str | None = None
    alt_text: str | None = None
    credit: str | None = None
    width: int | None = None
    height: int | None = None
    mime_type: str | None = None


class ArticleSent(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    external_id: str
    headline: str
    summary: str | None = None
    section: str | None = None
    language: str | None = None
    authors: list[AuthorModel] = []
    images: list[PictureModel] = []
    body_text: str | None = None


class ArticlePublic(ArticleSent):
    id: int
    published_at: datetime


class ArticleListed(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: int
    external_id: str
    headline: str
    summary: str | None
    section: str | None
    language: str | None
    published_at: datetime
    authors: list[AuthorModel]
    images: list[PictureModel]


def application(url: str) -> FastAPI:
    """The application on a database that is filled (`tables.fill`)."""
    engine = create_engine(url)
    app = FastAPI()

    def session() -> Iterator[Session]:
        with Session(engine) as opened:
            yield opened

    @app.get("/articles", response_model=list[ArticleListed])
    def articles(
        session: Annotated[Session, Depends(session)],
        q: str | None = None,
        offset: int = 0,
        limit: Annotated[int, Query(le=100)] = 100,
    ) -> Sequence[Article]:
        found = select(Article).options(defer(Article.body_text))
        if q is not None:
            found = found.where(Article.words.op("@@")(func.websearch_to_tsquery("simple", q)))
        newest = found.order_by(Article.published_at.desc(), Article.id.desc())
        return session.scalars(newest.offset(offset).limit(limit)).all()

    @app.get("/articles/{number}", response_model=ArticlePublic)
    def article(number: int, session: Annotated[Session, Depends(session)]) -> Article:
        found = session.get(Article, number)
        if found is None:
            raise HTTPException(status_code=404, detail="Article not found")
        return found

    @app.post("/articles", response_model=ArticlePublic, status_code=201)
    def publish(sent: ArticleSent, session: Annotated[Session, Depends(session)]) -> Article:
        article = received(session, sent.model_dump())
        session.commit()
        session.refresh(article)
        return article

    return app
