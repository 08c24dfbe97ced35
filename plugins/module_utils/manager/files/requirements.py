# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requirements of Python libraries, as pip reads them, without what would reach beyond the text itself.

Where packages come from is set for the cluster and not in an upload, so options that choose an index are refused. No
refusal quotes an address: there may be a password in it.
"""

from __future__ import annotations

import ast
import re
from urllib.parse import urlsplit

from ...errors import BadOption

TEXT_MAX = 2**20
NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
VERSION = r"(?:~=|===|==|!=|<=|>=|<|>)\s*[A-Za-z0-9_.*+!-]+"
VERSIONS = rf"{VERSION}(?:\s*,\s*{VERSION})*\s*,?"
REQUIREMENT = re.compile(
    rf"(?P<name>{NAME})\s*(?P<extras>\[\s*(?:{NAME}(?:\s*,\s*{NAME})*)?\s*\])?\s*"
    rf"(?:@\s*(?P<url>\S+)|\(\s*{VERSIONS}\s*\)|{VERSIONS})?\s*"
)
HASH = re.compile(r"\s--hash[= ](?:sha256|sha384|sha512):[0-9a-fA-F]+(?=\s|$)")
# What pip would look for beside the text.
FILE = re.compile(r"[./~]|.*\.(?:whl|zip|tgz|tar\.gz)$")
ONE_FILE = "Write what it holds into this text"
INDEX_ELSEWHERE = "Leave it out: where packages come from is set for the Manager and not in an upload"
UPLOAD_WHEEL = "Build a wheel and upload that"
# Options that are refused, and what to do instead. Short and long forms; the value may follow '=' or a space.
REFUSED_OPTIONS = {
    ("-r", "--requirement"): ONE_FILE,
    ("-c", "--constraint"): "Leave it out: the packages of Airflow's image are the constraints",
    ("-e", "--editable"): UPLOAD_WHEEL,
    ("-i", "--index-url"): INDEX_ELSEWHERE,
    ("--extra-index-url",): INDEX_ELSEWHERE,
    ("--pypi-url",): INDEX_ELSEWHERE,
    ("--no-index",): INDEX_ELSEWHERE,
    ("--trusted-host",): INDEX_ELSEWHERE,
    ("-f", "--find-links"): "Upload wheels beside this text, they are found",
}
TAKEN_OPTIONS = ("--pre", "--prefer-binary", "--only-binary", "--no-binary", "--require-hashes")
SCHEMES = ("https", "http", "git+https", "git+http")
MARKERS = frozenset(
    {
        "os_name", "sys_platform", "platform_machine", "platform_python_implementation", "platform_release",
        "platform_system", "platform_version", "python_version", "python_full_version", "implementation_name",
        "implementation_version", "extra",
    }
)  # fmt: skip
# What the conditions of a requirement consist of; Python's own grammar has all of it but two signs.
MARKER_PARTS = (
    ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.Compare, ast.Name, ast.Load, ast.Constant,
    ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn,
)  # fmt: skip


def check_text(content: bytes, path: str) -> None:
    """:raises BadOption: naming the line."""
    if not lines(decoded(content, path), path):
        raise BadOption("it asks for nothing", where=path, next_step="Write a requirement, such as pandas==2.3.3")


def decoded(content: bytes, path: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadOption("it is not written in UTF-8", where=path, next_step="Save it as UTF-8 text") from error


def lines(text: str, path: str) -> list[str]:
    """What is asked for, one requirement or option each: without comments, and with what continues on the next line."""
    found = []
    for number, line in joined(text):
        bare = re.sub(r"(^|\s)#.*$", "", line).strip()
        if bare:
            check_line(bare, f"{path} line {number}")
            found.append(bare)
    return found


def joined(text: str) -> list[tuple[int, str]]:
    """Lines with the number where they begin; a backslash at the end joins the next one."""
    whole: list[tuple[int, str]] = []
    goes_on = False
    for number, line in enumerate(text.splitlines(), 1):
        if goes_on:
            first, before = whole.pop()
            whole.append((first, f"{before} {line.strip()}"))
        else:
            whole.append((number, line))
        goes_on = line.endswith("\\") and not line.lstrip().startswith("#")
        if goes_on:
            first, before = whole.pop()
            whole.append((first, before.rstrip("\\")))
    return whole


def check_line(line: str, at: str) -> None:
    if line.startswith("-"):
        check_option(line, at)
        return
    bare = HASH.sub("", f"{line} ")
    if option := re.search(r"\s(--?[a-z][a-z-]*)", bare):
        raise BadOption(f"option {option[1]} is not taken here", where=at, next_step="Use --hash only")
    # In an address a semicolon is one of its characters, unless there is a space before it.
    requirement, divided, marker = bare.partition(" ;" if "@" in bare else ";")
    parsed = REQUIREMENT.fullmatch(requirement.strip())
    if parsed is None or FILE.match(parsed["name"]):
        raise BadOption(not_understood(requirement), where=at, next_step=next_step_for(requirement))
    if parsed["url"]:
        check_url(parsed["url"], at)
    if divided:
        check_marker(marker.strip(), at)


def check_option(line: str, at: str) -> None:
    given = re.split(r"[=\s]", line, maxsplit=1)[0]
    for names, instead in REFUSED_OPTIONS.items():
        # A short one may have its value right behind it.
        if given in names or (not given.startswith("--") and given[:2] in names):
            raise BadOption(f"option {names[-1]} is not taken here", where=at, next_step=instead)
    if given not in TAKEN_OPTIONS:
        raise BadOption(
            f"there is no option {given[:40]}", where=at, next_step=f"Use {', '.join(TAKEN_OPTIONS)}, or --hash"
        )


def not_understood(requirement: str) -> str:
    return "an address needs a name before it" if "://" in requirement else f"'{requirement.strip()[:80]}' is not clear"


def next_step_for(requirement: str) -> str:
    if "://" in requirement:
        return "Write NAME @ ADDRESS"
    if FILE.match(requirement.strip()):
        return "Services have no such file: upload a wheel beside this text and ask for it by its name"
    return "Write a name with versions, such as pandas>=2.3,<3"


def check_url(url: str, at: str) -> None:
    try:
        parsed = urlsplit(url)
        host = parsed.hostname
    except ValueError as error:
        raise BadOption("its address cannot be read", where=at) from error
    if parsed.username or parsed.password or "$" in url:
        raise BadOption(
            "there are credentials in its address, which everybody could read who sees this text",
            where=at,
            next_step="Upload a wheel, or use an index whose credentials are in a Secret",
        )
    if parsed.scheme not in SCHEMES or not host:
        raise BadOption(
            f"an address of '{parsed.scheme[:20]}' is not taken", where=at, next_step=f"Use {', '.join(SCHEMES)}"
        )


def check_marker(marker: str, at: str) -> None:
    """The condition after ';'."""
    wrong = BadOption(
        f"condition '{marker[:80]}' is not clear",
        where=at,
        next_step='Write such as python_version < "3.13", with ' + ", ".join(sorted(MARKERS)),
    )
    try:
        parsed = ast.parse(marker.replace("===", "==").replace("~=", "=="), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise wrong from error
    parts = list(ast.walk(parsed))
    if not isinstance(parsed.body, (ast.Compare, ast.BoolOp)) or not all(map(is_marker_part, parts)):
        raise wrong


def is_marker_part(part: ast.AST) -> bool:
    if isinstance(part, ast.Name):
        return part.id in MARKERS
    if isinstance(part, ast.Constant):
        return isinstance(part.value, str)
    return isinstance(part, MARKER_PARTS)
