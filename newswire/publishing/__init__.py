"""Publishing: from a validated article to the log, in one transaction."""
