"""`daybook text` and `daybook completeness`: from a Dutch name to an approved German one, and what is still missing."""

import shlex
from collections.abc import AsyncIterator

import pytest

from daybook.commands import ConfigureChannel, CreateProduct, DefineAttribute, DefineFamily, ListProduct, SetAttributes
from daybook.completeness import drafts
from daybook.errors import NotFound
from daybook.events import AttributeChange, AttributeDefined, ChannelConfigured, FamilyDefined
from daybook_projections import completeness, deepl
from daybook_projections.deepl.sandbox.server import DeepLSandbox
from tests.fixtures.channels import toy
from tests.fixtures.commandline import Daybook
from tests.fixtures.owner import client_of
from tests.fixtures.pipeline import Pipeline, until

NL, DE = "nl-NL", "de-DE"
API = "/api/v1"


def wrote(sku: str, text: str, locale: str = NL) -> SetAttributes:
    return SetAttributes(sku=sku, changes=(AttributeChange(attribute="name", value=text, locale=locale),))


@pytest.fixture
async def sandbox() -> AsyncIterator[DeepLSandbox]:
    made = DeepLSandbox()
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def pipeline(database: str, nats_url: str, sandbox: DeepLSandbox) -> AsyncIterator[Pipeline]:
    async with Pipeline(database, nats_url, deepl.manifest, completeness.manifest, toy()) as made:
        made.relay()
        made.runner()
        made.runner(completeness.manifest)
        made.delivery(sandbox.settings())
        await made.carry_out(
            DefineAttribute(attribute=AttributeDefined(code="name", type="text", localizable=True)),
            DefineFamily(family=FamilyDefined(code="bags", attributes=("name",), required={"shops": ("name",)})),
            ConfigureChannel(channel=ChannelConfigured(name="deepl", locales=(NL,))),
            ConfigureChannel(channel=ChannelConfigured(name="toy", scope="shops", locales=(DE, NL))),
        )
        yield made


async def sold(pipeline: Pipeline, sku: str, name: str) -> None:
    await pipeline.carry_out(
        CreateProduct(sku=sku, family="bags"), wrote(sku, name), ListProduct(sku=sku, channel="toy")
    )


async def standing(pipeline: Pipeline, **states: str) -> None:
    """Returns once these products' texts stand so."""

    def is_so() -> bool:
        try:
            found = {one.sku: one.state for one in drafts.page(pipeline.app.pool, limit=1000).texts}
        except NotFound:
            return False
        return found == states

    await until(is_so, f"the texts stand as {states}")


async def test_a_draft_is_listed_approved_and_then_the_product_s(
    database: str, pipeline: Pipeline, sandbox: DeepLSandbox
) -> None:
    daybook = Daybook({"DAYBOOK_POSTGRES": database})
    await sold(pipeline, "A", "Rugzak")
    await standing(pipeline, A="draft")
    (row,) = daybook.json("text", "list", "--state", "draft")["texts"]
    assert (row["source"], row["draft"], row["characters"]) == ("Rugzak", "[DE] Rugzak", 6)
    assert row["next_step"] == "daybook text approve A name de-DE"
    (lack,) = daybook.json("completeness", "list", "--missing", "name@de-DE")["products"]
    for asked in (("completeness", "list", "--channel"), ("order", "list", "--channel")):
        assert "there is no channel 'nope'" in daybook("--json", *asked, "nope").problem["message"], asked
    (lack,) = daybook.json("completeness", "list", "--missing", "name")["products"]
    assert lack["missing"][0]["reason"] == "a draft waits for somebody to approve it"

    done = daybook.json("text", "approve", "A", "name", DE, "--source", row["source_hash"], "--reason", "fine")
    assert done["event"] == "product.attributes_changed.v1"
    assert daybook("text", "approve", "A", "name", DE).stdout.startswith("no change")
    shown = daybook("product", "show", "A").stdout
    assert "[DE] Rugzak" in shown
    await standing(pipeline, A="approved")
    (channel,) = daybook.json("completeness", "status")["channels"]
    assert channel == {"channel": "toy", "products": 1, "complete": 0, "missing": {"picture": 1, "price": 1}}
    assert "name de-DE of deepl approved" in daybook("product", "history", "A").stdout

    await pipeline.carry_out(wrote("A", "Tas"))
    await standing(pipeline, A="draft")
    status = daybook.json("text", "status")
    assert status["billed_this_month"] == {"deepl": 9} and status["to_draft_characters"] == 0
    await pipeline.carry_out(wrote("A", "Die Tasche", DE))
    await standing(pipeline)
    refused = daybook("--json", "text", "approve", "A", "name", DE)
    assert refused.code == 5 and "a person wrote" in refused.problem["message"]
    for said in ("retry", "reject"):
        refused = daybook("--json", "text", said, "A", "name", DE)
        assert refused.code == 5 and "a person wrote A name de-DE" in refused.problem["message"], said
    assert sandbox.translations.total() == 2


async def test_drafts_are_approved_many_at_once_and_what_has_a_problem_is_left(
    database: str, pipeline: Pipeline, sandbox: DeepLSandbox
) -> None:
    daybook = Daybook({"DAYBOOK_POSTGRES": database})
    sandbox.lose_tags_next = 1
    await sold(pipeline, "B", "Voor {0}")
    await standing(pipeline, B="draft")
    await sold(pipeline, "A", "Rugzak")
    await standing(pipeline, A="draft", B="draft")
    done = daybook.json("text", "approve-all", "--locale", DE)
    assert done["approved"] == 1 and [one["text"] for one in done["left"]] == ["B name de-DE"]
    assert "placeholder_lost: {0}" in done["left"][0]["reason"]
    await standing(pipeline, A="approved", B="draft")

    assert daybook.json("text", "reject", "B", "name", DE)["event"] == "text.rejected.v1"
    await standing(pipeline, A="approved", B="rejected")
    assert daybook.json("text", "retry", "B", "name", DE)["event"] == "text.retried.v1"
    await standing(pipeline, A="approved", B="draft")
    assert daybook.json("text", "approve-all")["approved"] == 1
    await standing(pipeline, A="approved", B="approved")
    assert sandbox.translations.total() == 3


