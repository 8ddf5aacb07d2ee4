"""Flask with flask-smorest, marshmallow and the ORM: schemas dump objects, pages are counted, tags are hashes.

After https://flask-smorest.readthedocs.io/en/latest/quickstart.html, its chapters "Pagination" (in the view
function) and "ETag", and "SQLAlchemy in Flask" (https://flask.palletsprojects.com/en/stable/patterns/sqlalchemy/).
"""

from typing import Any

from flask import Flask
from flask.views import MethodView
from flask_smorest import Api, Blueprint, abort
from marshmallow import EXCLUDE, Schema, fields
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import defer, scoped_session, sessionmaker

from bench.peers.tables import Article, received


class AuthorSchema(Schema):
    name = fields.String(required=True)
    role = fields.String(allow_none=True)
    bio = fields.String(allow_none=True)
    url = fields.Url(allow_none=True)
    avatar_url = fields.Url(allow_none=True)


class PictureSchema(Schema):
    url = fields.Url(required=True)
    caption = fields.String(allow_none=True)
    alt_text = fields.String(allow_none=True)
    credit = fields.String(allow_none=True)
    width = fields.Integer(allow_none=True)
    height = fields.Integer(allow_none=True)
    mime_type = fields.String(allow_none=True)


class ListedSchema(Schema):
    id = fields.Integer(dump_only=True)
    external_id = fields.String(required=True)
    headline = fields.String(required=True)
    summary = fields.String(allow_none=True)
    section = fields.String(allow_none=True)
    language = fields.String(allow_none=True)
    published_at = fields.AwareDateTime(dump_only=True)
    authors = fields.List(fields.Nested(AuthorSchema))
    images = fields.List(fields.Nested(PictureSchema))


class ArticleSchema(ListedSchema):
    class Meta:
        unknown = EXCLUDE

    body_text = fields.String(allow_none=True)


class SearchSchema(Schema):
    q = fields.String()


articles = Blueprint("articles", "articles", url_prefix="/articles", description="Articles")
sessions = scoped_session(sessionmaker())


@articles.route("")
class Articles(MethodView):
    @articles.etag
    @articles.arguments(SearchSchema, location="query")
    @articles.response(200, ListedSchema(many=True))
    @articles.paginate()
    def get(self, search: dict[str, str], pagination_parameters: Any) -> Any:
        found = select(Article)
        if "q" in search:
            found = found.where(Article.words.op("@@")(func.websearch_to_tsquery("simple", search["q"])))
        pagination_parameters.item_count = sessions.scalar(select(func.count()).select_from(found.subquery()))
        newest = found.order_by(Article.published_at.desc(), Article.id.desc()).options(defer(Article.body_text))
        page = newest.offset(pagination_parameters.first_item).limit(pagination_parameters.page_size)
        return sessions.scalars(page).all()

    @articles.arguments(ArticleSchema)
    @articles.response(201, ArticleSchema)
    def post(self, content: dict[str, Any]) -> Any:
        article = received(sessions(), content)
        sessions.commit()
        return article


@articles.route("/<int:number>")
class OneArticle(MethodView):
    @articles.etag
    @articles.response(200, ArticleSchema)
    def get(self, number: int) -> Any:
        return sessions.get(Article, number) or abort(404)


def application(url: str) -> Flask:
    """The application on a database that is filled (`tables.fill`)."""
    sessions.configure(bind=create_engine(url))
    app = Flask(__name__)
    app.config |= {"API_TITLE": "Articles", "API_VERSION": "v1", "OPENAPI_VERSION": "3.0.2"}
    app.teardown_appcontext(lambda error: sessions.remove())
    Api(app).register_blueprint(articles)
    return app
