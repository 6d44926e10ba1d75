"""Documents -> Elasticsearch: bulk requests, answers by position, and what can never be indexed as dead letters."""
