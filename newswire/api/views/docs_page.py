"""Pages for people: the style and script of the API reference, and the demo's sample pictures."""

from pathlib import Path

from flask import Flask, Response, send_from_directory
from swagger_ui_bundle import swagger_ui_path
from werkzeug.exceptions import NotFound

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
OPEN_ENDPOINTS = frozenset(
    {"api-docs.openapi_json", "api-docs.openapi_swagger_ui", "reference_asset", "sample_picture"}
)
"""Endpoints outside the route table; all of them are open to everyone."""


def register(app: Flask, *, samples: bool) -> None:
    """Adds the files of the reference page at /docs/assets and, for the demo, pictures at /samples."""
    app.add_url_rule("/docs/assets/<path:name>", "reference_asset", reference_asset)
    if samples:
        app.add_url_rule("/samples/<path:name>", "sample_picture", sample_picture)


def reference_asset(name: str) -> Response:
    if not name.endswith((".css", ".js", ".png")):
        raise NotFound
    return kept(send_from_directory(swagger_ui_path, name))


def sample_picture(name: str) -> Response:
    return kept(send_from_directory(SAMPLES, name))


def kept(response: Response) -> Response:
    response.headers["Cache-Control"] = "public, max-age=86400"
    return response
