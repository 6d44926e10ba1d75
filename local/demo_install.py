"""A local Elasticsearch -> everything of infra/elastic in place, put there by `python -m cli install`'s own code and a user who may do no more than that.

What the local server lacks the modules for is left out of its copies (local/templates.py); a real cluster gets the files as they are.
"""

from __future__ import annotations

from cli.install.run import install_into
from cli.install.steps import Step
from local.elasticsearch import INSTALLER_ROLE, LocalElasticsearch, User
from local.process import NotStarted
from local.templates import adapt_template

PATIENCE = "120"  # seconds for one request on a busy machine


def install_here(server: LocalElasticsearch) -> tuple[User, list[Step]]:
    """Install as the installer's user; returns that user and what was done. Raises NotStarted where there is nothing to install."""
    user = server.add_user("installer", role=INSTALLER_ROLE)
    settings = server.app_settings(user) | {"ELASTICSEARCH_TIMEOUT": PATIENCE}
    steps = list(install_into(settings, adapt=adapt_template))
    if not any(step.state == "new" for step in steps):
        raise NotStarted("There are no templates in infra/elastic.")
    return user, steps
