"""Articles as the documents that feed readers know: RSS, Atom, JSON Feed.

Each module here is one pure function from a `Channel` and articles, as `article.parsed` gives
them, to bytes. Which articles these are is decided by `listing`; nothing here reads a database.
"""
