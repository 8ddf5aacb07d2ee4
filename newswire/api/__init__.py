"""The HTTP interface: route table, pipeline, views, and the schemas of requests and responses.

Begin with `routes` (the operations) and `pipeline` (the steps of a request). Nothing is imported here, so that a
command that needs only the schemas does not load Flask.
"""
