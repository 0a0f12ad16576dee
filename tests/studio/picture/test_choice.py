"""Which tables the picture has."""

from __future__ import annotations

from neonup_studio.picture.choice import LARGEST, PictureChoice, ShownColumns, choose
from neonup_studio.picture.structure import (
    SchemaTable,
    TableColumn,
    TableKey,
    TableName,
    TableStructure,
)


def _table(name: str, schema: str = "public") -> SchemaTable:
    return SchemaTable(TableName(schema, name), (TableColumn("id", "bigint", primary=True),))


def _key(source: SchemaTable, target: SchemaTable) -> TableKey:
    return TableKey("fk", source.name, ("id",), target.name, ("id",))


USERS, POSTS, COMMENTS, TAGS = (_table(name) for name in ("users", "posts", "comments", "tags"))
ACCOUNTS, SESSIONS = (_table(name, "auth") for name in ("accounts", "sessions"))
STRUCTURE = TableStructure(
    (USERS, POSTS, COMMENTS, TAGS, ACCOUNTS, SESSIONS),
    (
        _key(POSTS, USERS),
        _key(COMMENTS, POSTS),
        _key(COMMENTS, USERS),
        _key(USERS, ACCOUNTS),
        _key(SESSIONS, ACCOUNTS),
    ),
)


def _names(tables: tuple[SchemaTable, ...]) -> list[str]:
    return [table.name.name for table in tables]


def test_all_schemas_unless_one_is_chosen() -> None:
    view = choose(STRUCTURE, PictureChoice())

    assert (view.tables, view.foreign_keys) == (STRUCTURE.tables, STRUCTURE.foreign_keys)
    assert view.elsewhere == frozenset()


def test_a_schema_with_the_tables_of_others_that_it_is_connected_with() -> None:
    view = choose(STRUCTURE, PictureChoice(schema="public"))

    assert _names(view.tables) == ["users", "posts", "comments", "tags", "accounts"]
    assert view.elsewhere == {ACCOUNTS.name}
    assert _key(SESSIONS, ACCOUNTS) not in view.foreign_keys
    assert len(view.foreign_keys) == 4


def test_a_table_with_its_neighbours_and_the_keys_between_all_of_them() -> None:
    view = choose(STRUCTURE, PictureChoice(focus=POSTS.name))

    assert _names(view.tables) == ["users", "posts", "comments"]
    assert view.foreign_keys == STRUCTURE.foreign_keys[:3]
    assert view.focus == POSTS.name
    assert view.elsewhere == frozenset()


def test_a_table_without_neighbours_is_alone() -> None:
    assert _names(choose(STRUCTURE, PictureChoice(focus=TAGS.name)).tables) == ["tags"]


def test_a_table_that_is_not_there_shows_nothing() -> None:
    assert choose(STRUCTURE, PictureChoice(focus=TableName("public", "gone"))).tables == ()


def test_columns_depend_on_how_many_tables_there_are() -> None:
    def columns(tables: int, wish: ShownColumns | None = None) -> ShownColumns:
        many = TableStructure(tuple(_table(f"t{number}") for number in range(tables)), ())
        return choose(many, PictureChoice(columns=wish)).columns

    assert columns(12) is ShownColumns.ALL
    assert columns(13) is ShownColumns.KEYS
    assert columns(100) is ShownColumns.KEYS
    assert columns(101) is ShownColumns.NONE
    assert columns(101, ShownColumns.ALL) is ShownColumns.ALL
    assert columns(1, ShownColumns.NONE) is ShownColumns.NONE


def test_of_too_many_tables_those_with_the_most_foreign_keys_are_shown() -> None:
    hub = _table("hub")
    leaves = [_table(f"leaf{number:03}") for number in range(LARGEST)]
    alone = [_table(f"alone{number:03}") for number in range(50)]
    structure = TableStructure((*alone, hub, *leaves), tuple(_key(leaf, hub) for leaf in leaves))

    view = choose(structure, PictureChoice())

    assert len(view.tables) == LARGEST
    assert hub in view.tables
    assert not set(alone) & set(view.tables)
    assert len(view.foreign_keys) == LARGEST - 1
    assert view.left_out == (*(table.name for table in alone), leaves[-1].name)
