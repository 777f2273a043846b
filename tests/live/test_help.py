# SPDX-License-Identifier: Apache-2.0
"""What immure says of itself: complete, within 80 columns, and nothing that the sources do not know."""
import json
import os
import pathlib
import re
import subprocess

import pytest

from patience import PATIENCE


TOP = pathlib.Path(__file__).resolve().parents[2]
FULL = str(pathlib.Path(os.environ.get("IMMURE_BUILD", TOP / "build")) / "immure-full")


def say(*words, code=0):
    done = subprocess.run([FULL, *words], capture_output=True, text=True, timeout=PATIENCE, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


def option_keys():
    return set(re.findall(r"^ .{5}--([a-z0-9-]+)", say("run", "--help"), re.M))


def used_identifiers():
    found = set()
    for path in (TOP / "src").rglob("*.c"):
        found |= set(re.findall(r'"(E-[A-Z0-9-]+)"', path.read_text()))
    return found


def topics():
    text = "".join((TOP / "docs/help" / name).read_text() for name in ("errors.md", "topics.md"))
    return re.findall(r"^## (\S+)$", text, re.M)


def test_every_error_identifier_has_a_paragraph_and_each_paragraph_is_needed():
    used, told = used_identifiers(), {name for name in topics() if name.startswith("E-")}
    assert len(used) > 30
    assert used - told == set(), "no paragraph in docs/help/errors.md"
    assert told - used == set(), "no source uses it"


@pytest.mark.parametrize("topic", topics())
def test_a_topic_is_printed(topic):
    text = say("help", topic)
    told = "".join((TOP / "docs/help" / name).read_text() for name in ("errors.md", "topics.md"))
    assert re.search(rf"^## {topic}\n(.*)$", told, re.M).group(1) in text
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("words", [["help"], ["run", "--help"], ["presets"], ["profiles"], ["help", "seccomp"]])
def test_help_fits_into_80_columns(words):
    assert max(map(len, say(*words).splitlines())) < 80


def test_each_option_has_help_of_its_own():
    keys = option_keys()
    assert len(keys) > 50
    for key in keys:
        assert f"--{key}" in say("help", f"--{key}").splitlines()[0]   # a verb may have the same name


def test_a_letter_is_an_option_too():
    assert "--memory" in say("help", "-m")


def test_a_misspelt_word_is_told_its_nearest():
    assert 'did you mean "doctor"?' in say("docter", code=125)
    assert 'did you mean "memory"?' in say("help", "memroy", code=125)
    assert 'did you mean "judge"?' in say("presets", "jugde", code=125)
    assert 'did you mean "strict"?' in say("profiles", "strikt", code=125)
    assert 'did you mean "E-PROC-MASKED"?' in say("help", "E-PROC-MASK", code=125)


def test_presets_and_profiles_are_printed_as_their_files():
    for verb in ("presets", "profiles"):
        files = sorted((TOP / verb).glob("*.yaml"))
        assert [line.split()[0] for line in say(verb).splitlines() if line[2] != " "] == [file.stem for file in files]
        for file in files:
            assert say(verb, file.stem) == file.read_text()


def test_an_error_names_a_topic_that_exists(immure):
    done = immure.run("run", "--ro", "/does/not/exist", "--", "true")
    identifier = re.search(r"\[(E-\S+)\]", done.stderr).group(1)
    assert done.returncode == 125
    assert "does not exist" in immure.run("help", identifier).stdout


def valid_policies():
    for file in sorted((TOP / "presets").glob("*.yaml")):
        yield file.stem, file.read_text()
    yield "json", '{"memory": "64M", "cpus": 0.5, "pids": 3, "ro": ["/a", "/b:/c"], "command": ["sh", "-c", 1]}'
    yield "bools", "no-aslr: yes\ntty: no\nlandlock: off\numask: 022\n"
    yield "extends", "extends: [a.yaml, b.yaml]\npreset: judge\ntmpfs: /x:size=1M\ntcp-bind: [80, 443]\n"


def schema():
    return json.loads(say("schema"))


@pytest.mark.parametrize("name, text", valid_policies())
def test_the_schema_accepts_good_policies(name, text):
    jsonschema, yaml = pytest.importorskip("jsonschema"), pytest.importorskip("yaml")
    jsonschema.Draft7Validator.check_schema(schema())
    jsonschema.validate(yaml.safe_load(text), schema())


@pytest.mark.parametrize("text", ["memroy: 64M", "memory: lots", "pids: 0", "tty: maybe", "command: ls -l", "result: x.json",
                                  "cpus: -1", "require: [speed]", "ro: {a: b}", "tcp-bind: 70000"])
def test_the_schema_refuses_what_immure_refuses(text, executables):
    jsonschema, yaml = pytest.importorskip("jsonschema"), pytest.importorskip("yaml")
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(text), schema())
    done = subprocess.run([str(executables / "immure"), "run", "-f", "-", "--", "true"], input=text, capture_output=True, text=True,
                          timeout=PATIENCE, check=False)
    assert done.returncode == 125 and "stdin:1:" in done.stderr


def test_shells_read_their_completion():
    for shell, words in (("bash", ["bash", "-n"]), ("zsh", ["zsh", "-n"]), ("fish", ["fish", "--no-execute"])):
        text = say("completion", shell)
        for key in option_keys():
            assert key in text
        try:
            done = subprocess.run([*words, "/dev/stdin"], input=text, capture_output=True, text=True, timeout=PATIENCE, check=False)
        except FileNotFoundError:
            assert shell != "bash"
            continue
        assert done.returncode == 0, done.stderr


def complete(*words):
    """What bash offers for the last of WORDS."""
    script = say("completion", "bash") + f'\nCOMP_WORDS=({" ".join(repr(word) for word in words)})\n' + \
        f"COMP_CWORD={len(words) - 1}\n_immure\n" + 'printf "%s\\n" "${COMPREPLY[@]}"\n'
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=PATIENCE, check=False).stdout.split()


def test_bash_offers_what_fits():
    assert sorted(complete("immure", "ex")) == ["exec", "explain"]
    assert "--memory" in complete("immure", "run", "--me") and "--pids" not in complete("immure", "run", "--me")
    assert complete("immure", "run", "--preset", "ju") == ["judge"]
    assert complete("immure", "run", "--proc", "b") == ["bind"]
    assert "strict" in complete("immure", "run", "--seccomp", "s")


def test_only_what_every_command_may_need_is_loaded_at_its_start():
    """Each further library is paid for at every start; libsystemd alone brings six. The control: libfyaml, which reads policies."""
    listed = subprocess.run([FULL], env={"LD_TRACE_LOADED_OBJECTS": "1"}, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout
    libraries = set(re.findall(r"^\s+(lib[a-z+-]+)\.so", listed, re.M))
    assert "libfyaml" in libraries
    assert libraries <= {"libfyaml", "libc", "libm", "libpthread", "libdl", "libgcc_s", "libasan", "libubsan", "libstdc++"}


@pytest.mark.parametrize("words", ["help", "help run", "exec --help", "version", "ps", "presets", "profiles strict", "schema", "doctor", "explain -- true"])
def test_what_a_full_disk_does_not_take_is_told(words):
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([FULL, *words.split()], stdout=full, stderr=subprocess.PIPE, text=True, timeout=PATIENCE, check=False)
    assert (done.returncode, done.stderr.count("immure: standard output")) == (125, 1), done.stderr


def test_a_reader_who_has_gone_is_no_fault_to_be_told():
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([FULL, "schema"], stdout=writer, stderr=subprocess.PIPE, text=True, timeout=PATIENCE, check=False, restore_signals=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (125, "")
