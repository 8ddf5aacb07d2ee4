"""Formats: what a publisher sends, turned into the article as sent. Pure functions, no database."""
