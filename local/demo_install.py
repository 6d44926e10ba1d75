"""A local Elasticsearch -> everything of infra/elastic in place, put there by a user who may do no more than install.

What the local server lacks the modules for is left out of its copies (local/templates.py); a real cluster gets them as they are, from `python -m cli install`.
"""

from __future__ import annotations

from local.elasticsearch import INSTALLER_ROLE, LocalElasticsearch, User
from local.process import NotStarted
from local.templates import put_templates

PATIENCE = 120  # seconds for one request on a busy machine


def install_here(server: LocalElasticsearch) -> tuple[User, list[str]]:
    """Install as the installer's user; returns that user and the names of what was put."""
    user = server.add_user("installer", role=INSTALLER_ROLE)
    with server.client(user, request_timeout=PATIENCE) as client:
        names = put_templates(client)
    if not names:
        raise NotStarted("There are no templates in infra/elastic.")
    return user, names
