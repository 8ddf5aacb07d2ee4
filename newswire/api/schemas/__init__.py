"""marshmallow schemas of query parameters and of responses."""
