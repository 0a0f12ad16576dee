"""URLs as text: their parts, their pooled and direct forms, and what is hidden of them."""

from __future__ import annotations

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neonup import SettingsError, urls
from neonup.postgres.urls import PostgresUrl

POOLED = "postgresql://u:p@ep-cool-a1-pooler.c-2.us-east-2.aws.neon.tech/db?sslmode=require"
DIRECT = "postgresql://u:p@ep-cool-a1.c-2.us-east-2.aws.neon.tech/db?sslmode=require"

text = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12
)


@given(user=text, password=text, dbname=text, value=text)
def test_any_text_survives_and_libpq_reads_the_same(
    user: str, password: str, dbname: str, value: str
) -> None:
    url = PostgresUrl((("db.example", 6543),), user, password, dbname, {"application_name": value})
    assert urls.parse(str(url)) == url
    assert psycopg.conninfo.conninfo_to_dict(str(url)) == {
        "host": "db.example",
        "port": "6543",
        "user": user,
        "password": password,
        "dbname": dbname,
        "application_name": value,
    }


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("postgres://h/d", (("h", None),)),
        ("postgresql+asyncpg://u@h:5433/d", (("h", 5433),)),
        ("postgresql://u:p@[::1]:5433/d", (("::1", 5433),)),
        ("postgresql://[fe80::1%25eth0]/d", (("fe80::1%eth0", None),)),
        ("postgresql://a:1,b:2/d", (("a", 1), ("b", 2))),
        ("postgresql://a,[::1],c:3/d", (("a", None), ("::1", None), ("c", 3))),
        ("postgresql:///d?host=/run/pg&port=5433", (("/run/pg", 5433),)),
        ("postgresql://u:p@/d?host=/run/pg", (("/run/pg", None),)),
        ("postgresql://%2Frun%2Fpg/d", (("/run/pg", None),)),
        ("postgresql:///d?host=a,b&port=5433", (("a", 5433), ("b", 5433))),
        ("postgresql://:5433/d", (("", 5433),)),
        ("postgresql:///d", ()),
        ("postgresql://", ()),
    ],
)
def test_hosts(url: str, hosts: tuple[tuple[str, int | None], ...]) -> None:
    parts = urls.parse(url)
    assert parts.hosts == hosts
    again = urls.parse(str(parts)).hosts
    assert [(host, port or 5432) for host, port in again] == [(h, p or 5432) for h, p in hosts]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:s@cr/et@h/d",
        "postgresql://u:s#c@h:port/d",
        "postgresql://u:1/2@h/d",
        "postgresql://u:p@h:70000/d",
        "postgresql://u:p@h:0/d",
        "postgresql://u:p@a:1,b:2,c:3/d?host=x,y",
        "postgresql://u:p@h/d?sslmode",
        "mysql://u:s3cret@h/d",
        "sqlite:///s3cret",
        "s3cret",
        "",
        "host=h password=s3cret",
    ],
)
def test_what_is_no_postgres_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        urls.parse(url)
    assert "cannot be used" in str(caught.value)
    assert not any(secret in str(caught.value) for secret in ("s3cret", "s@cr", "s#c", "1/2"))


def test_what_is_not_encoded_but_clear_is_taken() -> None:
    assert urls.parse("postgresql://u:a@b@h/d").password == "a@b"
    assert urls.parse("postgresql://u:a?b#c@h/d").password == "a?b#c"
    assert urls.parse("postgresql://u:a%zb+c@h/d").password == "a%zb+c"
    assert urls.parse("postgresql://u:p@h?application_name=a@b").hosts == (("h", None),)


def test_the_query_may_name_the_place() -> None:
    parts = urls.parse("postgresql:///?user=u&password=p%26&dbname=d&host=h&options=-c%20a=b")
    assert parts == PostgresUrl((("h", None),), "u", "p&", "d", {"options": "-c a=b"})


