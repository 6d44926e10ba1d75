"""What the host is told: triggers, bindings and retry policies, as Microsoft's own runtime reads them from the app."""

from __future__ import annotations

from pathlib import Path

import pytest

from functions.hubs import faults, triggers
from tests.functions.app_process import run_app

BOTH = {"XDR_EVENT_HUB_NAMES": "defender-xdr", "CLOUD_EVENT_HUB_NAMES": "for-cloud", "CLOUD_CONSUMER_GROUP": "ecs"}
WRONG_APP = """
import azure.functions as func
app = func.FunctionApp()

@app.function_name("stream")
@app.event_hub_message_trigger(arg_name="events", event_hub_name="h", connection="H", cardinality="many")
async def stream(events: list[func.EventHubEvent]) -> None:
    pass
"""


def binding(connection: str, hub: str, group: str) -> dict[str, str]:
    """An event hub binding as the host must get it."""
    return {
        "direction": "IN",
        "dataType": "BINARY",
        "type": "eventHubTrigger",
        "name": "events",
        "connection": connection,
        "eventHubName": hub,
        "cardinality": "MANY",
        "consumerGroup": group,
    }


def test_bindings_and_retry_policies_are_what_keeps_batches_safe() -> None:
    """Both hubs: cardinality many, binary, their consumer group, retry for ever; health: GET with a function key."""
    functions = run_app(BOTH).functions

    assert set(functions) == {"xdr_stream", "defender_cloud_stream", "health", "status"}
    assert functions["xdr_stream"]["bindings"] == [binding("XDR_EVENT_HUB", "defender-xdr", "$Default")]
    assert functions["defender_cloud_stream"]["bindings"] == [binding("CLOUD_EVENT_HUB", "for-cloud", "ecs")]
    for name in ("xdr_stream", "defender_cloud_stream"):
        assert functions[name]["retry"] == ["exponential_backoff", -1, 5.0, 120.0]
    assert functions["health"]["bindings"][0] == {
        "direction": "IN",
        "type": "httpTrigger",
        "name": "request",
        "methods": ["GET"],
        "authLevel": "FUNCTION",
        "route": "health",
    }
    assert functions["health"]["retry"] is None


def test_without_hub_names_only_health_and_status_are_there() -> None:
    """An empty list declares no trigger, so the host does not fail on a hub without a name."""
    assert set(run_app({"XDR_EVENT_HUB_NAMES": " , "}).functions) == {"health", "status"}


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (
            {"ELASTICSEARCH_URL": "nonsense", "SHIP_SECONDS": "soon"},
            {"health", "status", "xdr_stream", "defender_cloud_stream"},
        ),
        ({"XDR_EVENT_HUB_NAMES": "@Microsoft.KeyVault(SecretUri=x)"}, {"health", "status", "defender_cloud_stream"}),
        ({"CLOUD_CONSUMER_GROUP": "@Microsoft.KeyVault(SecretUri=x)"}, {"health", "status", "xdr_stream"}),
    ],
)
def test_a_wrong_setting_never_hides_the_health_function(wrong: dict[str, str], expected: set[str]) -> None:
    """Indexing goes well whatever the settings hold, and health is there to say what is wrong."""
    ran = run_app(BOTH | wrong)

    assert ran.refused is None
    assert set(ran.functions) == expected


def test_the_runtime_still_refuses_builtin_list_so_the_annotation_must_stay(tmp_path: Path) -> None:
    """The trap behind `typing.List` in functions/event_hub.py: `list[...]` is refused at load."""
    (tmp_path / "function_app.py").write_text(WRONG_APP)

    refused = run_app({}, folder=tmp_path).refused

    assert refused is not None
    assert "invalid non-type annotation list[" in refused


def test_several_hubs_have_one_function_each_with_names_that_differ() -> None:
    """The first has the plain name, others end in the hub's; a hub named twice is read once."""
    found = triggers({"XDR_EVENT_HUB_NAMES": "first, second-hub, second.hub, first, Third_Hub"})

    assert [(trigger.function, trigger.hub) for trigger in found] == [
        ("xdr_stream", "first"),
        ("xdr_stream_second_hub", "second-hub"),
        ("xdr_stream_second_hub_2", "second.hub"),
        ("xdr_stream_third_hub", "Third_Hub"),
    ]


def test_long_hub_names_make_function_names_that_azure_takes() -> None:
    """Hub names may have 256 characters, function names 127 of letters, digits and underscores."""
    found = triggers({"CLOUD_EVENT_HUB_NAMES": ",".join(("x", "a" * 256, "a" * 255 + "b"))})

    names = [trigger.function for trigger in found]
    assert len(set(names)) == 3
    assert all(len(name) <= 127 and name.replace("_", "").isalnum() for name in names)


