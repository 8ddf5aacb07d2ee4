"""Reading requests: the body, our own URLs, and the conditional headers."""
