"""Reading: lists, one article, relevance, facets, names, authors. Transactions are opened by the caller."""
