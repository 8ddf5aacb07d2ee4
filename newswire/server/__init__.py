"""The server processes: all code that imports gunicorn, and the event loop that owns the connections.

`supervisor` holds gunicorn's master process and its settings, `gunicorn_worker` the worker class of the web
processes, `gunicorn_patches` the internals of gunicorn that are replaced. tests/server/test_gunicorn_seams.py pins
every internal of gunicorn that these and `exchange` rely on.

    event_loop      waits for all clients at once: receives, sends, closes, by the deadlines of `bounds`
    acceptor        new connections, and which ones are closed to make room for them
    connection      the state of one connection, and the socket that gunicorn's response writes to
    exchange        one request in a thread: parser, admission of the body, application
    request_body    a body while it is received, decoded by `chunked`
    refusals        the responses to what is no request
"""
