"""An error's text -> the same without secrets, before it is logged, answered or given to the host."""

from __future__ import annotations

import base64
import re
import traceback
from collections.abc import Iterator, Mapping

from shared.errors import ForwarderError, Misconfigured, Retry
from shared.poll_settings import reference

HIDDEN = "(hidden)"
SHORTEST = 6  # shorter values would blot out ordinary words
SECRET_PART = re.compile(r"(?:AccountKey|SharedAccessKey|SharedAccessSignature|Password)=([^;\s]+)", re.IGNORECASE)
CONNECTIONS = ("AzureWebJobsStorage", "XDR_EVENT_HUB", "CLOUD_EVENT_HUB", "APPLICATIONINSIGHTS_CONNECTION_STRING")


def secrets(environment: Mapping[str, str]) -> Iterator[str]:
    """Every value in `environment` that is secret: settings marked so, connection strings and the keys in them."""
    accounts = (environment.get(name, "").strip() for name in ("STORAGE", "BACKFILL_STORAGE"))
    secret = tuple(item.metadata["name"] for item in reference() if item.metadata["secret"])
    for name, value in environment.items():
        if name.rpartition("__")[2] in secret:  # a tenant's own has its name before it: CONTOSO__CLIENT_SECRET
            yield value
    user = f"{environment.get('ELASTICSEARCH_USERNAME', '')}:{environment.get('ELASTICSEARCH_PASSWORD', '')}"
    yield base64.b64encode(user.encode()).decode()  # as it stands in a request's header
    for name in (*CONNECTIONS, *accounts):
        value = environment.get(name, "")
        yield value
        yield from SECRET_PART.findall(value)


def conceal(text: str, environment: Mapping[str, str]) -> str:
    """`text` with every secret of `environment`, and every key or signature that looks like one, made unreadable."""
    values = {value.strip() for value in secrets(environment)}
    for value in sorted((value for value in values if len(value) >= SHORTEST), key=len, reverse=True):
        text = text.replace(value, HIDDEN)
    text = SECRET_PART.sub(lambda match: match[0].replace(match[1], HIDDEN), text)
    return re.sub(r"([?&]sig=)[^&\s'\"]+", rf"\g<1>{HIDDEN}", text)


def harmless(error: Exception, environment: Mapping[str, str]) -> Exception:
    """`error` itself if neither it nor what led to it shows a secret; else one of its kind that says the same without.

    The host logs what it is given with its whole chain of causes, so the new one has none.
    """
    whole = "".join(traceback.format_exception(error))
    if conceal(whole, environment) == whole:
        return error
    clean: Exception
    if isinstance(error, Misconfigured):
        clean = Misconfigured(error.setting, conceal(error.sentence, environment))
    elif isinstance(error, Retry):
        clean = Retry(conceal(str(error), environment))
    else:
        clean = ForwarderError(f"{type(error).__name__}: {conceal(str(error), environment)}")
    clean.__suppress_context__ = True
    return clean.with_traceback(error.__traceback__)
