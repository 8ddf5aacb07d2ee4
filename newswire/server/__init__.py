"""Everything that touches gunicorn: the supervisor and the worker class."""
