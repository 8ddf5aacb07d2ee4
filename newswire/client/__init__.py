"""The HTTP client of a wire as a library: requests, following changes, state and output files.

Failures are exceptions of the class below, notices and progress go to functions that the caller hands in: nothing
here prints, or knows of a command line.
"""


class ClientError(Exception):
    """What was asked of the client cannot be done; the text is one sentence for its user."""
