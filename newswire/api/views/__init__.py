"""The views: what is behind each route."""
