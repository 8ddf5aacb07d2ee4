"""Search: what a word is, what `q` means, the index of each engine, ranking and highlighting."""
