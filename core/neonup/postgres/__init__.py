"""What every Postgres needs: URLs, the drivers' forms of them, psql, SQL scripts."""
