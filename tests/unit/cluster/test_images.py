# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the registry already holds is not built, and a build gets this machine's way to the package registries."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from cluster import images, settings
from cluster.build import Binaries

PROGRAMS = ("kubernetes", "contour", "registry", "pause", "statsd_exporter", "envoy")
BINARIES = Binaries(*(Path(f"{name}-1") for name in PROGRAMS))
AIRFLOW = settings.IMAGES[-1]
AIRFLOW_TAG = settings.AIRFLOW[-1]

# Digest of the tag made of the sources; digest of the tag that pods use; whether nothing has to be done.
HELD = {
    "as built": ("sha256:a", "sha256:a", True),
    "never built": (None, None, False),
    "older sources": (None, "sha256:a", False),
    "cut short between two pushes": ("sha256:b", "sha256:a", False),
    "only the first push": ("sha256:b", None, False),
}


@pytest.mark.parametrize(("built", "used", "current"), HELD.values(), ids=HELD.keys())
def test_is_current(built: str | None, used: str | None, current: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    held = {"source-1": built, AIRFLOW.tag: used}
    monkeypatch.setattr(images, "_digest", lambda _repository, tag: held[tag])
    assert images.is_current(AIRFLOW, "source-1") is current


def test_only_what_is_outdated_is_built(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    built: list[Any] = []
    monkeypatch.setattr(images, "is_current", lambda image, _tag: image is not AIRFLOW)
    monkeypatch.setattr(images, "_build_and_push", lambda image, *_rest: built.append(image))
    images.provide(BINARIES)
    assert built == [AIRFLOW]
    assert images.missing(BINARIES) == [f"10.250.0.1:5000/apache/airflow:{AIRFLOW_TAG}"]
    assert f"build and push image apache/airflow:{AIRFLOW_TAG}: done in" in capsys.readouterr().err


def test_both_tags_are_pushed_with_the_one_of_the_sources_first(commands: Any, tmp_path: Path) -> None:
    (tmp_path / "pause").write_text("x")
    binaries = Binaries(*[tmp_path] * len(PROGRAMS))
    images._build_and_push(settings.PAUSE, "source-1", binaries)
    assert [line.split()[5] for line in commands.ran] == ["bud", "push", "push", "rmi"]
    assert [line.split()[-1] for line in commands.ran[1:3]] == [
        "docker://10.250.0.1:5000/pause:source-1",
        "docker://10.250.0.1:5000/pause:1",
    ]


def test_one_source_makes_more_than_one_image_by_its_arguments(commands: Any) -> None:
    settings.CACHE.mkdir()
    (older, newer) = (image for image in settings.IMAGES if image.source == AIRFLOW.source)
    assert images.source_tag(older, BINARIES) != images.source_tag(newer, BINARIES)
    images._build_and_push(AIRFLOW, "source-1", BINARIES)
    assert f"--build-arg=AIRFLOW_VERSION={AIRFLOW_TAG} " in next(line for line in commands.ran if " bud " in line)


@pytest.mark.parametrize("value", ["http://proxy:3128", "http://user:it's $5@proxy"])
def test_variables_reach_a_build_as_they_are(
    value: str, commands: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    certificates = tmp_path / "authorities.pem"
    certificates.write_text("CERTIFICATES")
    settings.CACHE.mkdir()
    monkeypatch.setenv("https_proxy", value)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates))
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "none"))
    commands.answers["apt-config dump"] = 'Acquire::http::Proxy "http://apt";\nAPT::Color "1";\n'
    folder = tmp_path / "build"
    options = images._build_mounts(folder)
    shown = subprocess.run(
        ["sh", "-c", '. "$0/env"; printf "%s|%s" "$https_proxy" "$PIP_CERT"', folder],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert shown == f"{value}|/run/build/authorities.crt"
    assert (folder / "authorities.crt").read_text() == "CERTIFICATES"
    assert (folder / "apt.conf").read_text() == 'Acquire::http::Proxy "http://apt";\n'
    assert f"{folder}:/run/build:ro" in options


def test_a_base_is_made_once(commands: Any) -> None:
    commands.answers[f"buildah --root {settings.CACHE}/buildah/root --runroot {settings.CACHE}/buildah/run images"] = (
        "localhost/scp-dataops-base:bookworm\n"
    )
    images._provide_base()
    assert len(commands.ran) == 1
