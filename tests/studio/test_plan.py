"""Plans of a real Postgres as trees: what each step is called, what it took, and what was wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator

import psycopg
import pytest

from neonup_studio import plan as plans
from neonup_studio.plan import PlanNode, PlanTree, words
from neonup_studio.plan.text import text

TABLES = """
CREATE SCHEMA planned;
SET search_path TO planned;
CREATE TABLE customers AS SELECT n AS id, 'customer ' || n AS name FROM generate_series(1, 2000) n;
ALTER TABLE customers ADD PRIMARY KEY (id);
CREATE TABLE orders AS
    SELECT n AS id, n % 2000 + 1 AS customer, n % 7 AS kind FROM generate_series(1, 20000) n;
ALTER TABLE orders ADD FOREIGN KEY (customer) REFERENCES customers (id);
CREATE TABLE events (at int, what text) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (100);
CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (100) TO (200);
INSERT INTO events SELECT n, 'x' FROM generate_series(0, 199) n;
ANALYZE customers, orders, events;
SET enable_parallel_append = off;
"""
PARALLEL = """
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 2;
"""


@pytest.fixture
def tables(database: psycopg.Connection) -> Iterator[psycopg.Connection]:
    database.execute(TABLES)
    try:
        yield database
    finally:
        database.execute("DROP SCHEMA planned CASCADE")


def explain(connection: psycopg.Connection, query: str, *settings: str, run: bool = True) -> str:
    """EXPLAIN's JSON, in a transaction of which nothing stays."""
    options = "ANALYZE, BUFFERS, " if run else ""
    with connection.transaction(force_rollback=True):
        for each in settings:
            connection.execute(each.encode())
        command = f"EXPLAIN ({options}FORMAT JSON, SUMMARY) {query}"
        (answer,) = connection.execute(command.encode()).fetchone() or (None,)
    return json.dumps(answer)


def planned(
    connection: psycopg.Connection, query: str, *settings: str, run: bool = True
) -> PlanTree:
    return plans.read(explain(connection, query, *settings, run=run))


def find(plan: PlanTree, title: str, target: str = "") -> PlanNode:
    found = [n for n in plan.root.nodes() if n.title == title and target in n.target]
    assert len(found) == 1, text(plan)
    return found[0]


def test_a_join_has_its_steps_their_rows_and_their_time(tables: psycopg.Connection) -> None:
    plan = planned(
        tables,
        "SELECT * FROM orders o LEFT JOIN customers c ON c.id = o.customer WHERE o.kind = 3",
        "SET LOCAL enable_mergejoin = off",
        "SET LOCAL enable_nestloop = off",
    )
    scan = find(plan, "Seq Scan", "orders")
    assert scan.target == "on orders o"
    assert scan.facts["Filter"] == "(kind = 3)"
    assert scan.removed == {"filter": 17143.0}
    assert scan.rows == 2857
    assert "hit" in scan.buffers or "read" in scan.buffers
    join = next(node for node in plan.root.nodes() if node.title.startswith("Hash"))
    assert join.title in {"Hash Left Join", "Hash Right Join"}
    below = find(plan, "Hash").facts
    assert below["Peak Memory Usage"].endswith(" kB")
    assert below["Hash Batches"] == "1" and "Original Hash Batches" not in below
    assert plan.was_run
    assert plan.planning is not None
    assert plan.execution is not None
    assert sum(plan.share(node) for node in plan.root.nodes()) == pytest.approx(1)
    assert plan.measured <= plan.execution * 1.01
    slowest = [node for node in plan.root.nodes() if node.is_slowest]
    assert slowest == [max(plan.root.nodes(), key=lambda node: node.own or 0)]
    assert all(node.wrong_by == 1 for node in plan.root.nodes())


def test_a_plan_that_was_not_run_has_estimates_alone(tables: psycopg.Connection) -> None:
    plan = planned(tables, "SELECT * FROM orders WHERE id = 1", run=False)
    assert not plan.was_run
    assert plan.root.cost > 0
    assert plan.root.own is None
    assert not any(node.is_slowest or node.never_ran for node in plan.root.nodes())
    assert "actual" not in text(plan)


def test_a_badly_wrong_estimate_is_marked(tables: psycopg.Connection) -> None:
    wrong = "SELECT * FROM orders WHERE kind + customer - kind = customer"
    node = find(planned(tables, wrong), "Seq Scan", "orders")
    assert node.wrong_by == pytest.approx(200)
    assert words.factor(node.wrong_by) == "200 times more rows"
    fewer = "SELECT * FROM orders WHERE kind >= 3 AND kind + 0 <> kind"
    assert find(planned(tables, fewer), "Seq Scan", "orders").wrong_by < 0.1
    stopped = planned(tables, "SELECT * FROM orders LIMIT 1")
    assert find(stopped, "Seq Scan", "orders").wrong_by == 1  # it was stopped, not wrong


def test_what_never_ran_says_so(tables: psycopg.Connection) -> None:
    plan = planned(
        tables,
        "SELECT * FROM (SELECT * FROM orders WHERE id < 0) o JOIN customers c ON c.id = o.customer",
        "SET LOCAL enable_hashjoin = off",
        "SET LOCAL enable_mergejoin = off",
    )
    never = [node for node in plan.root.nodes() if node.never_ran]
    assert len(never) == 1
    assert "customers" in never[0].target
    assert never[0].wrong_by == 1
    assert "(never executed)" in text(plan)