@pytest.mark.parametrize(
    ("given", "sslmode"),
    [("ssl=true", "require"), ("ssl=verify-full", "verify-full"), ("ssl=false", "disable")],
)
def test_other_words_for_tls_become_sslmode(given: str, sslmode: str) -> None:
    assert urls.parse(f"postgresql://h/d?{given}").parameters == {"sslmode": sslmode}


def test_pooled_and_direct_are_each_others_inverse() -> None:
    assert urls.is_pooled(POOLED)
    assert not urls.is_pooled(DIRECT)
    assert urls.direct(POOLED) == DIRECT
    assert urls.pooled(DIRECT) == POOLED
    assert urls.direct(DIRECT) == DIRECT
    assert urls.pooled(POOLED) == POOLED


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:-pooler.@h/d",
        "postgresql://u:p@h/d-pooler",
        "postgresql://u:p@h.example/d?application_name=x-pooler@y",
        "postgresql://u:p@h.pooler-pooler.example/d",
        "https://h-pooler.example/",
        "not a url",
    ],
)
def test_the_word_pooler_elsewhere_means_nothing(url: str) -> None:
    assert not urls.is_pooled(url)
    assert urls.direct(url) == url


def test_a_pooler_beside_misleading_words() -> None:
    url = "postgresql://u:x-pooler.@ep-a-pooler.neon.tech:5432/d-pooler?options=a@-pooler"
    assert urls.direct(url) == url.replace("ep-a-pooler", "ep-a")
    assert urls.direct("postgresql://ep-a-pooler.neon.tech/d") == "postgresql://ep-a.neon.tech/d"


@pytest.mark.parametrize(
    "url", ["postgresql://u@127.0.0.1/d", "postgresql://db.example/d", "postgresql://ep-a/d"]
)
def test_only_an_endpoint_has_a_pooler(url: str) -> None:
    assert urls.pooled(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:s3cret@h/d",
        "postgresql://:s3cret@h/d",
        "postgres://u:a@b/s3cret@h/d",
        "postgresql+asyncpg://u:/s3cret@h/d",
        "postgresql://u@corp:s3cret@h/d",
        "postgresql:///d?user=u&password=s3cret&sslmode=require",
        "postgresql://h/d?sslpassword=s3cret",
        "host=h password=s3cret dbname=d",
        r"host=h password='a s3cret\' s3cret' dbname=d",
        "https://u:s3cret@h/path",
        "two: postgresql://u:s3cret@h/d and http://v:s3cret@w/",
    ],
)
def test_passwords_are_masked(url: str) -> None:
    masked = urls.mask(f"it says {url} there")
    assert "s3cret" not in masked
    assert "***" in masked
    assert masked.startswith("it says ")
    assert masked.endswith(" there")
    assert urls.mask(masked) == masked


def test_what_has_no_password_is_left_as_it_is() -> None:
    for plain in ("https://h:80/a", "postgresql://u@h:5432/d", "at 12:30 me@example.org", ""):
        assert urls.mask(plain) == plain


def test_repr_shows_no_password() -> None:
    assert "s3cret" not in repr(urls.parse("postgresql://u:s3cret@h/d"))
    assert "s3cret" not in repr(urls.parse("postgresql://h/d?password=s3cret"))


@pytest.mark.parametrize(
    ("url", "tls"),
    [
        ("postgresql://h/d", False),
        ("postgresql://h/d?sslmode=prefer", False),
        ("postgresql://h/d?sslmode=require", True),
        ("postgresql://h/d?sslrootcert=system", True),
        ("postgresql:///d?host=/run/pg&sslmode=require", False),
    ],
)
def test_which_urls_insist_on_tls(url: str, tls: bool) -> None:
    assert urls.parse(url).wants_tls is tls


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "::1", "/run/pg"])
def test_this_machine(host: str) -> None:
    assert urls.is_loopback(host)


@pytest.mark.parametrize("host", ["db.example", "10.0.0.1", "", "localhost.example"])
def test_another_machine(host: str) -> None:
    assert not urls.is_loopback(host)
