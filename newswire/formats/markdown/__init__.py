"""Markdown: the form of an article with YAML front matter, read and written."""
