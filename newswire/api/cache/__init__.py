"""The page cache: its store (`pages`) and the WSGI middleware that answers from it (`middleware`)."""
