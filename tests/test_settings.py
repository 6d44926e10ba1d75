"""Settings: defaults, every way a value can make no sense, and the pages written from them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.backfill_settings import BackfillSettings
from shared.errors import Misconfigured
from shared.poll_settings import PollSettings, Tenant, poll_tenants, reference
from shared.setting_types import KEY_VAULT
from shared.settings import MOST_SHIP_SECONDS, Settings
from tools import write_settings

ROOT = Path(__file__).resolve().parent.parent
ENOUGH = {"ELASTICSEARCH_URL": "https://es.example.com:9200", "ELASTICSEARCH_API_KEY": "key-secret"}
NAMES = [item.metadata["name"] for item in reference()]


def refusal(**settings: str) -> Misconfigured:
    """The error that reading these settings, on top of enough ones, ends in."""
    with pytest.raises(Misconfigured) as raised:
        _ = (
            [group.read_all(ENOUGH | settings) for group in (PollSettings, Tenant, BackfillSettings)],
            Settings.read(ENOUGH | settings),
        )
    return raised.value


def test_two_settings_are_enough() -> None:
    """Where and with which key; everything else has a default."""
    settings = Settings.read(ENOUGH)

    assert settings.elasticsearch_url == ("https://es.example.com:9200",)
    assert settings.elasticsearch_api_key == "key-secret"
    assert settings.namespace == "default"
    assert settings.ship_seconds == 240.0
    assert settings.xdr_event_hub_names == ()
    assert settings.record_filter == ()


def test_blank_values_count_as_not_set() -> None:
    """The portal keeps emptied settings: they are the defaults."""
    assert Settings.read(ENOUGH | {name: "  " for name in NAMES if name not in ENOUGH}) == Settings.read(ENOUGH)


@pytest.mark.parametrize(
    ("field", "name", "raw", "value"),
    [
        ("elasticsearch_url", "ELASTICSEARCH_URL", " https://a:1/ , http://b/x/ ", ("https://a:1", "http://b/x")),
        ("elasticsearch_password", "ELASTICSEARCH_PASSWORD", " blanks count ", " blanks count "),
        ("bulk_compress", "BULK_COMPRESS", "Off", False),
        ("bulk_compress", "BULK_COMPRESS", " YES ", True),
        ("ship_seconds", "SHIP_SECONDS", "12.5", 12.5),
        ("bulk_max_documents", "BULK_MAX_DOCUMENTS", " 20000 ", 20_000),
        ("namespace", "NAMESPACE", "prod_eu", "prod_eu"),
        ("xdr_event_hub_names", "XDR_EVENT_HUB_NAMES", "a, ,b,", ("a", "b")),
        (
            "record_filter",
            "RECORD_FILTER",
            "DeviceEvents/Named Pipe =0.25, AlertInfo, DeviceInfo=1",
            (("DeviceEvents", "Named Pipe", 0.25), ("AlertInfo", None, 0.0), ("DeviceInfo", None, 1.0)),
        ),
    ],
)
def test_values_are_read(field: str, name: str, raw: str, value: object) -> None:
    """Blanks around values and empty list members do not matter; words for true and false are many."""
    assert Settings.read_one(field, {name: raw}) == value


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("ELASTICSEARCH_URL", "es.example.com:9200"),
        ("ELASTICSEARCH_URL", "https://ok, ftp://no"),
        ("ELASTICSEARCH_URL", "https://host/?pretty"),
        ("ELASTICSEARCH_TIMEOUT", "0"),
        ("ELASTICSEARCH_TIMEOUT", "nan"),
        ("ELASTICSEARCH_TIMEOUT", "soon"),
        ("ELASTICSEARCH_TIMEOUT", "inf"),
        ("NAMESPACE", "Prod"),
        ("NAMESPACE", "a-b"),
        ("NAMESPACE", "x" * 101),
        ("BULK_MAX_BYTES", "9999"),
        ("BULK_MAX_BYTES", "90000001"),
        ("BULK_MAX_BYTES", "4e6"),
        ("BULK_MAX_DOCUMENTS", "1.5"),
        ("BULK_CONCURRENCY", "17"),
        ("BULK_CONCURRENCY", "-1"),
        ("BULK_COMPRESS", "maybe"),
        ("SHIP_SECONDS", str(MOST_SHIP_SECONDS + 1)),
        ("PRESERVE_ORIGINAL_EVENT", "2"),
        ("PRESERVE_DUPLICATE_CUSTOM_FIELDS", "ja"),
        ("RECORD_FILTER", "Device Events"),
        ("RECORD_FILTER", "DeviceEvents=1.5"),
        ("RECORD_FILTER", "DeviceEvents=0.1.2"),
        ("RECORD_FILTER", "DeviceEvents/=0.1"),
        ("DEAD_LETTER_CONTAINER", "ab"),
        ("DEAD_LETTER_CONTAINER", "Dead"),
        ("STATE_CONTAINER", "a--b"),
        ("STATE_CONTAINER", "x" * 64),
    ],
)
def test_a_value_that_makes_no_sense_is_one_sentence_that_names_its_setting(name: str, raw: str) -> None:
    """Setting, value, what is wrong with it; a full stop; no second line."""
    error = refusal(**{name: raw})

    assert error.setting == name
    assert str(error).startswith(f"{name}: {raw!r} ")
    assert str(error).endswith(".")
    assert "\n" not in str(error)
    assert "invalid literal" not in str(error)
    assert "could not convert" not in str(error)


@pytest.mark.parametrize(
    ("settings", "name", "words"),
    [
        ({"ELASTICSEARCH_URL": ""}, "ELASTICSEARCH_URL", "is not set, and neither is ELASTICSEARCH_CLOUD_ID."),
        ({"ELASTICSEARCH_CLOUD_ID": "a:b"}, "ELASTICSEARCH_URL", "both set"),
        ({"ELASTICSEARCH_API_KEY": ""}, "ELASTICSEARCH_API_KEY", "is not set, and neither is ELASTICSEARCH_USERNAME."),
        ({"ELASTICSEARCH_USERNAME": "u"}, "ELASTICSEARCH_PASSWORD", "is not set, but ELASTICSEARCH_USERNAME is."),
        ({"ELASTICSEARCH_USERNAME": "u", "ELASTICSEARCH_PASSWORD": "p"}, "ELASTICSEARCH_API_KEY", "both set"),
        ({"ELASTICSEARCH_CA": "f", "ELASTICSEARCH_CA_FINGERPRINT": "00"}, "ELASTICSEARCH_CA", "both set"),
    ],
)
def test_settings_that_do_not_go_together_are_one_sentence(settings: dict[str, str], name: str, words: str) -> None:
    """What is missing, or which two contradict each other."""
    error = refusal(**settings)

    assert error.setting == name
    assert words in error.sentence


@pytest.mark.parametrize("name", NAMES)
def test_an_unresolved_key_vault_reference_is_told_as_such(name: str) -> None:
    """Azure leaves the reference itself in the variable when it can not follow it: never taken for a value."""
    error = refusal(**{name: f"{KEY_VAULT}SecretUri=https://vault/secrets/x)"})

    assert error.setting == name
    assert "Key Vault reference is not resolved" in error.sentence
    assert "vault/secrets" not in str(error)


def test_no_secret_is_shown() -> None:
    """Neither in the text of settings, nor in an error about an address with a password in it."""
    user = {"ELASTICSEARCH_API_KEY": "", "ELASTICSEARCH_USERNAME": "u", "ELASTICSEARCH_PASSWORD": "pass-secret"}
    shown = repr(Settings.read(ENOUGH)) + repr(Settings.read(ENOUGH | user))
    error = str(refusal(ELASTICSEARCH_URL="https://u:pass-secret@es.example.com"))

    assert "secret" not in shown
    assert "secret" not in error
    assert "settings of their own" in error


@given(st.dictionaries(st.sampled_from(NAMES), st.text(max_size=40)))
def test_anything_is_either_read_or_refused(settings: dict[str, str]) -> None:
    """Whatever stands in the app settings: settings, or Misconfigured that names one of ours in one line."""
    try:
        Settings.read(ENOUGH | settings)
    except Misconfigured as refused:
        error: Misconfigured | None = refused
    else:
        error = None

    assert error is None or error.setting in NAMES
    assert error is None or len(str(error).splitlines()) == 1


def test_the_example_file_is_whole_and_reads() -> None:
    """Every setting is in local.settings.example.json; its values go together and change nothing that is shipped."""
    values = json.loads((ROOT / write_settings.EXAMPLE).read_text(encoding="utf-8"))["Values"]
    settings = Settings.read(values)

    assert set(NAMES) <= set(values)
    assert settings.record_filter == ()
    assert values["FUNCTIONS_WORKER_RUNTIME"] == "python"


def test_every_setting_is_on_the_page_with_its_default() -> None:
    """docs/settings.md: one row per setting, none of them empty; secrets are marked."""
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", write_settings.page(), re.MULTILINE))

    assert set(NAMES) <= set(rows)
    assert rows["BULK_COMPRESS"].startswith("`true` | `true` or `false`")
    assert rows["SHIP_SECONDS"].startswith("`240` | A number from 1 to ")
    assert {name for name in NAMES if "*Secret.*" in rows[name]} == {
        "ELASTICSEARCH_API_KEY",
        "ELASTICSEARCH_PASSWORD",
        "CLIENT_SECRET",
        "CLIENT_CERTIFICATE",
        "CLIENT_CERTIFICATE_PASSWORD",
    }


ID, OTHER = "11111111-2222-3333-4444-555555555555", "22222222-2222-3333-4444-555555555555"


def test_tenants_share_what_is_written_once() -> None:
    """A tenant's own setting has its name before it; what it has not, the plain one says."""
    environment = {
        "CLIENT_ID": "app",
        "CONTOSO__TENANT_ID": ID,
        "CONTOSO__CLIENT_SECRET": "s3cret",
        "FABRIKAM__TENANT_ID": OTHER,
        "FABRIKAM__CREDENTIAL": "federated",
    }
    found = poll_tenants(PollSettings(tenants=("contoso", "fabrikam")), environment)
    assert (found["contoso"].id, found["contoso"].kind, found["contoso"].client_id) == (ID, "secret", "app")
    assert (found["fabrikam"].id, found["fabrikam"].kind, found["fabrikam"].client_id) == (OTHER, "federated", "app")
    assert "s3cret" not in repr(found)


