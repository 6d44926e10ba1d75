"""The whole command against clusters that can not run here, faked at the network: 9.x, serverless, missing privileges, Kibana."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.install import command, uninstall
from cli.install.run import choices_of, install_into
from cli.install.steps import Step
from cli.install.uninstall import uninstall_from
from cli.install.wanted import Wanted, read
from shared.errors import Misconfigured, Retry
from tests.fakes.elastic_stack import Stack, elastic_stack
from tests.install.small import STREAM, TEMPLATE, by_name, files

DASHBOARD = {"type": "dashboard", "id": "defender-overview", "attributes": {"title": "Overview"}, "references": []}
VIEW = {"type": "index-pattern", "id": "defender", "attributes": {"title": "logs-m365_defender.*"}}


@pytest.fixture
def stack() -> Iterator[Stack]:
    """A cluster of 9.x."""
    with elastic_stack() as running:
        yield running


def with_dashboards() -> Wanted:
    """The small set, with two files that share a data view."""
    other = {**DASHBOARD, "id": "defender-devices"}
    made = {"overview": (VIEW, DASHBOARD), "devices": (VIEW, other)}
    lines = {f"{name}.ndjson": "".join(json.dumps(item) + "\n" for item in items) for name, items in made.items()}
    return replace(files(), dashboards=lines)


def install(
    stack: Stack,
    what: Wanted | None = None,
    more: dict[str, str] | None = None,
    *,
    dry_run: bool = False,
    **options: Any,
) -> list[Step]:
    """Install the small set; the steps."""
    what = what or files()
    environment = {**stack.settings(), **(more or {})}
    choices = choices_of(environment, what, **options)
    return list(install_into(environment, files=what, choices=choices, dry_run=dry_run))


def requests(stack: Stack) -> list[tuple[str, str]]:
    """What was asked for but reading, since the last time."""
    done, stack.done = stack.done, []
    return done


@pytest.mark.parametrize("version", ["8.13.4", "8.19.2", "9.1.3", "9.3.0-SNAPSHOT"])
def test_everything_and_then_nothing(version: str) -> None:
    """All that was chosen on 8.x and 9.x; a dry run before it writes nothing, and a second run has nothing to do."""
    with elastic_stack(version=version) as stack:
        options: dict[str, Any] = {"ilm": True, "geoip": True, "transforms": True}
        assert all(step.state == "new" for step in install(stack, dry_run=True, **options))
        assert requests(stack) == []
        assert all(step.state == "new" for step in install(stack, **options))
        assert ("POST", "/_transform/latest/_start") in requests(stack)
        assert {step.state for step in install(stack, **options)} == {"unchanged"}
        assert requests(stack) == []


def test_an_old_server_is_one_sentence() -> None:
    """Below 8.13 bulk requests can not insist on data streams: nothing is installed."""
    with (
        elastic_stack(version="8.12.2") as stack,
        pytest.raises(Misconfigured, match=r"ELASTICSEARCH_URL: is Elasticsearch 8\.12\.2; 8\.13"),
    ):
        install(stack)


def test_serverless_gets_what_it_can_have() -> None:
    """ILM is not there (410) and some settings are closed (400): said once each, the rest is installed, and twice changes nothing."""
    with elastic_stack(flavour="serverless", version="8.11.0") as stack:
        steps = by_name(install(stack, ilm=True, geoip=True, logsdb=True))
        assert steps["ILM", "policies"].state == "missing"
        template = steps["index template", TEMPLATE]
        assert template.words == "without index.codec, which this cluster does not take."
        kept = stack.templates[TEMPLATE]["template"]
        assert "index.codec" not in kept["settings"]
        assert kept["settings"]["index.mode"] == "logsdb"
        assert kept["lifecycle"] == {"enabled": True}
        requests(stack)
        again = install(stack, ilm=True, geoip=True, logsdb=True)
        assert {step.state for step in again} == {"unchanged", "missing"}
        assert requests(stack) == []


def test_an_upgrade_rolls_over_at_the_next_document(stack: Stack) -> None:
    """A field more in the templates: the data stream is told once, and with the next document its new index has the field."""
    old = files()
    small = {**old.component_templates[f"{TEMPLATE}@ecs"], "template": {"mappings": {"properties": {}}}}
    install(stack, replace(old, component_templates={**old.component_templates, f"{TEMPLATE}@ecs": small}))
    first = stack.write(STREAM)
    steps = by_name(install(stack))
    assert "at the next document" in steps["data stream", STREAM].words
    assert {step.state for step in install(stack)} == {"unchanged"}
    second = stack.write(STREAM)
    assert (first, second) == (f".ds-{STREAM}-000001", f".ds-{STREAM}-000002")
    assert "process" in stack.indices[second]["mappings"]["properties"]
    assert {step.state for step in install(stack)} == {"unchanged"}


def test_retention_by_setting_reaches_templates_and_data_streams(stack: Stack) -> None:
    """RETENTION_DAYS for all, a number of its own stays, RETENTION goes before both; a data stream that is there is told."""
    install(stack)
    stack.write(STREAM)
    own = "logs-microsoft_defender_cloud.assessment"
    install(stack, more={"RETENTION_DAYS": "90"})
    assert stack.templates[TEMPLATE]["template"]["lifecycle"]["data_retention"] == "90d"
    assert stack.templates[own]["template"]["lifecycle"]["data_retention"] == "7d"
    assert stack.streams[STREAM]["lifecycle"]["data_retention"] == "90d"
    install(
        stack,
        more={
            "RETENTION_DAYS": "90",
            "RETENTION": "m365_defender.event=365, microsoft_defender_cloud.assessment=forever",
        },
    )
    assert stack.streams[STREAM]["lifecycle"]["data_retention"] == "365d"
    assert stack.templates[own]["template"]["lifecycle"] == {"enabled": True}


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"RETENTION": "m365_defender.evnt=3"}, "RETENTION: names 'm365_defender.evnt'; data sets are m365_defender.event, "),
        ({"RETENTION": "m365_defender.event"}, "RETENTION: 'm365_defender.event' is not dataset=days (or"),
        ({"RETENTION_DAYS": "0"}, "RETENTION_DAYS: '0' is not between"),
        ({"KIBANA_URL": "kibana"}, "KIBANA_URL: 'kibana' is not an http"),
        ({"NAMESPACE": "A-B"}, "NAMESPACE: "),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_one_sentence(stack: Stack, settings: dict[str, str], sentence: str) -> None:
    """The setting's name and what is wrong with it, before anything is asked."""
    with pytest.raises(Misconfigured) as caught:
        install(stack, more=settings)
    assert str(caught.value).startswith(sentence)
    assert requests(stack) == []


