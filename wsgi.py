"""The WSGI entry point: `gunicorn wsgi:app`, with settings from the environment."""

from newswire.app import create_app
from newswire.config import Settings

app = create_app(Settings.from_env())
