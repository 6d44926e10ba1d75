"""Kibana dashboards: described here in a few words (`boards/`), turned into saved objects, searches and pictures."""
