"""infra/elastic/ -> Elasticsearch and Kibana: what is wanted, what is there, the steps between, carried out or only shown.

wanted (files and choices) + found (the cluster, asked) -> plan (pure) -> carry_out, or show.
"""
