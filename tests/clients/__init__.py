"""Generated clients and Prism as judges of the OpenAPI document. `make judge-clients` runs them; the suite does not."""
