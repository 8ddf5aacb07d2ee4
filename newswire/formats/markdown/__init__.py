"""Markdown with YAML front matter: the reader and the writer."""
