# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requirements, wheels and plugins: what is taken, and the sentence for what is not."""

from __future__ import annotations

import io

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.errors import BadOption
from ansible_collections.scp.dataops.plugins.module_utils.manager.files import checks, plugins, requirements, wheels
from ansible_collections.scp.dataops.plugins.module_utils.manager.files.model import Entry, Key
from ansible_collections.scp.dataops.plugins.module_utils.manager.files.wheels import Target, Wheel

from .building import TARGET, recorded, sha256, wheel

DIGEST = "a" * 64
TAKEN = {
    "name": "pandas",
    "version": "pandas==2.3.3",
    "several versions": "pandas >= 2.0, < 3, != 2.1.*",
    "in brackets": "pandas (>=2.0,<3)",
    "compatible": "pandas~=2.1",
    "exactly": "pandas===2.1+local.1",
    "epoch": "pandas==1!2.0.post1",
    "extras": "apache-airflow-providers-http[common.compat, ssl]>=5",
    "no extras": "pandas[]",
    "name with signs": "zope.interface_2",
    "condition": 'pandas==2 ; python_version < "3.13" and (sys_platform == "linux" or extra == "x")',
    "condition without spaces": "tomli;python_version<'3.11'",
    "condition with Python's missing signs": "tomli; python_full_version ~= '3.11' or os_name === 'posix'",
    "condition with in": "tomli; 'linux' in sys_platform",
    "hash": f"pandas==2 --hash=sha256:{DIGEST} --hash=sha256:{DIGEST}",
    "hash on the next line": f"pandas==2 \\\n    --hash=sha256:{DIGEST}",
    "hash behind a condition": f"pandas==2 ; python_version < '4' --hash=sha256:{DIGEST}",
    "address": "demo @ https://example.com/demo-1.0-py3-none-any.whl#sha256=abc",
    "address with a condition": "demo @ https://example.com/d;v=1.whl ; python_version < '4'",
    "git": "demo[extra] @ git+https://example.com/demo.git@v1",
    "options": "--pre\n--only-binary=:all:\n--prefer-binary\npandas",
    "comments": "# first\n\npandas  # not 3\n   # last",
    "line ends of Windows and a mark at the start": "\ufeffpandas\r\nnumpy\r\n",
}
SET_ELSEWHERE = "Leave it out: where packages come from is set for the Manager and not in an upload."
CREDENTIALS = (
    "r.txt line 1: there are credentials in its address, which everybody could read who sees this text. "
    "Upload a wheel, or use an index whose credentials are in a Secret."
)
OTHERS = "Write what it holds into this text."
CLEAR = "Write a name with versions, such as pandas>=2.3,<3."
MARKER = "is not clear. Write such as python_version <"
NO_FILE = "Services have no such file: upload a wheel beside this text and ask for it by its name."
REFUSED = {
    "nothing": ("# only a comment\n", "r.txt: it asks for nothing."),
    "other file": ("pandas\n-r more.txt", f"r.txt line 2: option --requirement is not taken here. {OTHERS}"),
    "other file, at once": ("-rmore.txt", f"r.txt line 1: option --requirement is not taken here. {OTHERS}"),
    "constraints": ("-c c.txt", "r.txt line 1: option --constraint is not taken here. Leave it out: the packages of"),
    "editable": ("-e .", "r.txt line 1: option --editable is not taken here. Build a wheel and upload that."),
    "index": ("-i https://u:secret@x/simple", f"r.txt line 1: option --index-url is not taken here. {SET_ELSEWHERE}"),
    "index with =": ("--index-url=https://x", f"r.txt line 1: option --index-url is not taken here. {SET_ELSEWHERE}"),
    "more indexes": (
        "--extra-index-url x",
        "r.txt line 1: option --extra-index-url is not taken here.",
    ),
    "trusted host": ("--trusted-host x", f"r.txt line 1: option --trusted-host is not taken here. {SET_ELSEWHERE}"),
    "links": ("-f ./wheels", "r.txt line 1: option --find-links is not taken here. Upload wheels beside this text"),
    "unknown option": ("--colour", "r.txt line 1: there is no option --colour. Use --pre, --prefer-binary,"),
    "option of a requirement": ("pandas --config-settings a=b", "r.txt line 1: option --config-settings is not taken"),
    "name and password": ("demo @ https://ann:secret@example.com/d.whl", CREDENTIALS),
    "token": ("demo @ https://secret@example.com/d.whl", CREDENTIALS),
    "token of the environment": ("demo @ https://${TOKEN}.example.com/d.whl", CREDENTIALS),
    "address without a name": ("https://secret@example.com/d.whl", "r.txt line 1: an address needs a name before it."),
    "file address": ("demo @ file:///tmp/d.whl", "r.txt line 1: an address of 'file' is not taken. Use https,"),
    "ssh address": ("demo @ git+ssh://example.com/d", "r.txt line 1: an address of 'git+ssh' is not taken."),
    "address that is none": ("demo @ https://[1/d.whl", "r.txt line 1: its address cannot be read."),
    "path": ("./demo-1.0-py3-none-any.whl", f"r.txt line 1: './demo-1.0-py3-none-any.whl' is not clear. {NO_FILE}"),
    "file": ("demo-1.0.tar.gz", f"r.txt line 1: 'demo-1.0.tar.gz' is not clear. {NO_FILE}"),
    "one sign": ("pandas=2", f"r.txt line 1: 'pandas=2' is not clear. {CLEAR}"),
    "no version": ("pandas==", f"r.txt line 1: 'pandas==' is not clear. {CLEAR}"),
    "two words": ("pandas numpy", f"r.txt line 1: 'pandas numpy' is not clear. {CLEAR}"),
    "sentence": ("please install pandas!", "r.txt line 1: 'please install pandas!' is not clear."),
    "third line": ("pandas\n# and\nnum py", "r.txt line 3: 'num py' is not clear."),
    "after a joined line": ("pandas \\\n >=2\nnum py", "r.txt line 3: 'num py' is not clear."),
    "unknown condition": ("a; python < '3'", f"r.txt line 1: condition 'python < '3'' {MARKER}"),
    "call in a condition": (
        "a; __import__('os') == 'x'",
        "r.txt line 1: condition '__import__('os') == 'x'' is not",
    ),
    "condition that is none": ("a; 'x'", f"r.txt line 1: condition ''x'' {MARKER}"),
    "half a condition": ("a; python_version <", f"r.txt line 1: condition 'python_version <' {MARKER}"),
    "number in a condition": ("a; python_version < 3", f"r.txt line 1: condition 'python_version < 3' {MARKER}"),
}


