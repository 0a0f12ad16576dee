"""A schema as a company has it that sells things: 62 tables, with hubs, cycles and loops."""

from __future__ import annotations

from pathlib import Path

_TABLES = Path(__file__).with_name("erp.txt")


def statements() -> list[str]:
    """The tables, and then their foreign keys, since these lead in circles."""
    tables: list[str] = []
    keys: list[str] = []
    primary: dict[str, str] = {}
    rows = [line.partition(":") for line in _TABLES.read_text("utf-8").splitlines()]
    for name, _, text in rows:
        parts = [part.strip() for part in text.split(", ")]
        columns, unique, own = [], [], []
        for part in parts:
            if part.startswith("FK "):
                continue
            plain = part.replace(" PK", "").replace(" UNIQUE", "").partition(" > ")[0]
            column = plain.split()[0]
            columns.append(plain if " " in plain else f"{plain} bigint")
            unique += [f"UNIQUE ({column})"] if " UNIQUE" in part else []
            own += [column] if " PK" in part else []
        primary[name] = ", ".join(own)
        tables.append(
            f"CREATE TABLE {name} ({', '.join([*columns, *unique])}, PRIMARY KEY ({primary[name]}))"
        )
    for name, _, text in rows:
        for part in (part.strip() for part in text.split(", ")):
            left, leads, right = part.partition(" > ")
            if leads:
                words = left.split()
                columns = words[1:] if words[0] == "FK" else words[:1]
                target = right.split()[0]
                keys.append(
                    f"ALTER TABLE {name} ADD FOREIGN KEY ({', '.join(columns)})"
                    f" REFERENCES {target} ({primary[target]})"
                )
    return [*tables, *keys]
