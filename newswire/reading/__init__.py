"""Reading: lists, one article, relevance, stories, suggestions, facets, authors. Its callers open the transactions."""
