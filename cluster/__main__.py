# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, scp.dataops contributors
"""The embedded cluster's command line: ``python3 -m cluster VERB``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass

from . import build, images, lifecycle, prerequisites, settings
from .errors import ClusterError
from .progress import say


@dataclass(frozen=True)
class Verb:
    """A command: its name and what follows it, one line of help, and what it does. It returns the exit code."""

    usage: str
    help: str
    run: Callable[[list[str]], int]

    @property
    def name(self) -> str:
        return self.usage.split()[0]

    def check(self, arguments: list[str]) -> None:
        """Refuse more than the verb understands, so that ``down --help`` takes nothing down."""
        if surplus := arguments[len(self.usage.split()) - 1 :]:
            raise ClusterError(f'"{self.name}" does not know "{surplus[0]}".', f"Use: python3 -m cluster {self.usage}")


def _need_cluster() -> None:
    if not settings.KUBECONFIG.exists():
        raise ClusterError("There is no cluster.", "Start one with: python3 -m cluster up")


def _up(_: list[str]) -> int:
    if not prerequisites.uses_other_cluster():
        lifecycle.up()
    return 0


def _down(_: list[str]) -> int:
    lifecycle.down()
    return 0


def _status(_: list[str]) -> int:
    _need_cluster()
    rows = lifecycle.status()
    for name, complaint in rows:
        print(f"{name:<24} {complaint or 'ok'}")
    return 1 if any(complaint for _, complaint in rows) else 0


def _kubeconfig(_: list[str]) -> int:
    _need_cluster()
    print(settings.KUBECONFIG)
    return 0


def _logs(arguments: list[str]) -> int:
    logs = {file.name.removesuffix(".log"): file for file in sorted(settings.LOGS.glob("*.log"))}
    if not arguments:
        for name, file in logs.items():
            print(f"{name:<24} {file}")
        return 0
    if arguments[0] not in logs:
        raise ClusterError(f"There is no log of {arguments[0]}.", f"There are: {', '.join(logs) or 'none'}")
    with logs[arguments[0]].open(errors="replace") as log:
        try:
            for line in log:
                sys.stdout.write(line)
            sys.stdout.flush()
        except BrokenPipeError:
            # The reader, such as head, has seen enough; what is left must not fail once more at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _images(_: list[str]) -> int:
    _need_cluster()
    missing = images.missing(build.build())
    for image in settings.IMAGES:
        print(f"{image.reference:<48} {'missing or outdated' if image.reference in missing else 'present'}")
    return 1 if missing else 0


VERBS = (
    Verb("up", "start the cluster, or repair it; nothing happens if it is healthy", _up),
    Verb("down", "end it and leave nothing behind but caches", _down),
    Verb("status", "one line for each component; exit code 0 only if all is well", _status),
    Verb("kubeconfig", "print the path of the administrator's kubeconfig", _kubeconfig),
    Verb("logs [component]", "print the log of a component; without one, list the logs", _logs),
    Verb("images", "list the images and whether the registry has them", _images),
)


def _usage() -> str:
    lines = [f"  {verb.usage:<20} {verb.help}" for verb in VERBS]
    return "\n".join(["usage: python3 -m cluster VERB", *lines])


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        say(_usage())
        return 0 if arguments else 2
    verb = next((verb for verb in VERBS if verb.name == arguments[0]), None)
    if verb is None:
        say(f'There is no verb "{arguments[0]}". Use one of: {", ".join(verb.name for verb in VERBS)}.')
        return 2
    try:
        verb.check(arguments[1:])
        return verb.run(arguments[1:])
    except ClusterError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("Interrupted. Run it again to go on from here.")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
