"""The HTTP client of a wire as a library: requests, following changes, state and output files."""