def test_nothing_is_left_for_the_host_to_look_up_unless_a_name_says_so() -> None:
    """The host can not start on `%NAME%` of a missing setting, so values are literal; a given `%NAME%` goes through."""
    ours = run_app(BOTH).functions
    asked = run_app({"XDR_EVENT_HUB_NAMES": "%HUB%"}).functions

    assert "%" not in str(ours)
    assert asked["xdr_stream"]["bindings"][0]["eventHubName"] == "%HUB%"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, "XDR_EVENT_HUB_NAMES: is not set, and neither is CLOUD_EVENT_HUB_NAMES or POLL_SOURCES: nothing"),
        ({"XDR_EVENT_HUB_NAMES": "h"}, "XDR_EVENT_HUB: is not set, and neither is XDR_EVENT_HUB__fullyQualifiedNa"),
        ({"CLOUD_EVENT_HUB_NAMES": "h"}, "CLOUD_EVENT_HUB: is not set, and neither is CLOUD_EVENT_HUB__fullyQual"),
        (
            {"XDR_EVENT_HUB_NAMES": "h", "XDR_EVENT_HUB": "c", "CLOUD_EVENT_HUB_NAMES": "H", "CLOUD_EVENT_HUB": "c"},
            "CLOUD_EVENT_HUB_NAMES: 'H' is read by xdr_stream with the same consumer group already",
        ),
        (
            {"XDR_EVENT_HUB_NAMES": "h,H", "XDR_EVENT_HUB": "c"},
            "XDR_EVENT_HUB_NAMES: 'H' is read by xdr_stream with the same consumer group already",
        ),
        (
            {"XDR_EVENT_HUB_NAMES": "@Microsoft.KeyVault(x)", "CLOUD_EVENT_HUB_NAMES": "h", "CLOUD_EVENT_HUB": "c"},
            "XDR_EVENT_HUB_NAMES: its Key Vault reference is not resolved",
        ),
    ],
)
def test_what_keeps_a_hub_from_being_read_is_one_sentence(settings: dict[str, str], expected: str) -> None:
    """Each fault of the hub settings is named once, by its setting."""
    found = list(faults(settings))

    assert len(found) == 1
    assert found[0].startswith(expected)


@pytest.mark.parametrize(
    "settings",
    [
        {"XDR_EVENT_HUB_NAMES": "h", "XDR_EVENT_HUB__fullyQualifiedNamespace": "n.servicebus.windows.net"},
        {"XDR_EVENT_HUB_NAMES": "h", "XDR_EVENT_HUB": "c", "CLOUD_EVENT_HUB_NAMES": "h", "CLOUD_EVENT_HUB": "d"},
        {
            "XDR_EVENT_HUB_NAMES": "h",
            "XDR_EVENT_HUB": "c",
            "CLOUD_EVENT_HUB_NAMES": "h",
            "CLOUD_EVENT_HUB": "c",
            "CLOUD_CONSUMER_GROUP": "other",
        },
    ],
)
def test_hubs_that_do_not_meet_are_no_fault(settings: dict[str, str]) -> None:
    """An identity instead of a connection string, equal names in two namespaces, or two consumer groups are fine."""
    assert list(faults(settings)) == []


def test_each_polled_source_has_a_timer_of_its_own() -> None:
    """Its schedule by setting; the host catches up a time that was missed, and nothing runs at start."""
    functions = run_app({"POLL_SOURCES": "alert, assessment", "ALERT_SCHEDULE": "0 */10 * * * *"}).functions

    assert set(functions) == {"alert_poll", "assessment_poll", "health", "status"}
    assert functions["alert_poll"]["bindings"] == [
        {
            "direction": "IN",
            "type": "timerTrigger",
            "name": "timer",
            "schedule": "0 */10 * * * *",
            "runOnStartup": False,
            "useMonitor": True,
        }
    ]
    assert functions["assessment_poll"]["bindings"][0]["schedule"] == "0 17,47 * * * *"


def test_a_schedule_that_makes_no_sense_leaves_the_default() -> None:
    """The host would refuse the whole app for it; health says what is wrong."""
    functions = run_app({"POLL_SOURCES": "log", "LOG_SCHEDULE": "often"}).functions

    assert functions["log_poll"]["bindings"][0]["schedule"] == "15 */5 * * * *"
