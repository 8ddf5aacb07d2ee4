"""Measurements and soaks of a running Newswire: real processes, over HTTP, on both engines.

`python -m bench` is the command. What it needs to start and end PostgreSQL and the server is
here too, and used by the tests, which run every soak with small numbers.
"""
