"""The doors out: every one is a query, a visibility and the log, joined from stored bytes."""
