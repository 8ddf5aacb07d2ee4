"""HTML: the sanitiser of bodies, their plain text, and one article as a page."""
