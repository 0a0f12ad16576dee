"""Generated projects in production: the image's steps, a plain DATABASE_URL, nothing made."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
import yaml

from tests import asking
from tests.environments import offline_pip
from tests.postgres import free_port
from tests.project import Project, clean_environ
from tests.templates.generated import neonup_new, running
from tests.templates.image import Image

SETTINGS = {"SECRET_KEY": "a1B2c3D4e5" * 5, "ALLOWED_HOSTS": "www.example.com"}
BEHIND_PROXY = {"Host": "www.example.com", "X-Forwarded-Proto": "https"}


@pytest.fixture
def url(tmp_path: Path, neonup_home: Path) -> str:
    """Somebody's database."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    project = Project(folder, clean_environ(neonup_home))
    project.ok("--provider", "local")
    return project.url


def _image(tmp_path: Path, template: str, shell: dict[str, str]) -> Image:
    made = neonup_new(tmp_path, template, "Shop", "-y", environ=shell)
    assert made.returncode == 0, made.stderr
    environ = offline_pip(
        {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path / "nobody")}, tmp_path / "image/venv/bin"
    )
    image = Image(tmp_path / "shop", tmp_path / "image", {**environ, "PATH": "/usr/bin:/bin"})
    image.build()
    return image


def _migration(image: Image) -> str:
    compose = yaml.safe_load((image.project / "compose.yaml").read_text("utf-8"))
    services = compose["services"]
    assert services.keys() == {"migrate", "app"}  # and no database
    for service in services.values():
        assert service["env_file"] == ".env.production"
    command: str = services["migrate"]["command"]
    return command


@pytest.mark.parametrize("template", ["fastapi", "django"])
def test_the_image_migrates_and_serves_the_database_it_is_given(
    template: str, tmp_path: Path, shell: dict[str, str], url: str
) -> None:
    image = _image(tmp_path, template, shell)
    settings = {"DATABASE_URL": url} | (SETTINGS if template == "django" else {})
    described = (image.project / "README.md").read_text("utf-8")
    assert re.findall(r"^([A-Z_]+)='", described, re.M) == list(settings)

    migrated = image.run(_migration(image), **settings)
    assert migrated.returncode == 0, migrated.stderr

    port = free_port()
    command = " ".join(image.command).replace("0.0.0.0:8000", f"127.0.0.1:{port}")
    command = command.replace("0.0.0.0 --port 8000", f"127.0.0.1 --port {port}")
    address = f"http://127.0.0.1:{port}"
    environ = {**image.environ, **settings}
    with running(f"exec {command}", image.workdir, environ) as server:
        server.wait_for(address)
        with asking.client(base_url=address, headers=BEHIND_PROXY) as client:
            if template == "fastapi":
                assert client.get("/notes").raise_for_status().json() == []
                assert client.get("/_neon").status_code == 404
            else:
                _look_at_pages(client)
        assert "neonup  created" not in server.said
    assert not (tmp_path / "nobody").exists()


def _look_at_pages(client: httpx.Client) -> None:
    page = client.get("/").raise_for_status().text
    (script,) = re.findall(r'<script src="(/static/[^"]*)"', page)
    assert client.get(script).raise_for_status().headers["cache-control"].count("immutable")
    client.get("/admin/login/").raise_for_status()
    plain = client.get("/", headers={"X-Forwarded-Proto": "http"})
    assert plain.status_code == 301
    assert plain.headers["location"] == "https://www.example.com/"
    assert client.get("/", headers={"Host": "elsewhere.example"}).status_code == 400


@pytest.mark.parametrize("template", ["fastapi", "django"])
def test_without_a_database_it_says_so_and_makes_none(
    template: str, tmp_path: Path, shell: dict[str, str]
) -> None:
    image = _image(tmp_path, template, shell)
    refused = image.run(_migration(image), **SETTINGS)
    assert refused.returncode != 0
    assert "There is no DATABASE_URL, and no database was created" in refused.stderr + refused.stdout
    assert not (tmp_path / "nobody").exists()
