"""What a database's catalog says of its tables and foreign keys."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class TableName:
    """A table's full name."""

    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class TableColumn:
    """A column.

    Args:
        type: as Postgres writes it, with its length or precision.
        nullable: whether it may be empty.
        primary: whether it belongs to the primary key.
    """

    name: str
    type: str
    nullable: bool = True
    primary: bool = False


@dataclass(frozen=True)
class SchemaTable:
    """A table, or a partitioned one with its partitions.

    Args:
        columns: in their order.
        partitioned: whether its rows are in partitions, which are no tables of their own here.
    """

    name: TableName
    columns: tuple[TableColumn, ...]
    partitioned: bool = False


@dataclass(frozen=True)
class TableKey:
    """A foreign key.

    Args:
        name: the constraint's.
        source: the table that has it.
        columns: its columns, in the key's order.
        target: the table to which it leads, perhaps the same.
        target_columns: the columns there, in the same order.
        unique: no two rows lead to the same one.
    """

    name: str
    source: TableName
    columns: tuple[str, ...]
    target: TableName
    target_columns: tuple[str, ...]
    unique: bool = False


@dataclass(frozen=True)
class TableStructure:
    """A database's tables, by name, and the foreign keys from one of them to one of them."""

    tables: tuple[SchemaTable, ...]
    foreign_keys: tuple[TableKey, ...]

    @property
    def schemas(self) -> list[str]:
        """The schemas that have tables, by name."""
        return sorted({table.name.schema for table in self.tables})
