"""HTTP: what is behind each address, and the schemas of what comes and goes.

Nothing is imported here: a command that only needs the schemas loads no web framework. The route table is `routes`.
"""