def test_a_subquery_that_runs_once_is_paid_for_by_who_waits(tables: psycopg.Connection) -> None:
    plan = planned(
        tables,
        "SELECT * FROM customers WHERE id > (SELECT count(*) / 100 FROM orders a, orders b "
        "WHERE a.id = b.id)",
        "SET LOCAL enable_indexscan = off",
        "SET LOCAL enable_bitmapscan = off",
    )
    scan = find(plan, "Seq Scan", "customers")
    waited = next(node for node in plan.root.nodes() if node.role.startswith("InitPlan 1"))
    assert scan.wall is not None
    assert scan.own is not None
    assert waited.wall is not None
    assert scan.own == pytest.approx(scan.wall - waited.wall, abs=0.01)
    assert plan.measured == pytest.approx(scan.wall, rel=0.01)


def test_a_cte_is_paid_for_by_its_scans(tables: psycopg.Connection) -> None:
    plan = planned(
        tables,
        "WITH numbers AS MATERIALIZED (SELECT kind, count(*) AS n FROM orders GROUP BY kind) "
        "SELECT * FROM numbers a JOIN numbers b USING (kind)",
    )
    cte = next(node for node in plan.root.nodes() if node.role == "CTE numbers")
    assert cte.title == "HashAggregate"
    scans = [node for node in plan.root.nodes() if node.title == "CTE Scan"]
    assert len(scans) == 2
    assert plan.root.wall is not None
    assert cte.wall is not None
    assert sum(scan.own or 0 for scan in scans) < cte.wall
    assert plan.measured <= plan.root.wall * 1.01


def test_a_recursive_query(tables: psycopg.Connection) -> None:
    plan = planned(
        tables,
        "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 5000) "
        "SELECT sum(i) FROM n",
    )
    assert find(plan, "WorkTable Scan").loops == 5000
    assert find(plan, "Recursive Union").role == "CTE n"
    assert plan.root.wall is not None
    assert plan.measured <= plan.root.wall * 1.01


def test_a_subquery_for_each_row(tables: psycopg.Connection) -> None:
    plan = planned(
        tables,
        "SELECT id, (SELECT max(o.id) FROM orders o WHERE o.customer = c.id) FROM customers c "
        "WHERE id <= 20",
    )
    inner = next(node for node in plan.root.nodes() if node.role.startswith("SubPlan 1"))
    assert inner.loops == 20
    assert find(plan, "Seq Scan", "orders").is_slowest


def test_parallel_workers_do_not_make_it_longer_than_it_was(tables: psycopg.Connection) -> None:
    plan = planned(tables, "SELECT count(*) FROM orders WHERE kind < 4", PARALLEL)
    scan = find(plan, "Parallel Seq Scan", "orders")
    gather = next(node for node in plan.root.nodes() if node.title.startswith("Gather"))
    assert gather.facts["Workers Planned"] == "2"
    assert scan.wall is not None
    assert plan.root.wall is not None
    assert plan.measured <= plan.root.wall * 1.01
    assert find(plan, "Partial Aggregate")
    assert find(plan, "Finalize Aggregate")


def test_partitions_that_are_left_out(tables: psycopg.Connection) -> None:
    plan = planned(tables, "SELECT * FROM events")
    append = find(plan, "Append")
    assert [node.target for node in append.children] == ["on events_1", "on events_2"]
    tables.execute("PREPARE one (int) AS SELECT * FROM events WHERE at = $1")
    generic = "SET LOCAL plan_cache_mode = force_generic_plan"
    pruned = planned(tables, "EXECUTE one (150)", generic)
    assert next(n for n in pruned.root.nodes() if n.title == "Append").facts == {
        "Subplans Removed": "1"
    }
    tables.execute("DEALLOCATE one")


def test_writing_and_its_triggers(tables: psycopg.Connection) -> None:
    plan = planned(tables, "INSERT INTO orders SELECT 30000 + n, 1, 1 FROM generate_series(1, 9) n")
    assert plan.writes
    assert plan.root.title == "Insert"
    assert plan.root.target == "on orders"
    assert plan.root.wrong_by == 1
    (trigger,) = plan.triggers
    assert trigger.name == "orders_customer_fkey on orders"
    assert trigger.calls == 9
    assert "calls=9" in text(plan)


def test_sorting_and_what_is_said_of_it(tables: psycopg.Connection) -> None:
    plan = planned(tables, "SELECT * FROM orders ORDER BY kind, id DESC")
    sort = find(plan, "Sort")
    assert sort.facts["Sort Key"] == "kind, id DESC"
    assert "Sort Method" in sort.facts
    assert sort.facts["Sort Space Used"].endswith(" kB")
    index = planned(
        tables, "SELECT * FROM customers ORDER BY id DESC LIMIT 3", "SET LOCAL enable_sort = off"
    )
    assert find(index, "Index Scan Backward").target == "using customers_pkey on customers"


def test_the_text_is_like_postgres_own(tables: psycopg.Connection) -> None:
    query = "SELECT c.name, count(*) FROM orders o JOIN customers c ON c.id = o.customer GROUP BY 1"
    own = tables.execute(f"EXPLAIN {query}".encode()).fetchall()
    steps = [line.split("(cost=")[0].strip() for (line,) in own if "(cost=" in line]
    ours = text(planned(tables, query, run=False)).splitlines()
    assert [line.split("(cost=")[0].strip() for line in ours if "(cost=" in line] == steps


@pytest.mark.parametrize("wrong", ["", "[]", "{}", '[{"Plan": {}}]', '[{"Plan": 1}]', "[[[["])
def test_what_is_no_plan(wrong: str) -> None:
    with pytest.raises(ValueError):
        plans.read(wrong)


def test_a_deep_plan_is_read(tables: psycopg.Connection) -> None:
    query = "SELECT 1 AS n"
    for _ in range(60):
        query = f"SELECT n FROM ({query} OFFSET 0) AS deeper LIMIT 9"
    plan = planned(tables, query)
    assert max(depth for _, depth in plan.outline()) >= 60
    assert text(plan).count("Limit") >= 60
