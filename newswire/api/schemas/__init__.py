"""marshmallow schemas of query parameters and of responses. Those of articles as sent are in `newswire.schemas`."""
