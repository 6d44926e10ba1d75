"""The local host does around an app what the Functions host does: batches, retries, checkpoints, keys, a clean end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from local.azurite import LocalAzurite, azurite
from local.event_hub import LocalEventHubs, event_hub
from local.host_process import LocalFunctions, functions_host
from local.process import NotStarted, running
from tests.conftest import require
from tests.local.tiny_app import TinyApp, until

SCALE = 0.01  # 10 s of back-off in Azure are 0.1 s here


@pytest.fixture
def hubs() -> Iterator[LocalEventHubs]:
    """A namespace with fresh hubs."""
    require("node")
    with event_hub(("mine", "other"), partitions=2) as server:
        yield server


@pytest.fixture
def storage() -> Iterator[LocalAzurite]:
    """A blob store without checkpoints."""
    require("node")
    with azurite() as server:
        yield server


@pytest.fixture
def tiny(tmp_path: Path) -> TinyApp:
    """The tiny app in a folder of its own."""
    return TinyApp.write(tmp_path / "app")


def settings(hubs: LocalEventHubs, storage: LocalAzurite) -> dict[str, str]:
    """What the tiny app's bindings refer to."""
    return {
        "TINY_HUBS": hubs.connection_string,
        "TINY_HUB": "mine",
        "TINY_GROUP": "$Default",
        "TINY_SCHEDULE": "0 0 0 1 1 *",
        "AzureWebJobsStorage": storage.connection_string,
    }


@pytest.fixture
def app(tiny: TinyApp, hubs: LocalEventHubs, storage: LocalAzurite) -> Iterator[LocalFunctions]:
    """The tiny app, running."""
    with functions_host(tiny.folder, settings(hubs, storage), backoff_scale=SCALE) as process:
        yield process


def sequences(tiny: TinyApp, partition: int, name: str = "forever") -> list[object]:
    """The sequence numbers that a function took from a partition, in the order in which it took them."""
    return [item["sequence"] for item in tiny.seen(name) if item["partition"] == str(partition)]


def test_events_reach_the_function_in_order_and_in_batches(
    app: LocalFunctions, tiny: TinyApp, hubs: LocalEventHubs
) -> None:
    """Every event arrives once, in order, byte for byte, in batches of at most maxEventBatchSize, with its metadata."""
    assert app.ready["hubs"]["forever"] == {"hub": "mine", "partitions": ["0", "1"]}
    bodies = [b"", b"\xff\x00", *(str(number).encode() for number in range(8))]
    hubs.send(bodies, partition=0)
    hubs.send([b"keyed"], key="device-1", hub="other")
    until(lambda: len(tiny.seen()) == 10 and len(tiny.seen("thrice")) == 1)

    seen = tiny.seen()
    assert sequences(tiny, 0) == list(range(10))
    assert [bytes.fromhex(str(item["body"])) for item in seen] == bodies
    assert max(int(str(item["batch"])) for item in seen) == 4  # as host.json says
    assert {item["hub"] for item in seen} == {"mine"}
    assert all(item["retry"] == 0 and item["properties"] == {} for item in seen)
    other = tiny.seen("thrice")[0]
    assert (other["key"], other["hub"]) == ("device-1", "other")


def test_a_batch_is_retried_for_ever_and_its_partition_waits(
    app: LocalFunctions, tiny: TinyApp, hubs: LocalEventHubs
) -> None:
    """With retries for ever a failing batch comes again and again and nothing overtakes it; other partitions go on."""
    tiny.down("forever", 0)
    hubs.send([b"first"], partition=0)
    until(lambda: len(tiny.failed()) >= 1)
    hubs.send([b"second"], partition=0)
    hubs.send([b"elsewhere"], partition=1)
    until(lambda: len(tiny.failed()) >= 4 and len(tiny.seen()) == 1)
    assert sequences(tiny, 1) == [0]

    tiny.up("forever", 0)

    until(lambda: len(tiny.seen()) == 3)
    assert sequences(tiny, 0) == [0, 1]
    assert tiny.failed()[:4] == ["0 0", "0 1", "0 2", "0 3"]
    waits = [line for line in app.logged("local.host") if "again in" in str(line["message"])]
    seconds = [float(str(line["message"]).split("again in ")[1].split(" ")[0]) for line in waits]
    assert seconds[0] == pytest.approx(0.1, abs=0.005)  # minimum_interval, scaled
    assert seconds[0] < seconds[1] < seconds[2] <= 0.6  # growing up to maximum_interval, scaled


