"""Changes: the log on its way out, as pages, long polls and streams."""
