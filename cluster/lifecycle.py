# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, scp.dataops contributors
"""The life of the cluster: up, down, and how it is."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from . import addons, build, certificates, components, images, node, prerequisites, processes, settings
from .errors import ClusterError
from .ports import taken
from .processes import Component
from .progress import say, step, wait_until

OBJECTS: dict[str, processes.Probe] = {
    "node": addons.why_node_not_ready,
    "ingress address": addons.why_not_published,
    "git server": addons.why_git_not_ready,
    "git ingress": addons.why_ingress_not_ready,
}


def up() -> None:
    """Have a healthy cluster: none is left alone, a damaged one is repaired, a hopeless one is built anew."""
    prerequisites.check_machine()
    with _only_one():
        if _healthy():
            say(f"The cluster is up already. KUBECONFIG={settings.KUBECONFIG}")
            return
        prerequisites.check_state_folder()
        prerequisites.install_packages()
        prerequisites.check_room(first_build=bool(build.missing()))
        binaries = build.build()
        if _can_be_repaired():
            try:
                with step("repair the cluster"):
                    _bring_up(binaries)
                return
            except ClusterError as error:
                say(f"The cluster could not be repaired and is built anew: {error}")
        _clear()
        prerequisites.check_ports()
        _bring_up(binaries)


def down() -> None:
    """Leave the machine as it was before ``up``. Builds and images stay in the cache."""
    prerequisites.check_machine()
    with _only_one():
        if not settings.STATE.exists() and not node.has_leftovers():
            say("There is no cluster.")
            return
        with step("take down the cluster"):
            _clear()


def status() -> list[tuple[str, str]]:
    """Name and complaint of each component and of what the cluster must hold; an empty complaint means all is well."""
    rows = [(component.name, processes.state_of(component)) for component in _components()]
    return rows + [(name, probe()) for name, probe in OBJECTS.items()]


def _components() -> Iterator[Component]:
    return (make() for make in components.ALL)


@contextmanager
def _only_one() -> Iterator[None]:
    """Two commands at once would take each other's processes for leftovers."""
    settings.CACHE.mkdir(parents=True, exist_ok=True)
    with (settings.CACHE / "cluster.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("Another command is working on the cluster; waiting for it ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _healthy() -> bool:
    return settings.KUBECONFIG.exists() and not any(complaint for _, complaint in status())


def _can_be_repaired() -> bool:
    """A cluster whose data is complete and of this boot; after a reboot, mounts and addresses are gone anyway."""
    records = [processes.read_record(file) for file in settings.PROCESSES.glob("*.json")]
    return settings.KUBECONFIG.exists() and any(record and record.boot == processes.boot_id() for record in records)


def _clear() -> None:
    """Nothing of a cluster is left after this."""
    if node.has_leftovers() or settings.STATE.exists():
        # Their data goes too, so the API server need not wait for those who watch it.
        processes.stop(settings.PROCESSES.glob("*.json"), patience=2)
        owner = taken(settings.API)
        if owner.startswith(settings.API.component):
            raise ClusterError(
                f"{owner} serves another cluster on {settings.API}; a machine has room for one.",
                f"Its state folder is not {settings.STATE}: set SCP_DATAOPS_STATE to the right one.",
            )
        node.clear()


def _bring_up(binaries: build.Binaries) -> None:
    with step("prepare the node"):
        node.prepare()
        _link_programs(binaries)
        certificates.make()
        components.write_configuration()
    with step("start registry, containerd and etcd"):
        _start(components.RUNTIME)
    images.provide(binaries)
    with step("start the API server"):
        _start(components.API)
    with step("start the controllers and the node's services"):
        _start((*components.CONTROLLERS, *components.NODE))
    with step("apply what a managed cluster brings along"):
        addons.apply(binaries)
    with step("start the ingress controller"):
        _start(components.INGRESS)
    for name, probe in OBJECTS.items():
        with step(f"wait for the {name}"):
            wait_until(name, probe, seconds=120, alive=_first_dead)
    say(f"The cluster is up. KUBECONFIG={settings.KUBECONFIG}")


def _first_dead() -> str:
    return next((why for component in _components() if (why := processes.why_dead(component))), "")


def _start(group: tuple[Callable[[], Component], ...]) -> None:
    """Start a group of components at once and wait for the last one."""
    started = [make() for make in group]
    for component in started:
        processes.start(component)
    for component in started:
        wait_until(component.name, component.probe, 60, alive=partial(processes.why_dead, component))


def _link_programs(binaries: build.Binaries) -> None:
    settings.BIN.mkdir(parents=True, exist_ok=True)
    for name, program in binaries.programs().items():
        link = settings.BIN / name
        if not link.is_symlink() or link.readlink() != program:
            link.unlink(missing_ok=True)
            link.symlink_to(program)
