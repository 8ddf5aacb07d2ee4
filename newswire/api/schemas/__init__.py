"""The marshmallow schemas: what may be sent, what may be asked, and what is served."""
