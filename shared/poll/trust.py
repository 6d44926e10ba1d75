"""A `requests` session that trusts the CA of the settings, whatever the environment names."""

from __future__ import annotations

import logging
import ssl
from typing import Any

from shared.errors import Misconfigured


def trusting(ca: str | None) -> Any:
    """A session; raises Misconfigured for a CA that can not be used. REQUESTS_CA_BUNDLE counts only where no CA is set: requests lets it override a session's own (psf/requests#3829)."""
    import requests

    if ca:
        try:
            ssl.create_default_context(cafile=ca)
        except OSError as error:  # an SSLError is one
            why = "holds no certificate as PEM" if isinstance(error, ssl.SSLError) else "is no file that can be read"
            raise Misconfigured("MICROSOFT_CA", f"{why}.") from None
    made = requests.Session()
    made.verify = ca or True
    merge = made.merge_environment_settings

    def own(url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        return merge(url, proxies, stream, ca if ca and verify is None else verify, cert)

    # On DEBUG it writes every address with its query, which for an export file is a signature.
    logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)
    made.merge_environment_settings = own  # type: ignore[method-assign]  # the one way to say so for every request of a session
    return made