@pytest.mark.parametrize("text", TAKEN.values(), ids=TAKEN.keys())
def test_requirements_taken(text: str) -> None:
    requirements.check_text(text.encode(), "r.txt")


@pytest.mark.parametrize(("text", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_requirements_refused(text: str, said: str) -> None:
    with pytest.raises(BadOption) as caught:
        requirements.check_text(text.encode(), "r.txt")
    assert str(caught.value).startswith(said)
    assert "secret" not in str(caught.value)


def test_requirements_in_another_encoding() -> None:
    with pytest.raises(BadOption, match=r"r.txt: it is not written in UTF-8. Save it as UTF-8 text."):
        requirements.check_text("größe".encode("latin-1"), "r.txt")


def test_lines_without_comments() -> None:
    text = f"# a\npandas==2 \\\n  --hash=sha256:{DIGEST}  # b\n\nnumpy\n"
    assert requirements.lines(text, "r.txt") == [f"pandas==2  --hash=sha256:{DIGEST}", "numpy"]


FITS = {
    "pure": "demo-1.0-py3-none-any.whl",
    "pure, both Pythons": "demo-1.0-py2.py3-none-any.whl",
    "pure, older": "demo-1.0-py38-none-any.whl",
    "this Python": "demo-1.0-cp312-cp312-manylinux_2_17_x86_64.whl",
    "two names of a platform": "demo-1.0-cp312-cp312-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
    "oldest name": "demo-1.0-cp312-cp312-manylinux1_x86_64.whl",
    "stable interface": "demo-1.0-cp38-abi3-manylinux_2_28_x86_64.whl",
    "no interface": "demo-1.0-cp312-none-linux_x86_64.whl",
    "any Python, one platform": "demo-1.0-py3-none-manylinux_2_36_x86_64.whl",
    "with a build": "demo-1.0-2-py3-none-any.whl",
    "local version": "demo-1.0+cu118-py3-none-any.whl",
}
FITS_NOT = {
    "other Python": "demo-1.0-cp311-cp311-manylinux_2_17_x86_64.whl",
    "free threads": "demo-1.0-cp312-cp312t-manylinux_2_17_x86_64.whl",
    "newer stable interface": "demo-1.0-cp313-abi3-manylinux_2_17_x86_64.whl",
    "newer Python": "demo-1.0-py313-none-any.whl",
    "Python 2": "demo-1.0-py2-none-any.whl",
    "PyPy": "demo-1.0-pp310-pypy310_pp73-manylinux_2_17_x86_64.whl",
    "other processor": "demo-1.0-cp312-cp312-manylinux_2_17_aarch64.whl",
    "newer C library": "demo-1.0-cp312-cp312-manylinux_2_39_x86_64.whl",
    "other C library": "demo-1.0-cp312-cp312-musllinux_1_2_x86_64.whl",
    "Windows": "demo-1.0-cp312-cp312-win_amd64.whl",
    "macOS": "demo-1.0-cp312-cp312-macosx_11_0_arm64.whl",
    "interface without a Python": "demo-1.0-py3-cp312-manylinux_2_17_x86_64.whl",
}


@pytest.mark.parametrize("file", FITS.values(), ids=FITS.keys())
def test_wheels_that_fit(file: str) -> None:
    wheels.check_set((file,), TARGET)


@pytest.mark.parametrize("file", FITS_NOT.values(), ids=FITS_NOT.keys())
def test_wheels_that_do_not_fit(file: str) -> None:
    with pytest.raises(BadOption) as caught:
        wheels.check_set((file,), TARGET)
    made_for = file.removeprefix("demo-1.0-").removesuffix(".whl")
    assert str(caught.value) == (
        f"{file}: it is made for {made_for}. Use one for Python 3.12 on x86_64: py3-none-any, or cp312 or abi3 for "
        "manylinux up to 2_36."
    )


def test_one_wheel_of_a_package_has_to_fit() -> None:
    other, fitting = FITS_NOT["other Python"], FITS["this Python"]
    wheels.check_set((other, fitting), TARGET)
    with pytest.raises(BadOption, match="it is made for cp311"):
        wheels.check_set((other, fitting.replace("demo", "more")), TARGET)


@pytest.mark.parametrize("file", ["demo.whl", "demo-1.0.whl", "demo-1.0-py3-none.whl", "de mo-1.0-py3-none-any.whl"])
def test_names_that_no_wheel_has(file: str) -> None:
    with pytest.raises(BadOption, match=r"it is not named as wheels are. Keep the name it was built with"):
        Wheel.parse(file)


def test_what_a_wheel_asks_for() -> None:
    assert Wheel.parse("My.Demo_x-1.0+cu118-py3-none-any.whl").requirement == "my-demo-x==1.0+cu118"


NAME = "demo-1.0-py3-none-any.whl"
INFO = "demo-1.0.dist-info"
ANEW = "Build it anew, or get it from where it was published."
BAD_WHEELS = {
    "changed": ({"demo/__init__.py": b"x"}, f"'demo/__init__.py' was changed after it was built. {ANEW}"),
    "added": ({"demo/more.py": b"x"}, f"'demo/more.py' has no checksum in its RECORD. {ANEW}"),
    "taken away": ({"demo/__init__.py": None}, f"'demo/__init__.py' of its RECORD is missing. {ANEW}"),
    "without METADATA": ({f"{INFO}/METADATA": None}, f"'{INFO}/METADATA' is missing in it. {ANEW}"),
    "without RECORD": ({f"{INFO}/RECORD": None}, f"'{INFO}/RECORD' is missing in it. {ANEW}"),
    "without WHEEL": ({f"{INFO}/WHEEL": None}, f"'{INFO}/WHEEL' is missing in it. {ANEW}"),
    "weak checksum": ({f"{INFO}/RECORD": b"demo/__init__.py,md5=x,1\n"}, "'demo/__init__.py' has no checksum"),
    "another package inside": ({"other-1.dist-info/METADATA": b""}, f"there are 2 folders .dist-info in it. {ANEW}"),
    "other name inside": ({f"{INFO}/METADATA": b"Name: other\n"}, "it is 'other' inside. Keep the name it was built"),
    "upwards": ({"../demo.py": b"x"}, "path '../demo.py' leaves its folder."),
    "RECORD that is no text": ({f"{INFO}/RECORD": b"\xff\xfe"}, "it cannot be read ("),
}


def check_wheel(content: bytes, name: str = NAME, target: Target = TARGET) -> None:
    wheels.check_content(io.BytesIO(content), Wheel.parse(name), target)


@pytest.mark.parametrize(("changes", "said"), BAD_WHEELS.values(), ids=BAD_WHEELS.keys())
def test_wheels_that_are_not_as_they_were_built(changes: dict[str, bytes | None], said: str) -> None:
    with pytest.raises(BadOption) as caught:
        check_wheel(wheel(changes=changes))
    assert str(caught.value).startswith(f"{NAME}: {said}")


def test_wheels_as_they_were_built() -> None:
    check_wheel(wheel())
    check_wheel(wheel(changes={f"{INFO}/RECORD.jws": b"signed"}))
    check_wheel(wheel("My_Demo-1.0-py3-none-any.whl"), "my_demo-1.0-py3-none-any.whl".replace("my_demo", "My.Demo"))


def test_no_wheel_at_all() -> None:
    with pytest.raises(BadOption, match="it is no archive that is known here"):
        check_wheel(b"hello")


REQUIRES = {
    "": True,
    ">=3.9": True,
    ">=3.9,<4": True,
    ">=3.12": True,
    "~=3.10": True,
    "==3.12.*": True,
    "==3.12.4": True,
    "<=3.12.4": True,
    "!=3.11.*": True,
    "what is this": True,
    ">=3.13": False,
    "<3.12": False,
    "~=3.10.1": False,
    ">3.12.4": False,
    "<=3.12": False,
    "!=3.12.*": False,
    "==3.11.*": False,
    "==2.7": False,
    ">=3.9, !=3.12.4": False,
}


@pytest.mark.parametrize(("wanted", "fits"), REQUIRES.items())
def test_required_python(wanted: str, fits: bool) -> None:
    assert wheels.allows(wanted, TARGET.python) is fits


def test_a_wheel_for_another_python_by_its_metadata() -> None:
    with pytest.raises(BadOption, match=rf"{NAME}: it requires Python >=3.13. Use one for Python 3.12 on x86_64"):
        check_wheel(wheel(metadata="Requires-Python: >=3.13"))


def test_this_machine_is_a_target() -> None:
    assert str(Target.here()).startswith("Python 3.")


SOURCES = {
    "code": (b"from airflow.plugins_manager import AirflowPlugin\n", ""),
    "nothing": (b"", ""),
    "another encoding that is named": ("# coding: latin-1\nx = 'ü'\n".encode("latin-1"), ""),
    "syntax": (b"x = 1\ndef f(:\n", "a.py line 2: Python cannot read it (invalid syntax)."),
    "indentation": (b"if 1:\nx\n", "a.py line 2: Python cannot read it (expected an indented block"),
    "return nowhere": (b"return 1\n", "a.py line 1: Python cannot read it ('return' outside function)."),
    "Python 2": (b"print 'hello'\n", "a.py line 1: Python cannot read it (Missing parentheses in call to 'print'"),
    "another encoding": ("x = 'ü'\n".encode("latin-1"), "a.py"),
    "binary": (b"\0\1\2", "a.py"),
    "deep": (b"(" * 5000 + b")" * 5000, "a.py"),
    "deep in another way": (b"-" * 200_000 + b"1", "a.py"),
}


@pytest.mark.parametrize(("source", "said"), SOURCES.values(), ids=SOURCES.keys())
def test_source(source: bytes, said: str) -> None:
    if not said:
        plugins.check_source(source, "a.py")
        return
    with pytest.raises(BadOption) as caught:
        plugins.check_source(source, "a.py")
    assert str(caught.value).startswith(said) and "Python cannot read it (" in str(caught.value)


AS_LIBRARY = "Upload it as kind library."
NOT_LIBRARY = "nor a wheel. Upload a text of requirements (.txt) or wheels (.whl), without folders."
UPLOADS = {
    "nothing": ("shared", {}, "up: there is no file in it. Upload at least one file."),
    "upwards": ("shared", {"../a": b""}, "up: path '../a' leaves its folder."),
    "plugin without Python": ("plugin", {"a.txt": b""}, "up: there is no file of Python in it, so Airflow would load"),
    "wheel as a plugin": ("plugin", {"a.py": b"", "x.whl": b""}, f"up: 'x.whl' is no part of a plugin. {AS_LIBRARY}"),
    "program of Windows": ("plugin", {"a.py": b"", "x.EXE": b""}, "up: 'x.EXE' is no part of a plugin. Services run"),
    "wrong plugin": ("plugin", {"a.py": b"", "p/b.py": b"x ="}, "p/b.py line 1: Python cannot read it"),
    "data as Python": ("plugin", {"a.py": b"#" * 2_100_000}, "up: 'a.py' is too large for Python code."),
    "library of another kind": (
        "library",
        {"a.py": b""},
        f"up: 'a.py' is neither requirements {NOT_LIBRARY}",
    ),
    "library in a folder": (
        "library",
        {"w/r.txt": b"a"},
        f"up: 'w/r.txt' is neither requirements {NOT_LIBRARY}",
    ),
    "wrong requirements": ("library", {"r.txt": b"-e ."}, "r.txt line 1: option --editable is not taken here."),
    "book of requirements": ("library", {"r.txt": b"#" * 1_100_000}, "r.txt: it is too large for a text of"),
    "wrong wheel": ("library", {NAME: wheel(changes={"x.py": b""})}, f"{NAME}: 'x.py' has no checksum"),
    "wheel for others": ("library", {FITS_NOT["Windows"]: b""}, f"{FITS_NOT['Windows']}: it is made for"),
}


def check_upload(kind: str, files: dict[str, bytes]) -> None:
    contents = {sha256(content): content for content in files.values()}
    entries = tuple(Entry(path, sha256(content), len(content)) for path, content in files.items())
    checks.check(Key(kind, "", "up"), entries, lambda name: io.BytesIO(contents[name]), TARGET)


@pytest.mark.parametrize(("kind", "files", "said"), UPLOADS.values(), ids=UPLOADS.keys())
def test_uploads_refused(kind: str, files: dict[str, bytes], said: str) -> None:
    with pytest.raises(BadOption) as caught:
        check_upload(kind, files)
    assert str(caught.value).startswith(said)


def test_uploads_taken() -> None:
    check_upload("shared", {"any.exe": b"MZ", "deep/er/file": b""})
    check_upload("plugin", {"menu.py": b"x = 1", "static/logo.svg": b"<svg/>", ".airflowignore": b"x"})
    check_upload("library", {"requirements.txt": b"demo", NAME: wheel(), FITS["this Python"]: other_wheel()})


def other_wheel() -> bytes:
    return wheel(FITS["this Python"])


def test_the_record_of_the_test_wheel_is_as_pip_writes_it() -> None:
    assert recorded(b"") == "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
