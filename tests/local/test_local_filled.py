"""The filled server that docs and dashboards are tried on has everything that the demo indexes."""

from __future__ import annotations

from local.elasticsearch import LocalElasticsearch
from local.filled import everything
from shared.ship.latest import VIEWS
from tools.fields import datasets


def test_every_data_stream_and_latest_view_has_documents(filled_elasticsearch: LocalElasticsearch) -> None:
    """Each dataset's data stream and each latest view holds what was made for it, under our templates' types."""
    streams, views = everything()
    indices = {document.index for document in (*streams, *views)}
    assert {f"logs-{name}-default" for name in datasets()} <= indices
    assert {view.index.format(namespace="default") for view in VIEWS.values()} <= indices
    with filled_elasticsearch.client() as client:
        for name in sorted({document.index for document in streams}):
            assert client.count(index=name)["count"] == sum(document.index == name for document in streams), name
        for name in sorted({document.index for document in views}):
            newest = {one.id: one for one in sorted(views, key=lambda one: one.version or 0) if one.index == name}
            expected = sum(not one.gone for one in newest.values())
            assert client.count(index=name)["count"] == expected, name
        aliases = [view.alias for view in VIEWS.values() if view.alias]
        assert client.count(index=",".join(aliases), query={"exists": {"field": "event.id"}})["count"] > 0
        kind = client.indices.get_field_mapping(index="logs-m365_defender.event-default", fields="source.ip")
        assert {
            field["mapping"]["ip"]["type"] for found in kind.values() for field in [found["mappings"]["source.ip"]]
        } == {"ip"}


def test_it_is_the_same_every_time() -> None:
    """Two makings have the same documents, but for the time of arrival."""
    first, second = ({(one.index, one.id) for made in everything(300) for one in made} for _ in range(2))
    assert first == second
