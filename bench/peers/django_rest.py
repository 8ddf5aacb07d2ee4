"""Django REST framework with cursor pagination and prefetched relations.

After https://www.django-rest-framework.org/tutorial/3-class-based-views/ (generic views), its API guide on
`CursorPagination`, and the manual of Django: `prefetch_related`, full text search (`SearchQuery` on a
`SearchVectorField` with a GIN index), persistent connections, conditional GET.
"""

from typing import Any

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from sqlalchemy import make_url

MIDDLEWARE = ("django.middleware.http.ConditionalGetMiddleware", "django.middleware.common.CommonMiddleware")


def application(url: str) -> Any:
    """The application on a database that is filled (`tables.fill`)."""
    place = make_url(url)
    database = {
        "ENGINE": "django.db.backends.postgresql", "NAME": place.database, "USER": place.username or "",
        "HOST": place.query.get("host") or place.host or "", "CONN_MAX_AGE": None,
    }  # fmt: skip
    settings.configure(
        ALLOWED_HOSTS=["*"],
        DATABASES={"default": database},
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        INSTALLED_APPS=["django.contrib.postgres", "rest_framework", "bench.peers"],
        MIDDLEWARE=list(MIDDLEWARE),
        REST_FRAMEWORK={
            "DEFAULT_AUTHENTICATION_CLASSES": [], "DEFAULT_PERMISSION_CLASSES": [], "UNAUTHENTICATED_USER": None,
            "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        },
        ROOT_URLCONF="bench.peers.django_views",
        TIME_ZONE="UTC",
        USE_TZ=True,
    )  # fmt: skip
    django.setup()
    return get_wsgi_application()
