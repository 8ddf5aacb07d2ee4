"""The page cache and the cache of authenticated callers."""
