"""What is wrong in a database, and what is as it should be."""

from __future__ import annotations

CLEAN = """
CREATE TABLE customer (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text UNIQUE);
CREATE TABLE "order" (id bigserial PRIMARY KEY, number int UNIQUE,
    customer_id bigint NOT NULL REFERENCES customer, gift_for bigint REFERENCES customer,
    EXCLUDE USING hash (number WITH =));
CREATE INDEX ON "order" (customer_id, id);
CREATE INDEX ON "order" (gift_for) WHERE gift_for IS NOT NULL;
CREATE TABLE visit (at date NOT NULL, customer_id bigint REFERENCES customer)
    PARTITION BY RANGE (at);
CREATE TABLE visit_26 PARTITION OF visit FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE INDEX ON visit (customer_id);
CREATE TABLE alike (a int, b text, c text);
CREATE UNIQUE INDEX ON alike (a);
CREATE INDEX ON alike (b);
CREATE INDEX ON alike (b text_pattern_ops);
CREATE INDEX ON alike (b DESC);
CREATE INDEX ON alike (b COLLATE "C");
CREATE INDEX ON alike (b) INCLUDE (c);
CREATE INDEX ON alike (b) WHERE c IS NULL;
CREATE INDEX ON alike USING hash (b);
CREATE MATERIALIZED VIEW names AS SELECT email FROM customer;
CREATE SEQUENCE round MAXVALUE 10 CYCLE;
SELECT setval('round', 10);
INSERT INTO customer (email) SELECT i || '@example.com' FROM generate_series(1, 5000) i;
INSERT INTO "order" (number, customer_id, gift_for) SELECT i, i, i FROM generate_series(1, 5000) i;
INSERT INTO visit SELECT '2026-02-03', i FROM generate_series(1, 5000) i;
ANALYZE;
"""

SEEDS = [
    """
    CREATE SCHEMA "Front";
    CREATE TABLE "Front"."Order" (id int PRIMARY KEY);
    CREATE TABLE "Front"."Line" ("order" int REFERENCES "Front"."Order", "No" int);
    INSERT INTO "Front"."Order" SELECT generate_series(1, 2000);
    INSERT INTO "Front"."Line" SELECT i, i FROM generate_series(1, 2000) i;

    CREATE TABLE visit (at date, "order" int REFERENCES "Front"."Order") PARTITION BY RANGE (at);
    CREATE TABLE visit_26 PARTITION OF visit FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    INSERT INTO visit SELECT '2026-02-03', i FROM generate_series(1, 2000) i;

    CREATE TABLE reading (id int PRIMARY KEY, sensor int, note text);
    INSERT INTO reading
        SELECT i, i % 7, md5(i::text) || md5(i::text) FROM generate_series(1, 60000) i;
    CREATE INDEX "never read" ON reading (note);
    CREATE INDEX by_sensor ON reading (sensor DESC NULLS LAST);
    CREATE INDEX "same ON" ON reading (sensor DESC NULLS LAST);
    CREATE INDEX by_both ON reading (id, sensor);
    CREATE INDEX beginning ON reading USING btree (id) WITH (fillfactor = 20);

    CREATE TABLE twice (id int PRIMARY KEY, of int);
    ALTER TABLE twice ADD CONSTRAINT again UNIQUE (id);
    INSERT INTO twice VALUES (1, 1), (2, 1);

    CREATE INDEX "an expression" ON twice (abs(of)) WHERE of > 0;
    CREATE INDEX the_same ON   twice (  abs(of)) WHERE   of > 0;
    CREATE INDEX another ON twice (abs(of)) WHERE of > 1;

    CREATE TABLE churned (n int) WITH (autovacuum_enabled = off);
    INSERT INTO churned SELECT generate_series(1, 3000);
    UPDATE churned SET n = n + 1;

    CREATE TABLE emptied (id int, note text) WITH (autovacuum_enabled = off);
    INSERT INTO emptied SELECT i, repeat('x', 90) FROM generate_series(1, 150000) i;
    DELETE FROM emptied WHERE id % 10 <> 0;

    CREATE TABLE small (id smallserial, "Id" int GENERATED ALWAYS AS IDENTITY);
    SELECT setval('small_id_seq', 32000);
    SELECT setval('"small_Id_seq"', 2000000000);
    CREATE SEQUENCE few MAXVALUE 1000;
    SELECT setval('few', 990);
    CREATE SEQUENCE downwards AS int INCREMENT -1;
    SELECT setval('downwards', -2147483000);

    CREATE EXTENSION pg_stat_statements;
    """,
    """
    DO $$ BEGIN
        FOR i IN 1..120 LOOP PERFORM count(*) FROM reading WHERE note || '' = 'x'; END LOOP;
    END $$
    """,
    "VACUUM ANALYZE",
    """
    DO $$ BEGIN
        EXECUTE format('ALTER DATABASE %I SET idle_in_transaction_session_timeout = 3600000',
            current_database());
    END $$
    """,
    # What VACUUM has found of it is forgotten.
    "UPDATE churned SET n = n + 1",
]

INVALID = "CREATE UNIQUE INDEX CONCURRENTLY half ON twice (of)"
"""It fails, and leaves an index behind that is not valid."""

FOUND = {
    ("unused", "index public.half"),
    ("unused", 'index public."never read"'),
    ("unused", "index public.by_both"),
    ("duplicates", "index public.beginning"),
    ("duplicates", 'index public."same ON"'),
    ("duplicates", "index public.again"),
    ("duplicates", "index public.the_same"),
    ("foreign-keys", 'foreign key "Line_order_fkey" of "Front"."Line"'),
    ("foreign-keys", "foreign key visit_order_fkey of public.visit"),
    ("bloat", "table public.churned"),
    ("bloat", "table public.emptied"),
    ("scans", "table public.reading"),
    ("sequences", "sequence public.small_id_seq"),
    ("sequences", 'sequence public."small_Id_seq"'),
    ("sequences", "sequence public.few"),
    ("sequences", "sequence public.downwards"),
    ("settings", "setting idle_in_transaction_session_timeout"),
}
"""What is to be found, by topic and subject."""
