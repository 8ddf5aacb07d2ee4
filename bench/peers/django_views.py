"""Models, serializers and views of the Django application; `django_rest` sets Django up before this is imported."""

from typing import Any, ClassVar

from django.contrib.postgres.search import SearchQuery, SearchVectorField
from django.db import models, transaction
from django.db.models.functions import Now
from django.urls import path
from rest_framework import generics, serializers
from rest_framework.pagination import CursorPagination

from bench.peers.tables import OF_ARTICLE, OF_AUTHOR, OF_PICTURE


class Author(models.Model):
    name = models.TextField(unique=True)
    role = models.TextField(null=True)
    bio = models.TextField(null=True)
    url = models.TextField(null=True)
    avatar_url = models.TextField(null=True)

    class Meta:
        app_label, db_table, managed = "peers", "author", False


class Article(models.Model):
    external_id = models.TextField(unique=True)
    headline = models.TextField()
    summary = models.TextField(null=True)
    body_text = models.TextField(null=True)
    section = models.TextField(null=True)
    language = models.TextField(null=True)
    published_at = models.DateTimeField(db_default=Now())
    words = models.GeneratedField(expression=models.F("headline"), output_field=SearchVectorField(), db_persist=True)
    authors = models.ManyToManyField(Author, db_table="article_author")

    class Meta:
        app_label, db_table, managed = "peers", "article", False


class Picture(models.Model):
    article = models.ForeignKey(Article, models.CASCADE, related_name="images")
    url = models.TextField()
    caption = models.TextField(null=True)
    alt_text = models.TextField(null=True)
    credit = models.TextField(null=True)
    width = models.IntegerField(null=True)
    height = models.IntegerField(null=True)
    mime_type = models.TextField(null=True)

    class Meta:
        app_label, db_table, managed = "peers", "picture", False


class AuthorSerializer(serializers.ModelSerializer):
    class Meta:
        model, fields = Author, OF_AUTHOR
        # Authors are looked up by name: a known one is no fault.
        extra_kwargs: ClassVar[dict[str, Any]] = {"name": {"validators": []}}


class PictureSerializer(serializers.ModelSerializer):
    class Meta:
        model, fields = Picture, OF_PICTURE


class ArticleSerializer(serializers.ModelSerializer):
    authors = AuthorSerializer(many=True, required=False)
    images = PictureSerializer(many=True, required=False)

    class Meta:
        model = Article
        fields: tuple[str, ...] = ("id", *OF_ARTICLE, "published_at", "authors", "images")
        read_only_fields = ("published_at",)

    @transaction.atomic
    def create(self, content: dict[str, Any]) -> Article:
        authors, images = content.pop("authors", []), content.pop("images", [])
        article: Article = Article.objects.create(**content)
        known = {each.name: each for each in Author.objects.filter(name__in=[each["name"] for each in authors])}
        article.authors.set([known.get(each["name"]) or Author.objects.create(**each) for each in authors])
        Picture.objects.bulk_create(Picture(article=article, **each) for each in images)
        return article


class ListedSerializer(ArticleSerializer):
    class Meta(ArticleSerializer.Meta):
        fields = tuple(name for name in ArticleSerializer.Meta.fields if name != "body_text")


class Newest(CursorPagination):
    page_size = 50
    ordering = ("-published_at", "-id")


class Articles(generics.ListCreateAPIView):
    pagination_class = Newest

    def get_serializer_class(self) -> type[serializers.ModelSerializer]:
        return ListedSerializer if self.request.method == "GET" else ArticleSerializer

    def get_queryset(self) -> Any:
        found = Article.objects.defer("body_text", "words").prefetch_related("authors", "images")
        if "q" in self.request.query_params:
            query = SearchQuery(self.request.query_params["q"], search_type="websearch", config="simple")
            return found.filter(words=query)
        return found


class OneArticle(generics.RetrieveAPIView):
    queryset = Article.objects.defer("words").prefetch_related("authors", "images")
    serializer_class = ArticleSerializer


urlpatterns = [path("articles", Articles.as_view()), path("articles/<int:pk>", OneArticle.as_view())]
