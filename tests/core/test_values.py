"""What a start makes behaves as a frozen dataclass does."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from pathlib import Path

import pytest

from neonup import ClaimOffer, Database, Settings

SHOP = Database("postgresql://me:secret@127.0.0.1/shop", "local", id="shop")


def test_a_value_is_made_of_its_fields_in_order_or_by_name() -> None:
    assert Database(provider="local", id="shop", url=SHOP.url) == SHOP
    assert hash(SHOP) == hash(copy.deepcopy(SHOP)) == hash(pickle.loads(pickle.dumps(SHOP)))
    assert (SHOP.key, SHOP.stays) == ("DATABASE_URL", False)
    assert SHOP.with_(id="other") != SHOP
    assert SHOP != "shop"


@pytest.mark.parametrize(
    ("arguments", "named", "said"),
    [
        ((SHOP.url,), {}, "Database needs provider"),
        ((SHOP.url, "local"), {"provider": "local"}, "each of these once: url, provider, id"),
        ((SHOP.url, "local"), {"name": "shop"}, "each of these once: url, provider, id"),
        (("",) * 13, {}, "each of these once: url, provider, id"),
    ],
)
def test_a_wrong_argument_is_refused(
    arguments: tuple[str, ...], named: dict[str, str], said: str
) -> None:
    with pytest.raises(TypeError, match=said):
        Database(*arguments, **named)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="each of these once"):
        SHOP.with_(name="shop")


def test_dataclasses_take_it_for_one_of_theirs() -> None:
    assert dataclasses.is_dataclass(Database)
    assert dataclasses.replace(SHOP, id="other") == SHOP.with_(id="other")
    assert dataclasses.asdict(SHOP) == vars(SHOP)
    defaults = {field.name: field.default for field in dataclasses.fields(Settings)}
    assert defaults["project"] is dataclasses.MISSING
    assert defaults["key"] == "DATABASE_URL"


def test_nothing_of_it_can_be_changed() -> None:
    with pytest.raises(AttributeError, match="id of Database cannot be set"):
        SHOP.id = "other"  # type: ignore[misc]
    with pytest.raises(AttributeError, match="cannot be deleted"):
        del SHOP.id
    assert SHOP.id == "shop"


def test_its_text_has_no_secret() -> None:
    shown = repr(ClaimOffer("https://neon.new/claim/1", SHOP, code="1234"))
    assert shown.startswith("ClaimOffer(database=Database(provider='local', id='shop', url='")
    assert not any(secret in shown for secret in ("secret@", "claim/1", "1234"))
    assert "tables" not in repr(Settings(Path("shop"), Path("home")))