async def test_a_text_that_is_refused_or_held_says_why_wherever_it_is_looked_at(
    database: str, pipeline: Pipeline
) -> None:
    daybook = Daybook({"DAYBOOK_POSTGRES": database})
    gone = ChannelConfigured(name="deepl", locales=(NL,), extra={"glossaries": {f"{NL}>{DE}": "gone"}})
    await pipeline.carry_out(ConfigureChannel(channel=gone))
    await sold(pipeline, "A", "Rugzak")
    await sold(pipeline, "B", "x" * 50_000)
    await standing(pipeline, A="wanted", B="wanted")

    def told() -> dict[str, tuple[str, str]]:
        found = daybook.json("text", "list", "--limit", "10")["texts"]
        return {one["sku"]: (one["reason"], one["next_step"]) for one in found}

    await until(lambda: told()["A"][1] == "daybook channel rejected deepl", "the refusal is told")
    refused, held = told()["A"], told()["B"]
    assert refused[0] == "deepl refused it: http_404 Glossary not found"
    assert held[0].startswith("name has 50,000 bytes") and held[1] == "daybook channel show deepl"
    lacks = daybook.json("completeness", "list", "--missing", "name")["products"]
    assert [(one["missing"][0]["reason"], one["missing"][0]["next_step"]) for one in lacks] == [refused, held]
    assert daybook.json("text", "status")["counts"][0]["refused"] == 1
    assert "refused, and not drafted: 1" in daybook("text", "status").stdout

    await pipeline.carry_out(ConfigureChannel(channel=ChannelConfigured(name="deepl", locales=(NL,))))
    await standing(pipeline, A="draft", B="wanted")
    assert daybook.json("text", "status")["counts"][0]["refused"] == 0


async def test_the_next_step_of_a_missing_picture_can_be_typed(database: str, pipeline: Pipeline) -> None:
    daybook = Daybook({"DAYBOOK_POSTGRES": database})
    await sold(pipeline, "A", "Rugzak")
    await standing(pipeline, A="draft")
    (row,) = daybook.json("completeness", "list", "--missing", "picture")["products"]
    echoed, typed = next(one["next_step"] for one in row["missing"] if one["field"] == "picture").split(" | ")
    line = shlex.split(echoed)[1].replace("ADDRESS", "https://pictures.example/a.jpg")
    assert daybook(*typed.split()[1:], stdin=line.encode() + b"\n").code == 0
    assert "https://pictures.example/a.jpg" in daybook("product", "show", "A", "--json").stdout


async def test_a_channel_on_its_kind_s_settings_is_not_called_complete(database: str, nats_url: str) -> None:
    daybook = Daybook({"DAYBOOK_POSTGRES": database})
    async with Pipeline(database, nats_url, completeness.manifest, toy()) as made:
        made.relay()
        made.runner()
        await made.carry_out(CreateProduct(sku="A"), ListProduct(sku="A", channel="toy"))
        await made.caught_up()
        for asked in ((), ("--missing", "price"), ("--locale", DE)):
            assert "toy is not configured" in " ".join(daybook("completeness", "list", *asked).stdout.split()), asked
        (row,) = daybook.json("completeness", "list")["products"]
        assert row["complete"] is False and row["score"] == 0.0
        (channel,) = daybook.json("completeness", "status")["channels"]
        assert channel == {"channel": "toy", "products": 1, "complete": 0, "missing": {"settings": 1}}

        echoed, typed = row["missing"][0]["next_step"].split(" | ")
        assert daybook(*typed.split()[1:], stdin=shlex.split(echoed)[1].encode() + b"\n").code == 0
        await made.caught_up()
        (row,) = daybook.json("completeness", "list")["products"]
        assert [one["field"] for one in row["missing"]] == ["price", "picture"]


async def test_http_does_the_same(pipeline: Pipeline) -> None:
    await sold(pipeline, "A", "Rugzak")
    await standing(pipeline, A="draft")
    with client_of(pipeline.app, raises=False) as client:
        (row,) = client.get(f"{API}/texts?state=draft&locale=de-DE").json()["texts"]
        said = {"attribute": "name", "locale": DE, "source": row["source_hash"]}
        stale = client.post(f"{API}/products/A/texts/approved", json=said | {"source": "0"})
        assert (stale.status_code, stale.json()["code"]) == (409, "refused")
        assert client.post(f"{API}/products/A/texts/rejected", json=said).json()["changed"] is True
        assert client.post(f"{API}/products/A/texts/retried", json=said).json()["changed"] is True
        await standing(pipeline, A="draft")
        assert client.post(f"{API}/products/A/texts/approved", json=said).status_code == 200
        await standing(pipeline, A="approved")
        assert client.get(f"{API}/texts/status").json()["counts"][0]["state"] == "approved"
        assert client.get(f"{API}/texts?state=loud").status_code == 422
        (lack,) = client.get(f"{API}/completeness?channel=toy&sku=A").json()["products"]
        assert [one["field"] for one in lack["missing"]] == ["price", "picture"] and lack["score"] == 0.333
        assert client.get(f"{API}/completeness/status").json()["channels"][0]["complete"] == 0
