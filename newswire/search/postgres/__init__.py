"""The search index on PostgreSQL: one GIN index over lexemes of our own, walked in buckets of time."""
