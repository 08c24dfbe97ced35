# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read kubeconfig files. Only users of a credential plugin (exec, auth-provider) need the kubernetes package for it."""

from __future__ import annotations

import base64
import binascii
import importlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..errors import Unreachable, needed_library

if TYPE_CHECKING:
    from .access import Access

_PATHS = ("certificate-authority", "client-certificate", "client-key", "tokenFile")


@dataclass(frozen=True)
class KubeConfig:
    """One or several kubeconfig files as one; of two entries with the same name the first counts, as with kubectl."""

    source: str
    raw: dict[str, Any] = field(repr=False)

    def chosen(self, name: str) -> str:
        """The context that was asked for, or else the current one."""
        name = name or str(self.raw.get("current-context") or "")
        if name:
            return name
        raise Unreachable(
            "it has no current context and no context was asked for",
            where=self.source,
            next_step=f"Give the option context: {self._known('contexts')}",
        )

    def context(self, name: str) -> dict[str, Any]:
        """Cluster, user and namespace of a context."""
        return self._entry("contexts", "context", name)

    def cluster(self, context: Mapping[str, Any]) -> dict[str, Any]:
        """Address and certificates of a context's cluster."""
        return self._entry("clusters", "cluster", str(context.get("cluster") or ""))

    def user(self, context: Mapping[str, Any]) -> dict[str, Any]:
        """Credentials of a context's user; a context may have none."""
        name = str(context.get("user") or "")
        return self._entry("users", "user", name) if name else {}

    def decoded(self, entry: Mapping[str, Any], key: str) -> str:
        """Text of a base64 field, "" when there is none."""
        try:
            return base64.b64decode(entry.get(key) or "", validate=True).decode()
        except (binascii.Error, ValueError, TypeError):
            # The cause would quote the value, which may be a key.
            raise Unreachable(
                f"{key} is not valid base64",
                where=self.source,
                next_step="Download the kubeconfig again",
            ) from None

    def with_plugin_credentials(self, access: Access, context: str) -> Access:
        """Let the kubernetes package run the credential plugin; it also renews the token when that expires."""
        with needed_library("kubernetes"):
            client = importlib.import_module("kubernetes.client")
            config = importlib.import_module("kubernetes.config")
        settings = client.Configuration()
        failed = Unreachable(
            f"the credential plugin of {access.user} gave no credentials",
            next_step="Run kubectl with this kubeconfig on the same host to see what the plugin says",
        )
        try:
            config.load_kube_config_from_dict(
                self.raw, context=context, client_configuration=settings, persist_config=False
            )
        except (config.ConfigException, AttributeError, KeyError, OSError, TypeError, ValueError) as error:
            raise failed from error

        def renew() -> str:
            header = str(settings.get_api_key_with_prefix("BearerToken", "authorization") or "")
            return header.removeprefix("Bearer ")

        if not renew() and not settings.cert_file:
            raise failed
        return replace(
            access,
            renew_token=renew if renew() else None,
            client_cert=settings.cert_file or "",
            client_key=settings.key_file or "",
        )

    def _entry(self, section: str, key: str, name: str) -> dict[str, Any]:
        for entry in self.raw[section]:
            if entry.get("name") == name and isinstance(entry.get(key), dict):
                return dict(entry[key])
        raise Unreachable(
            f"it has no {key} '{name}'",
            where=self.source,
            next_step=f"Choose one of: {self._known(section)}",
        )

    def _known(self, section: str) -> str:
        return ", ".join(sorted(str(entry.get("name")) for entry in self.raw[section])) or "(there are none)"


def read_kubeconfig(source: str | Mapping[str, Any]) -> KubeConfig:
    """Read a kubeconfig given as path, as several paths separated like PATH, or as the mapping itself."""
    if isinstance(source, Mapping):
        return KubeConfig("the given kubeconfig", _joined([_checked(dict(source), "the given kubeconfig")]))
    paths = [os.path.expanduser(path) for path in str(source).split(os.pathsep) if path]
    present = [path for path in paths if os.path.exists(path)]
    if not present:
        raise Unreachable(
            "there is no such file" if len(paths) == 1 else "none of these files exists",
            where=f"kubeconfig {os.pathsep.join(paths)}",
            next_step="Give the path of a kubeconfig on the host where the task runs",
        )
    return KubeConfig(f"kubeconfig {os.pathsep.join(present)}", _joined([_read(path) for path in present]))


def _read(path: str) -> dict[str, Any]:
    with needed_library("pyyaml"):
        import yaml
    where = f"kubeconfig {path}"
    try:
        with open(path, encoding="utf-8") as file:
            raw = yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except OSError as error:
        raise Unreachable(f"it cannot be read: {error.strerror}", where=where) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        # Only the position: the parser's text quotes the line, which may hold a key.
        mark = getattr(error, "problem_mark", None)
        line = f" (line {mark.line + 1})" if mark else ""
        raise Unreachable(f"it is not valid YAML{line}", where=where, next_step="Download it again") from None
    raw = _checked(raw, where)
    folder = os.path.dirname(os.path.abspath(path))
    for section, key in (("clusters", "cluster"), ("users", "user")):
        for entry in raw[section]:
            body = entry.get(key) or {}
            body.update({name: os.path.join(folder, body[name]) for name in _PATHS if body.get(name)})
    return raw


def _checked(raw: Any, where: str) -> dict[str, Any]:
    """The parts we read have the shape we expect."""
    sections = ("clusters", "contexts", "users")
    right = isinstance(raw, dict) and all(
        isinstance(raw.get(section) or [], list) and all(isinstance(entry, dict) for entry in raw.get(section) or [])
        for section in sections
    )
    if not right:
        raise Unreachable("it is not a kubeconfig", where=where, next_step="Give a file as kubectl reads it")
    return {**raw, **{section: raw.get(section) or [] for section in sections}}


def _joined(configs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    joined = dict(configs[0])
    for section in ("clusters", "contexts", "users"):
        joined[section] = [entry for config in configs for entry in config[section]]
    joined["current-context"] = next((c["current-context"] for c in configs if c.get("current-context")), "")
    return joined
