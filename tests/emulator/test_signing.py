"""Tokens are the local Neon's own, and say so."""

from __future__ import annotations

import stat
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import KeySet

from neonup_emulator.neon.accounts.signing import Signer


def test_what_is_signed_is_recognized_and_nothing_else(tmp_path: Path) -> None:
    mine, other = Signer(tmp_path / "mine.pem"), Signer(tmp_path / "other.pem")
    token = mine.sign({"sub": "ada"}, type="at+jwt")
    assert mine.claims(token) == {"sub": "ada"}
    assert Signer(tmp_path / "mine.pem").claims(token) == {"sub": "ada"}
    assert other.claims(token) is None
    unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ."
    for wrong in ("", "x", "a.b.c", unsigned, token[:-4] + "AAAA", "ä.ö.ü"):
        assert mine.claims(wrong) is None


def test_the_published_key_checks_it_and_is_no_secret(tmp_path: Path) -> None:
    signer = Signer(tmp_path / "key.pem")
    token = signer.sign({"sub": "ada"})
    published = signer.public()
    assert not {"d", "p", "q"} & published["keys"][0].keys()
    decoded = jwt.decode(token, KeySet.import_key_set(published))  # type: ignore[arg-type]
    assert decoded.claims == {"sub": "ada"}
    assert decoded.header["kid"] == published["keys"][0]["kid"]
    assert stat.S_IMODE((tmp_path / "key.pem").stat().st_mode) == 0o600
