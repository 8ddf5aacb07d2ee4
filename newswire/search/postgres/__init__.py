"""The search index on PostgreSQL: a GIN index over lexemes of our own, searched one time bucket after the other."""
