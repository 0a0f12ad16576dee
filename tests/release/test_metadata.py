"""What a package index is told of each distribution."""

from __future__ import annotations

import re
from pathlib import Path

from markdown_it import MarkdownIt
from packaging.metadata import Metadata
from packaging.requirements import Requirement
from trove_classifiers import classifiers

import neonup
from tests.release.building import ROOT, contents, project_table
from tests.release.conftest import Dist

PYTHONS = ("3.11", "3.12", "3.13")
"""What it is tested on."""
_NEWEST = re.compile(r"^## (?P<version>\d+\.\d+\.\d+)\b", re.M)


def _metadata(archive: Path) -> Metadata:
    (content,) = (
        content
        for path, content in contents(archive).items()
        if path == "PKG-INFO" or path.endswith(".dist-info/METADATA")
    )
    return Metadata.from_email(content)  # raises for what an index refuses


def test_it_is_complete(name: str, dist: Dist) -> None:
    for archive in dist.archives(name):
        metadata = _metadata(archive)
        assert (metadata.name, str(metadata.version)) == (name, neonup.__version__)
        assert metadata.license_expression == "Apache-2.0"
        assert metadata.license_files == ["LICENSE"]
        assert metadata.requires_python == ">=3.11"
        assert metadata.description_content_type == "text/markdown"
        assert metadata.summary and len(metadata.summary) <= 100
        assert metadata.keywords
        given = set(metadata.classifiers or ())
        assert given <= classifiers
        language = "Programming Language :: Python :: "
        assert {one for one in given if one.startswith(language)} == {
            *(language + python for python in PYTHONS),
            language + "3 :: Only",
        }


def test_its_description_can_be_read_away_from_the_repository(name: str, dist: Dist) -> None:
    description = _metadata(dist.wheel(name)).description
    assert description and description.startswith(f"# {name}\n")
    inside = [
        child
        for token in MarkdownIt().parse(description)
        for child in token.children or ()
        if child.type in ("link_open", "image")
    ]
    targets = [str(child.attrs.get("href", child.attrs.get("src"))) for child in inside]
    assert [target for target in targets if not target.startswith("https://")] == []


def test_the_changelog_begins_with_this_version() -> None:
    newest = _NEWEST.search((ROOT / "CHANGELOG.md").read_text("utf-8"))
    assert newest
    assert newest["version"] == neonup.__version__


def test_the_readme_says_which_version_this_is() -> None:
    major_minor = neonup.__version__.rpartition(".")[0]
    assert f"version {major_minor}" in (ROOT / "README.md").read_text("utf-8")


def test_no_document_installs_another_version() -> None:
    pinned = re.compile(r"neonup(?:-\w+)?(?:\[[\w,]+\])?==(?P<version>[\d.]*\d)")
    documents = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("templates/*/*/*.toml")]
    for document in documents:
        found = {one["version"] for one in pinned.finditer(document.read_text("utf-8"))}
        assert found <= {neonup.__version__}, document


def test_all_is_every_extra() -> None:
    extras = project_table("neonup")["optional-dependencies"]
    (everything,) = extras.pop("all")
    assert Requirement(everything).extras == set(extras)
