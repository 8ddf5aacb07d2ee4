"""The WSGI entry point for a server of your own: `gunicorn wsgi:app`, with settings from the environment.

`newswire serve` does without it: it runs the same application, and the worker beside it.
"""

from newswire import logs
from newswire.app import create_app
from newswire.config import Settings

settings = Settings.from_env()
logs.configure_logging(settings.log_level)
app = create_app(settings)
