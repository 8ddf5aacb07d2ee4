"""The marshmallow schemas of articles as publishers send them, for HTTP and the command line.

Parameters and other bodies of HTTP requests have their schemas in `newswire.api.schemas`.
"""
