"""ninjs written: whatever an article holds, what is made of it is valid, and nothing of it is lost on the way back."""