@pytest.mark.parametrize(
    ("environment", "name", "words"),
    [
        ({}, "TENANT_ID", "not set"),
        ({"TENANT_ID": "a/b"}, "TENANT_ID", "neither"),
        ({"TENANT_ID": ID, "CREDENTIAL": "secret"}, "CLIENT_ID", "not set"),
        ({"TENANT_ID": ID, "CREDENTIAL": "secret", "CLIENT_ID": "a"}, "CLIENT_SECRET", "not set"),
        ({"TENANT_ID": ID, "CREDENTIAL": "certificate", "CLIENT_ID": "a"}, "CLIENT_CERTIFICATE", "not set"),
        ({"TENANT_ID": ID, "CREDENTIAL": "password"}, "CREDENTIAL", "none of"),
        ({"TENANTS": "a", "TENANT_ID": ID, "A__CREDENTIAL": "federated"}, "A__CLIENT_ID", "not set"),
        ({"TENANTS": "a, b", "TENANT_ID": ID}, "TENANTS", "same TENANT_ID"),
        ({"TENANTS": "a-b"}, "TENANTS", "single underscores"),
        ({"TENANTS": "a, A"}, "TENANTS", "twice"),
        ({"POLL_SOURCES": "alert, alarms"}, "POLL_SOURCES", "'alarms'"),
        ({"GRAPH_ENDPOINT": "http://graph.example.com"}, "GRAPH_ENDPOINT", "https"),
        ({"ALERT_SCHEDULE": "every day"}, "ALERT_SCHEDULE", "NCRONTAB"),
        ({"ALERT_PAGE_SIZE": "1001"}, "ALERT_PAGE_SIZE", "1000"),
        ({"ASSESSMENT_SCOPES": "resourceGroups/x"}, "ASSESSMENT_SCOPES", "resourceGroups/x"),
        ({"ASSESSMENT_SCOPES": "subscriptions/.."}, "ASSESSMENT_SCOPES", "neither"),
    ],
)
def test_a_poller_that_can_not_work_says_which_setting_is_wrong(
    environment: dict[str, str], name: str, words: str
) -> None:
    """One sentence that names the setting, the tenant's own where there are several."""
    with pytest.raises(Misconfigured) as raised:
        poll_tenants(PollSettings.read_all(environment), environment)
    assert raised.value.setting == name
    assert words in raised.value.sentence


def test_scopes_are_brought_to_one_form() -> None:
    """A bare subscription id, either kind of path, any letter case; each once."""
    read = PollSettings.read_all(
        {
            "ASSESSMENT_SCOPES": f"{ID.upper()}, /subscriptions/{ID}, managementGroups/Top, providers/Microsoft.Management/managementGroups/Top"
        }
    )
    assert read.assessment_scopes == (f"subscriptions/{ID}", "providers/Microsoft.Management/managementGroups/Top")


def test_written_files_are_fresh() -> None:
    """`python -m tools.write_settings --check` is content with what is committed."""
    done = subprocess.run(
        [sys.executable, "-m", "tools.write_settings", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_check_fails_on_a_stale_file_and_writing_mends_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A changed or missing file is named with what to run; after writing, the check is content."""
    assert write_settings.main(["--check"], tmp_path) == 1
    assert not list(tmp_path.iterdir())
    assert "docs/settings.md is stale: run python -m tools.write_settings" in capsys.readouterr().err

    assert write_settings.main([], tmp_path) == 0
    assert write_settings.main(["--check"], tmp_path) == 0
    (tmp_path / write_settings.EXAMPLE).write_text("{}")
    assert write_settings.main(["--check"], tmp_path) == 1
