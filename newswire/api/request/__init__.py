"""What a request says: its body, URL, conditions."""