def test_a_missing_privilege_is_named() -> None:
    """Elasticsearch's own sentence names what would do; ours the narrowest of it, and the setting that holds the credentials."""
    words = (
        "action [indices:admin/index_template/put] is unauthorized for API key id [x] of user [y], "
        "this action is granted by the cluster privileges [manage_index_templates,manage,all]"
    )
    with elastic_stack(lacks=("/_component_template", words)) as stack:
        with pytest.raises(Misconfigured) as caught:
            install(stack)
        assert str(caught.value).startswith(
            "ELASTICSEARCH_API_KEY: the credentials lack the cluster privilege manage_index_templates ("
        )


def test_nobody_there_is_one_sentence() -> None:
    """An address where nothing listens."""
    with elastic_stack() as stack:
        pass
    with pytest.raises(Retry, match="can not be reached"):
        install(stack)


# Kibana


def test_dashboards_are_imported_once_a_version(stack: Stack) -> None:
    """Into each space, with a tag that says the version; another version or a missing object is imported again, else nothing happens."""
    to = {"KIBANA_URL": stack.url, "KIBANA_SPACES": "default, soc"}
    steps = [step for step in install(stack, with_dashboards(), to) if step.kind == "dashboards"]
    assert [(step.name, step.state) for step in steps] == [("default", "new"), ("soc", "new")]
    saved = stack.saved["soc"]["dashboard", "defender-overview"]
    assert saved["references"] == [
        {"type": "tag", "id": "defender-to-elasticsearch", "name": "tag-ref-defender-to-elasticsearch"}
    ]
    requests(stack)
    assert {step.state for step in install(stack, with_dashboards(), to)} == {"unchanged"}
    assert requests(stack) == []
    del stack.saved["soc"]["index-pattern", "defender"]
    newer = replace(
        with_dashboards(), dashboards={"overview.ndjson": json.dumps({**DASHBOARD, "attributes": {"title": "New"}})}
    )
    assert [s.state for s in install(stack, with_dashboards(), to) if s.kind == "dashboards"] == ["unchanged", "new"]
    assert [s.state for s in install(stack, newer, to, dry_run=True) if s.kind == "dashboards"] == [
        "changed",
        "changed",
    ]
    assert [s.state for s in install(stack, newer, to) if s.kind == "dashboards"] == ["changed", "changed"]


def test_without_kibana_there_are_no_dashboards(stack: Stack) -> None:
    """KIBANA_URL not set: nothing of them is asked or said."""
    assert all(step.kind != "dashboards" for step in install(stack, with_dashboards()))
    assert stack.saved == {}


def test_a_wrong_kibana_is_one_sentence(stack: Stack) -> None:
    """An address that answers and is none of Kibana's."""
    with pytest.raises(Misconfigured, match="KIBANA_URL: has no saved objects API"):
        install(stack, with_dashboards(), {"KIBANA_URL": f"{stack.url}/base"})


