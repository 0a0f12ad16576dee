-- A shop that sells lamps: what the pictures of the studio show, and the tests of its pages open.

CREATE TABLE customers (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    email text NOT NULL UNIQUE,
    city text,
    newsletter boolean NOT NULL DEFAULT false,
    since date NOT NULL
);
COMMENT ON TABLE customers IS 'Everybody who has ever ordered';
CREATE TABLE categories (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    parent_id integer REFERENCES categories
);
CREATE TABLE products (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    category_id integer NOT NULL REFERENCES categories,
    price numeric(8, 2) NOT NULL CHECK (price > 0),
    tags text[] NOT NULL DEFAULT '{}',
    details jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX products_category_id ON products (category_id);
CREATE TABLE orders (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id integer NOT NULL REFERENCES customers,
    status text NOT NULL CHECK (status IN ('new', 'paid', 'sent', 'returned')),
    placed_at timestamptz NOT NULL,
    note text
);
CREATE INDEX orders_customer_id ON orders (customer_id);
CREATE INDEX orders_placed_at ON orders (placed_at);
CREATE TABLE order_lines (
    order_id integer REFERENCES orders ON DELETE CASCADE,
    product_id integer REFERENCES products,
    quantity integer NOT NULL CHECK (quantity > 0),
    price numeric(8, 2) NOT NULL,
    PRIMARY KEY (order_id, product_id)
);
CREATE INDEX order_lines_product_id ON order_lines (product_id);
CREATE TABLE payments (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id integer NOT NULL UNIQUE REFERENCES orders,
    method text NOT NULL,
    amount numeric(9, 2) NOT NULL,
    paid_at timestamptz NOT NULL
);
CREATE TABLE reviews (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    product_id integer NOT NULL REFERENCES products,
    customer_id integer NOT NULL REFERENCES customers,
    stars smallint NOT NULL CHECK (stars BETWEEN 1 AND 5),
    words text,
    UNIQUE (product_id, customer_id)
);
CREATE INDEX reviews_customer_id ON reviews (customer_id);

INSERT INTO categories (name, parent_id) VALUES
    ('Lamps', NULL), ('Desk lamps', 1), ('Floor lamps', 1), ('Signs', NULL), ('Spare parts', NULL);
INSERT INTO products (name, category_id, price, tags, details) VALUES
    ('Argon desk lamp', 2, 49.00, '{desk,dimmable}', '{"colour": "violet", "watts": 12}'),
    ('Helium desk lamp', 2, 39.50, '{desk}', '{"colour": "yellow", "watts": 9}'),
    ('Neon floor lamp', 3, 129.00, '{floor,dimmable,new}', '{"colour": "orange", "watts": 30, "height": {"cm": 165}}'),
    ('Krypton floor lamp', 3, 149.00, '{floor}', '{"colour": "white", "watts": 28, "height": {"cm": 180}}'),
    ('Sign "Open"', 4, 89.90, '{sign,outdoor}', '{"colour": "red", "watts": 24, "letters": 4}'),
    ('Sign "Coffee"', 4, 119.90, '{sign}', '{"colour": "orange", "watts": 32, "letters": 6}'),
    ('Sign to order', 4, 240.00, '{sign,custom}', '{"letters": null}'),
    ('Transformer', 5, 24.00, '{}', '{"volts": [110, 230]}'),
    ('Tube, 60 cm', 5, 18.50, '{fragile}', '{"colour": "orange"}');
INSERT INTO customers (name, email, city, newsletter, since)
SELECT first || ' ' || last, lower(first || '.' || last) || '@example.com',
    (ARRAY['Lisbon', 'Vienna', 'Oslo', 'Ghent', NULL, 'Turin', 'Kyoto'])[(n * 5) % 7 + 1],
    n % 3 = 0, date '2026-11-20' - n * 3
FROM (
    SELECT row_number() OVER (ORDER BY l, f)::integer AS n, first, last
    FROM unnest(ARRAY['Ada', 'Grace', 'Edsger', 'Barbara', 'Alan', 'Radia', 'Donald', 'Frances',
                      'Ken', 'Margaret', 'Niklaus', 'Sophie']) WITH ORDINALITY AS firsts (first, f),
        unnest(ARRAY['Almeida', 'Berger', 'Costa', 'Dubois', 'Eriksen', 'Fontana', 'Gruber', 'Hansen',
                     'Ito', 'Janssens', 'Keller', 'Lindgren', 'Moreau', 'Novak', 'Okafor', 'Peeters',
                     'Rossi', 'Sato', 'Tanaka', 'Weber']) WITH ORDINALITY AS lasts (last, l)
) AS people ORDER BY n;
INSERT INTO orders (customer_id, status, placed_at, note)
SELECT (n * 37) % 240 + 1,
    (ARRAY['sent', 'sent', 'paid', 'sent', 'new', 'sent', 'returned'])[n % 7 + 1],
    timestamptz '2026-01-02 08:00+00' + n * interval '3 hours 47 minutes',
    (ARRAY[NULL, NULL, 'Please ring twice', NULL, 'A present'])[n % 5 + 1]
FROM generate_series(1, 2000) AS n;
INSERT INTO order_lines (order_id, product_id, quantity, price)
SELECT o.id, p.id, (o.id + p.id) % 3 + 1, p.price
FROM orders AS o JOIN products AS p ON (o.id * 7 + p.id * 3) % 5 = 0;
INSERT INTO payments (order_id, method, amount, paid_at)
SELECT o.id, (ARRAY['card', 'transfer', 'card', 'cash'])[o.id % 4 + 1], sum(l.price * l.quantity),
    o.placed_at + interval '2 minutes'
FROM orders AS o JOIN order_lines AS l ON l.order_id = o.id
WHERE o.status <> 'new' GROUP BY o.id ORDER BY o.id;
INSERT INTO reviews (product_id, customer_id, stars, words)
SELECT n % 9 + 1, (n * 11) % 240 + 1, (n * 7) % 4 + 2,
    (ARRAY['It glows.', NULL, 'Brighter than I thought, and quiet.', 'Came in two days.'])[n % 4 + 1]
FROM generate_series(1, 220) AS n ON CONFLICT DO NOTHING;

CREATE VIEW sales AS
SELECT date_trunc('month', o.placed_at) AS month, count(DISTINCT o.id) AS orders,
    sum(l.price * l.quantity) AS total
FROM orders AS o JOIN order_lines AS l ON l.order_id = o.id
WHERE o.status <> 'returned' GROUP BY 1;
COMMENT ON VIEW sales IS 'By month, without what was returned';
