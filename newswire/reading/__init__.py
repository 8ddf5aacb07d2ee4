"""Reading: lists, one article, relevance, stories, suggestions, facets, names, authors. Transactions are opened by the caller."""
