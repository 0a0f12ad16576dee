"""Operations of Django's migrations and of pgvector's, and the extension that each creates."""

from __future__ import annotations

DJANGO_OPERATIONS = {
    "BloomExtension": "bloom",
    "BtreeGinExtension": "btree_gin",
    "BtreeGistExtension": "btree_gist",
    "CITextExtension": "citext",
    "CryptoExtension": "pgcrypto",
    "HStoreExtension": "hstore",
    "TrigramExtension": "pg_trgm",
    "UnaccentExtension": "unaccent",
    "VectorExtension": "vector",
}
"""https://docs.djangoproject.com/en/stable/ref/contrib/postgres/operations/
https://github.com/pgvector/pgvector-python#django
"""
