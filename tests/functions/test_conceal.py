"""No secret in what is logged, answered or given to the host, whatever failed."""

from __future__ import annotations

import base64
import traceback

import pytest

from functions.conceal import conceal, harmless
from shared.errors import ForwarderError, Misconfigured, Retry
from shared.poll_settings import reference

STORAGE = "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=c3RvcmFnZS1zZWNyZXQ=;EndpointSuffix=core.windows.net"
ENVIRONMENT = {
    "ELASTICSEARCH_API_KEY": "a2V5LXNlY3JldA==",
    "ELASTICSEARCH_USERNAME": "shipper",
    "ELASTICSEARCH_PASSWORD": "password-secret",
    "AzureWebJobsStorage": STORAGE,
    "STORAGE": "OURS",
    "OURS": "BlobEndpoint=https://x;SharedAccessSignature=sv=1&sig=ours-secret",
    "XDR_EVENT_HUB": "Endpoint=sb://n/;SharedAccessKeyName=listen;SharedAccessKey=aHViLXNlY3JldA==",
}
SECRETS = [
    ENVIRONMENT["ELASTICSEARCH_API_KEY"],
    "password-secret",
    base64.b64encode(b"shipper:password-secret").decode(),
    STORAGE,
    "c3RvcmFnZS1zZWNyZXQ=",
    "sv=1&sig=ours-secret",
    "aHViLXNlY3JldA==",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_hidden_wherever_it_stands(secret: str) -> None:
    """Values of secret settings, connection strings, the keys in them, and a Basic header."""
    shown = conceal(f"failed with {secret}, again {secret!r}", ENVIRONMENT)

    assert secret not in shown
    assert shown.startswith("failed with (hidden), again")


def test_keys_and_signatures_are_hidden_by_their_form_too() -> None:
    """A key that is in no setting, as in another account's address, does not show either."""
    shown = conceal("AccountKey=abc123== and https://x/y?sv=1&sig=s3cr3t%3D&se=2", {})

    assert shown == "AccountKey=(hidden) and https://x/y?sv=1&sig=(hidden)&se=2"


def test_every_secret_setting_is_covered() -> None:
    """A setting marked secret is hidden without a word in conceal.py."""
    for item in reference():
        if item.metadata["secret"]:
            name = item.metadata["name"]
            assert "some-long-value" not in conceal("a some-long-value b", {name: "some-long-value"}), name


def test_harmless_errors_come_out_as_they_are() -> None:
    """Nothing to hide: the very same exception, with its causes."""
    error = Retry("Elasticsearch did not answer in time")

    assert harmless(error, ENVIRONMENT) is error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Retry("no: password-secret"), Retry),
        (Misconfigured("ELASTICSEARCH_URL", "no: password-secret"), Misconfigured),
        (RuntimeError("no: password-secret"), ForwarderError),
    ],
)
def test_an_error_that_shows_a_secret_is_replaced_by_one_of_its_kind(error: Exception, kind: type[Exception]) -> None:
    """What the caller does next stays the same, the text is clean, and the causes do not come along."""
    try:
        try:
            raise ValueError("deep down: password-secret")
        except ValueError as cause:
            raise error from cause
    except (ForwarderError, RuntimeError) as caught:
        shown = harmless(caught, ENVIRONMENT)
        with pytest.raises(kind) as raised:
            raise shown from None

    assert type(raised.value) is kind
    assert "(hidden)" in str(raised.value)
    assert "password-secret" not in "".join(traceback.format_exception(raised.value))


def test_a_secret_in_a_cause_alone_is_enough() -> None:
    """The host logs the whole chain, so the chain is looked at."""
    try:
        try:
            raise ValueError("password-secret")
        except ValueError as cause:
            raise Retry("can not be reached") from cause
    except Retry as caught:
        shown, same = harmless(caught, ENVIRONMENT), caught

    assert shown is not same
    assert "password-secret" not in str(shown)
    assert shown.__cause__ is None
