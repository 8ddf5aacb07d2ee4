"""The Flask application, which finds what partners ask for all day without its router.

To match an address and what Flask does around it takes longer than to find an article. What is asked for and how
it is answered is the same either way.
"""

import re
from collections.abc import Callable
from typing import Any

from flask import Flask, Request, request
from werkzeug.routing import MapAdapter

LISTS = {"/v1/articles": "Reading.list_articles", "/v1/changes": "Reading.list_changes"}
ARTICLE = re.compile(r"/v1/articles/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
FOUND = "newswire.view"


class Application(Flask):
    """Flask; none of the views is a coroutine."""

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        if request is not None and request.method == "GET" and (found := self._found(request.environ["PATH_INFO"])):
            request.environ[FOUND] = found
            return None
        return super().create_url_adapter(request)

    def dispatch_request(self) -> Any:
        found = request.environ.get(FOUND)
        if found is None:
            return super().dispatch_request()
        view, address = found
        return view(**address)

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func

    def _found(self, path: str) -> tuple[Callable[..., Any], dict[str, str]] | None:
        if path in LISTS:
            return self.view_functions[LISTS[path]], {}
        article = ARTICLE.fullmatch(path)
        return article and (self.view_functions["Reading.read_article"], {"article_id": article[1]})
