"""The server processes: all code that imports gunicorn.

`supervisor` holds gunicorn's master process and its settings, `gunicorn_worker` the worker class of the web
processes, `gunicorn_patches` the internals of gunicorn that are replaced. tests/server/test_gunicorn_seams.py pins
every internal of gunicorn that these three rely on.
"""
