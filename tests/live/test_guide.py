# SPDX-License-Identifier: Apache-2.0
"""The guides do what they say: each console block is typed, and what is printed compared."""
import os
import pathlib
import re
import subprocess

import pytest

from conftest import reachable
from patience import PATIENCE


TOP = pathlib.Path(__file__).resolve().parents[2]
GUIDES = sorted((TOP / "docs/guide").glob("*.md"))
NOBODY = 65534


def examples(guide):
    """What is typed and what is printed, of all console blocks in order."""
    for block in re.findall(r"^```console\n(.*?)^```", guide.read_text(), re.S | re.M):
        for typed, shown in re.findall(r"^\$ (.*\n(?:> .*\n)*)((?:(?!\$ ).*\n)*)", block, re.M):
            yield re.sub(r"^> ", "", typed, flags=re.M), shown


def pattern(shown):
    """"..." alone on a line is any number of lines; within one, any text."""
    lines = [r"(?:.*\n)*" if line == "..." else re.escape(line).replace(re.escape("..."), ".*") + "\n"
             for line in shown.splitlines()]
    return "".join(lines)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_a_guide_prints_what_it_says(guide, executables, tmp_path_factory):
    folder = reachable(tmp_path_factory.mktemp(guide.stem))
    user = [] if os.geteuid() else ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    environment = {"PATH": f"{executables}:/usr/bin:/bin:/usr/sbin", "LANG": "C", "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
    if user:
        os.chown(folder, NOBODY, NOBODY)
    count = 0
    for typed, shown in examples(guide):
        done = subprocess.run([*user, "sh", "-c", typed], cwd=folder, env=environment, stdin=subprocess.DEVNULL, timeout=PATIENCE,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        assert re.fullmatch(pattern(shown), done.stdout), f"$ {typed}{done.stdout}\nbut the guide says\n{shown}"
        count += 1
    assert count > 5


def test_a_guide_that_lies_is_noticed():
    assert not re.fullmatch(pattern("hello\n"), "bye\n")
    assert not re.fullmatch(pattern("a ...\n"), "a b\nc\n")
    assert re.fullmatch(pattern("...\nx ... y\n"), "any\nlines\nx 3 y\n")
