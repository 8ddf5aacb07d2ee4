"""Formats: bytes to an article and back. A format is one module or package here."""