def test_a_finite_policy_gives_up_and_goes_on(app: LocalFunctions, tiny: TinyApp, hubs: LocalEventHubs) -> None:
    """As in Azure, a batch that failed as often as the policy allows is lost and the checkpoint moves behind it."""
    tiny.down("thrice", 0)
    hubs.send([b"lost"], hub="other", partition=0)
    until(lambda: any("given up" in str(line["message"]) for line in app.logged("local.host")))
    assert tiny.failed("thrice") == ["0 0", "0 1", "0 2"]  # once, and two retries
    tiny.up("thrice", 0)
    hubs.send([b"next"], hub="other", partition=0)
    until(lambda: len(tiny.seen("thrice")) == 1)
    assert tiny.seen("thrice")[0]["sequence"] == 1

    app.stop()
    app.start()
    hubs.send([b"last"], hub="other", partition=0)

    until(lambda: len(tiny.seen("thrice")) == 2)
    assert sequences(tiny, 0, "thrice") == [1, 2]


def test_after_a_crash_the_last_checkpoint_counts(app: LocalFunctions, tiny: TinyApp, hubs: LocalEventHubs) -> None:
    """SIGKILL while a batch is owed: a new host begins behind what was done, and gives the owed batch again."""
    hubs.send([b"done"], partition=0)
    until(lambda: any(line["message"] == "batch done" for line in app.logged("local.host")))
    hubs.send([b"done too"], partition=1)
    until(lambda: len(tiny.seen()) == 2)
    tiny.down("forever", 0)
    hubs.send([b"owed", b"owed too"], partition=0)
    until(lambda: len(tiny.failed()) >= 2)

    app.kill()
    tiny.up("forever", 0)
    hubs.send([b"sent meanwhile"], partition=0)
    app.start()

    until(lambda: len(sequences(tiny, 0)) >= 4)
    assert sequences(tiny, 0) == [0, 1, 2, 3]
    assert sequences(tiny, 1) in ([0], [0, 0])  # its checkpoint may not have been written when the host was killed


def test_a_stop_while_a_batch_is_owed_is_clean_and_keeps_it(
    app: LocalFunctions, tiny: TinyApp, hubs: LocalEventHubs
) -> None:
    """SIGTERM during back-off ends the host with code 0 and no checkpoint; the batch is the next host's first."""
    tiny.down("forever", 0)
    hubs.send([b"owed"], partition=0)
    until(lambda: len(tiny.failed()) >= 2)
    assert app.server is not None
    process = app.server.pid

    assert app.stop() == 0

    assert not running(process)
    tiny.up("forever", 0)
    app.start()
    until(lambda: len(tiny.seen()) == 1)
    assert sequences(tiny, 0) == [0]


def test_http_functions_ask_for_the_key(app: LocalFunctions, tiny: TinyApp) -> None:
    """A function-level route wants the key in the header or in ?code=; an anonymous one does not; 404, 405, 500 are told."""
    plain = f"{app.url}/api/hello/you"
    assert requests.get(plain, timeout=10).status_code == 401
    assert app.get("/api/hello/you", key="wrong").status_code == 401
    assert requests.get(f"{plain}?code={app.key}", timeout=10).status_code == 203

    answer = requests.get(f"{plain}?asked=yes", headers={"x-functions-key": app.key, "X-Mine": "here"}, timeout=10)

    assert answer.json() == {"hello": "you", "asked": "yes", "header": "here"}
    assert answer.headers["content-type"] == "application/json"
    assert requests.post(plain, headers={"x-functions-key": app.key}, timeout=10).status_code == 405
    assert app.get("/api/nothing").status_code == 404
    assert requests.get(f"{app.url}/api/broken", timeout=10).status_code == 500
    assert not (tiny.folder / "tick.seen").exists()
    tick = requests.post(f"{app.url}/admin/functions/tick", headers={"x-functions-key": app.key}, timeout=10)
    assert (tick.status_code, (tiny.folder / "tick.seen").read_text()) == (202, "False")


@pytest.mark.parametrize("missing", ["TINY_HUB", "TINY_HUBS", "AzureWebJobsStorage"])
def test_a_missing_setting_is_one_sentence(
    tiny: TinyApp, hubs: LocalEventHubs, storage: LocalAzurite, missing: str
) -> None:
    """A host that can not listen ends with code 1 and names the setting."""
    values = {**settings(hubs, storage), missing: ""}
    with (
        pytest.raises(NotStarted, match=rf"ended with code 1(.|\n)*{missing}: is not set"),
        functions_host(tiny.folder, values),
    ):
        pass


def test_an_app_that_can_not_be_indexed_is_explained(
    tiny: TinyApp, hubs: LocalEventHubs, storage: LocalAzurite
) -> None:
    """The runtime's own reason is in the error: here an annotation that Microsoft's loader refuses."""
    code = tiny.folder / "function_app.py"
    code.write_text(code.read_text().replace("typing.List[func.EventHubEvent]", "list[func.EventHubEvent]"))
    with (
        pytest.raises(NotStarted, match="invalid non-type annotation"),
        functions_host(tiny.folder, settings(hubs, storage)),
    ):
        pass
