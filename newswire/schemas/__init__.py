"""marshmallow schemas of what publishers send, for HTTP and the command line."""
