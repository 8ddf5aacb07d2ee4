"""Reading: lists, one article, relevance, stories, suggestions, facets, names. The caller opens the transactions."""