# Uninstall


def test_uninstall_removes_ours_and_names_the_rest(stack: Stack) -> None:
    """Everything with our mark goes, somebody else's and all documents stay, and what stays is named."""
    to = {"KIBANA_URL": stack.url}
    install(stack, with_dashboards(), to, ilm=True, geoip=True, transforms=True)
    stack.write(STREAM)
    stack.templates["theirs"] = {"index_patterns": ["x-*"]}
    stack.components[f"{TEMPLATE}@custom"] = {"template": {}}
    environment = {**stack.settings(), **to}
    requests(stack)
    would = [
        step.name
        for step in uninstall_from(environment, files=with_dashboards(), dry_run=True)
        if step.state == "removed"
    ]
    assert requests(stack) == []
    steps = list(uninstall_from(environment, files=with_dashboards()))
    assert [step.name for step in steps if step.state == "removed"] == would
    assert stack.templates.keys() == {"theirs"}
    assert stack.components.keys() == {f"{TEMPLATE}@custom"}
    assert stack.kept["pipeline"] == stack.kept["policy"] == {}
    assert stack.saved["default"] == {}
    assert {step.name for step in steps if step.state == "left"} >= {STREAM, "m365_defender.alert_latest-default"}
    assert all("documents" in step.words for step in steps if step.state == "left")


def test_uninstall_on_serverless_names_the_dashboards() -> None:
    """There saved objects can not be deleted by API: they are left and named, and templates are removed all the same."""
    with elastic_stack(flavour="serverless") as stack:
        to = {"KIBANA_URL": stack.url}
        install(stack, with_dashboards(), to)
        steps = by_name(list(uninstall_from({**stack.settings(), **to}, files=with_dashboards())))
        assert steps["dashboards", "default"].state == "left"
        assert stack.templates == {}


def test_uninstall_without_every_privilege_does_what_it_may() -> None:
    """A key that may not look at transforms removes the templates all the same, and says what it did not look for."""
    words = "action [cluster:monitor/transform/get] is unauthorized, this action is granted by the cluster privileges [monitor_transform,manage]"
    with elastic_stack(lacks=("/_transform", words)) as stack:
        install(stack)
        steps = by_name(list(uninstall_from(stack.settings(), files=files())))
        assert (
            "not looked for: the credentials lack the cluster privilege monitor_transform"
            in steps["transform", "(all)"].words
        )
        assert stack.templates == {}


def test_transforms_are_those_of_the_namespace(stack: Stack) -> None:
    """Files say `default`; a transform reads and writes where the shipper does."""
    body = {
        "source": {"index": ["logs-m365_defender.alert-default"]},
        "dest": {"index": "m365_defender.alert_latest-default"},
    }
    install(stack, replace(files(), transforms={"alerts": body}), {"NAMESPACE": "soc"}, transforms=True)
    made = stack.kept["transform"]["alerts"]
    assert (made["source"]["index"], made["dest"]["index"]) == (
        ["logs-m365_defender.alert-soc"],
        "m365_defender.alert_latest-soc",
    )


# The commands


def test_the_command_shows_a_diff_and_then_does_it(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """`install`, a change in the cluster, `install --dry-run` with what differs, `install`, `uninstall`: with the real files."""
    for name, value in stack.settings().items():
        monkeypatch.setenv(name, value)

    def run(app: object, *arguments: str) -> str:
        result = CliRunner().invoke(app, list(arguments))  # type: ignore[arg-type]  # a typer app
        assert result.exit_code == 0, result.output
        return str(result.stdout)

    number = len(read().component_templates)
    assert run(command.app).count("new component template") == number - 1  # that of --geoip is not asked for
    assert "Nothing to do" in run(command.app)
    stack.templates[TEMPLATE]["priority"] = 120
    shown = run(command.app, "--dry-run")
    assert f"would be changed index template {TEMPLATE}" in shown
    assert '-  "priority": "120"' in shown
    assert '+  "priority": "250"' in shown
    assert "1 steps done." in run(command.app)
    assert "removed index template" in run(uninstall.app, "--yes")


def test_the_command_ends_with_a_sentence(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong goes to standard error, with exit code 2."""
    monkeypatch.setenv("ELASTICSEARCH_URL", stack.url)
    monkeypatch.delenv("ELASTICSEARCH_API_KEY", raising=False)
    monkeypatch.delenv("ELASTICSEARCH_USERNAME", raising=False)
    result = CliRunner().invoke(command.app, [])
    assert result.exit_code == 2
    assert result.stderr.startswith("ELASTICSEARCH_API_KEY: is not set")
