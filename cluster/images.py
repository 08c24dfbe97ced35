# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, scp.dataops contributors
"""The container images: built from cluster/images with buildah, kept in the cluster's registry.

The registry's storage is in the cache, so it is the cache of images too. Each image has a second tag that is the hash
of its sources: as long as that is there and the first one means the same, nothing is built or pushed.
"""

from __future__ import annotations

import os
import shlex
import shutil
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from . import settings
from .build import Binaries, content_hash
from .errors import ClusterError
from .progress import step
from .shell import run

# The Containerfiles name it in their FROM.
_BASE = f"localhost/scp-dataops-base:{settings.DEBIAN_SUITE}"
_MANIFEST_TYPES = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
# What a build inside a container must know of the machine to reach package registries; none of it stays in an image.
_PASSED_ON = (
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "PIP_DEFAULT_TIMEOUT",
    "UV_INDEX_URL",
    "UV_DEFAULT_INDEX",
)
_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
_IN_BUILD = "/run/build"


def source_tag(image: settings.Image, binaries: Binaries) -> str:
    """The tag that says from which sources an image was built."""
    source = settings.SOURCES / "images" / image.source
    extra = [binaries.folder(image.program).name] if image.program else [settings.DEBIAN_SUITE]
    files = (file for file in source.iterdir() if file.is_file())
    return f"source-{content_hash(files, *extra, *image.arguments)}"


def is_current(image: settings.Image, tag: str) -> bool:
    """Whether the registry holds an image as built from today's sources."""
    built = _digest(image.repository, tag)
    return built is not None and built == _digest(image.repository, image.tag)


def provide(binaries: Binaries) -> None:
    """Have every image in the running registry; build only those whose sources changed."""
    for image in settings.IMAGES:
        tag = source_tag(image, binaries)
        if is_current(image, tag):
            continue
        with step(f"build and push image {image.repository}:{image.tag}"):
            _build_and_push(image, tag, binaries)


def missing(binaries: Binaries) -> list[str]:
    """Names of the images that the running registry does not hold."""
    return [image.reference for image in settings.IMAGES if not is_current(image, source_tag(image, binaries))]


def _digest(repository: str, tag: str) -> str | None:
    request = urllib.request.Request(
        f"http://{settings.REGISTRY}/v2/{repository}/manifests/{tag}",
        headers={"Accept": _MANIFEST_TYPES},
        method="HEAD",
    )
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
            return str(answer.headers["Docker-Content-Digest"])
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        raise ClusterError(f"The registry answered {error.code} for {repository}:{tag}.") from error
    except OSError as error:
        raise ClusterError(f"The registry at {settings.REGISTRY} does not answer ({error}).") from error


def _buildah(*arguments: str | Path) -> str:
    storage = settings.CACHE / "buildah"
    return run(["buildah", "--root", storage / "root", "--runroot", storage / "run", *arguments])


def _build_and_push(image: settings.Image, tag: str, binaries: Binaries) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        context = Path(scratch) / "context"
        shutil.copytree(settings.SOURCES / "images" / image.source, context)
        mounts: list[str] = []
        if image.program:
            shutil.copy(binaries.folder(image.program) / image.program, context)
        else:
            _provide_base()
            mounts = _build_mounts(Path(scratch) / "build")
        name = f"localhost/{image.source}:{tag}"
        arguments = [f"--build-arg={argument}" for argument in image.arguments]
        _buildah("bud", "--isolation", "chroot", "--layers=false", *mounts, *arguments, "--tag", name, context)
    for target in (tag, image.tag):
        destination = f"docker://{settings.REGISTRY}/{image.repository}:{target}"
        _buildah("push", "--quiet", "--tls-verify=false", name, destination)
    # The registry has it now; a second copy would only fill the disk.
    _buildah("rmi", name)


def _build_mounts(folder: Path) -> list[str]:
    """Make a folder with this machine's way to the package registries, and the options that mount it into a build."""
    folder.mkdir()
    certificates = f"{_IN_BUILD}/authorities.crt"
    shutil.copyfile(_authorities(), folder / "authorities.crt")
    variables = {name: value for name in _PASSED_ON if (value := os.environ.get(name))}
    variables.update(dict.fromkeys(("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE"), certificates))
    variables["DEBIAN_FRONTEND"] = "noninteractive"
    pip_settings = Path(os.environ.get("PIP_CONFIG_FILE", "/etc/pip.conf"))
    if pip_settings.is_file():
        shutil.copyfile(pip_settings, folder / "pip.conf")
        variables["PIP_CONFIG_FILE"] = f"{_IN_BUILD}/pip.conf"
    if apt := _apt_settings():
        (folder / "apt.conf").write_text(apt)
        variables["APT_CONFIG"] = f"{_IN_BUILD}/apt.conf"
    (folder / "env").write_text("".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()))
    lists = settings.CACHE / "apt-lists"
    lists.mkdir(exist_ok=True)
    return ["--volume", f"{folder}:{_IN_BUILD}:ro", "--volume", f"{lists}:/var/lib/apt/lists"]


def _authorities() -> Path:
    """The certificates that this machine trusts, including those that only a variable names."""
    named = Path(os.environ.get("SSL_CERT_FILE", ""))
    return named if named.is_file() else _AUTHORITIES


def _apt_settings() -> str:
    """The machine's settings for how apt reaches its mirrors, such as a proxy."""
    wanted = ("Acquire::http::Proxy", "Acquire::https::Proxy", "Acquire::http::proxy", "Acquire::https::proxy")
    return "".join(f"{line}\n" for line in run(["apt-config", "dump"]).splitlines() if line.startswith(wanted))


def _provide_base() -> None:
    """The small Debian that the images start from, made once with the machine's own package sources."""
    if _BASE in _buildah("images", "--format", "{{.Name}}:{{.Tag}}"):
        return
    with step(f"make the base image ({settings.DEBIAN_SUITE})"), tempfile.TemporaryDirectory() as scratch:
        tarball = Path(scratch) / "base.tar"
        options = [f"--aptopt={line}" for line in _apt_settings().splitlines()]
        sources = [str(file) for file in _apt_sources()]
        run(["mmdebstrap", "--variant=minbase", *options, settings.DEBIAN_SUITE, tarball, *sources])
        container = _buildah("from", "scratch").strip()
        _buildah("add", container, tarball, "/")
        _buildah("commit", "--quiet", "--rm", container, _BASE)


def _apt_sources() -> list[Path]:
    """The machine's own sources if it runs the same Debian; else mmdebstrap picks the public ones."""
    if f"VERSION_CODENAME={settings.DEBIAN_SUITE}\n" not in Path("/etc/os-release").read_text():
        return []
    candidates = [Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list")]
    return [file for file in candidates if file.is_file() and settings.DEBIAN_SUITE in file.read_text()][:1]
