# SPDX-License-Identifier: Apache-2.0
"""Options of bubblewrap 0.11 that Debian's 0.8 does not know: each with what would happen without it."""
import os
import re
import subprocess

import pytest

from patience import PATIENCE


USR = ["--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64"]


@pytest.fixture
def layers(ours):
    """Two lower folders, an upper and a work folder; `both` is in all of them."""
    ours.make("lower/both", "lower\n")
    ours.make("lower/one", "one\n")
    ours.make("higher/both", "higher\n")
    ours.make("higher/two", "two\n")
    ours.make("upper")
    ours.make("work")
    return ours


def sources(bwrap, *names):
    return [word for name in names for word in ("--overlay-src", bwrap.folder / name)]


def test_an_overlay_keeps_what_is_written_in_its_upper_folder(layers):
    done = layers.run(*USR, *sources(layers, "lower", "higher"), "--overlay", layers.folder / "upper", layers.folder / "work", "/o",
                      "sh", "-c", "cat /o/both /o/one /o/two; echo new > /o/new; echo changed > /o/one; rm /o/two; ls /o")
    assert (done.returncode, done.stdout) == (0, "higher\none\ntwo\nboth\nnew\none\n"), done.stderr
    assert (layers.folder / "upper/new").read_text() == "new\n"
    assert (layers.folder / "upper/one").read_text() == "changed\n"
    assert (layers.folder / "lower/one").read_text() == "one\n"
    assert (layers.folder / "higher/two").read_text() == "two\n"


def test_the_last_source_lies_on_top(layers):
    done = layers.run(*USR, *sources(layers, "higher", "lower"), "--tmp-overlay", "/o", "cat", "/o/both")
    assert done.stdout == "lower\n", done.stderr
    done = layers.run(*USR, *sources(layers, "lower", "higher"), "--tmp-overlay", "/o", "cat", "/o/both")
    assert done.stdout == "higher\n", done.stderr


def test_writes_to_a_temporary_overlay_are_thrown_away(layers):
    before = sorted(layers.folder.rglob("*"))
    done = layers.run(*USR, *sources(layers, "lower"), "--tmp-overlay", "/o", "sh", "-c", "echo new > /o/new; cat /o/new /o/one; rm /o/one; ls /o")
    assert (done.returncode, done.stdout) == (0, "new\none\nboth\nnew\n"), done.stderr
    assert sorted(layers.folder.rglob("*")) == before


def test_a_read_only_overlay_takes_no_writes(layers):
    words = [*USR, *sources(layers, "lower", "higher"), "--ro-overlay", "/o"]
    done = layers.run(*words, "sh", "-c", "cat /o/both /o/one; echo new > /o/new")
    assert done.returncode != 0 and done.stdout == "higher\none\n"
    assert "Read-only file system" in done.stderr


def test_a_read_only_overlay_wants_two_sources(layers):
    done = layers.run(*USR, *sources(layers, "lower"), "--ro-overlay", "/o", "true")
    assert done.returncode == 1 and done.stderr.startswith("bwrap: ")


@pytest.mark.parametrize("words", [["--overlay", "{s}/upper", "{s}/work", "/o"], ["--tmp-overlay", "/o"], ["--ro-overlay", "/o"]])
def test_an_overlay_without_sources_is_refused(layers, words):
    done = layers.run(*USR, *[word.replace("{s}", str(layers.folder)) for word in words], "true")
    assert done.returncode == 1 and done.stderr.startswith("bwrap: ")


def test_sources_must_be_followed_by_an_overlay(layers):
    done = layers.run(*USR, *sources(layers, "lower"), "--dir", "/a", "true")
    assert done.returncode == 1 and done.stderr.startswith("bwrap: ")
    done = layers.run(*USR, *sources(layers, "lower"), "true")
    assert done.returncode == 1 and done.stderr.startswith("bwrap: ")


def test_sources_belong_to_one_overlay_only(layers):
    done = layers.run(*USR, *sources(layers, "lower"), "--tmp-overlay", "/a", *sources(layers, "higher"), "--tmp-overlay", "/b", "sh", "-c", "ls /a; ls /b")
    assert done.stdout == "both\none\nboth\ntwo\n", done.stderr


@pytest.mark.parametrize("name", ["a:b", "a,b", "a\\b", "a b", "a\\:b,c"])
def test_odd_names_of_layers_are_taken_literally(ours, name):
    ours.make(name + "/inside", "inside\n")
    ours.make("plain/other", "other\n")
    ours.make("up" + name)
    ours.make("work" + name)
    done = ours.run(*USR, *sources(ours, "plain", name), "--overlay", ours.folder / ("up" + name), ours.folder / ("work" + name), "/o",
                    "sh", "-c", "cat /o/inside /o/other; echo x > /o/new")
    assert done.stdout == "inside\nother\n", done.stderr
    assert (ours.folder / ("up" + name) / "new").exists()


def test_layers_are_found_on_the_host_through_links(layers):
    (layers.folder / "link").symlink_to("lower")
    done = layers.run(*USR, "--tmpfs", layers.folder, *sources(layers, "link"), "--tmp-overlay", "/o", "cat", "/o/one")
    assert done.stdout == "one\n", done.stderr
    done = layers.run(*USR, *sources(layers, "absent"), "--tmp-overlay", "/o", "cat", "/o/one")
    assert done.returncode == 1 and "Can't find source path" in done.stderr


def test_an_overlay_can_be_the_root(layers):
    layers.make("lower/usr")
    done = layers.run(*sources(layers, "lower"), "--tmp-overlay", "/", *USR, "sh", "-c", "cat /one; ls /")
    assert done.stdout == "one\nbin\nboth\nlib\nlib64\none\nusr\n", done.stderr


def test_the_program_is_told_the_name_that_was_asked(ours):
    words = ["--ro-bind", ours.probe, "/probe"]
    assert "start argv0 another name\n" in ours.run(*words, "--argv0", "another name", "/probe", "environment").stdout
    assert "start argv0 /probe\n" in ours.run(*words, "/probe", "environment").stdout


def test_one_name_only(ours):
    done = ours.run("--argv0", "a", "--argv0", "b", "true")
    assert done.returncode == 1 and done.stderr.startswith("bwrap: ")


def test_lines_carry_their_level_when_asked(ours):
    plain = ours.run("--ro-bind", "/absent", "/a", "true")
    marked = ours.run("--level-prefix", "--ro-bind", "/absent", "/a", "true")
    assert plain.stderr.startswith("bwrap: ") and marked.stderr == "<3>" + plain.stderr
    assert marked.returncode == plain.returncode == 1


def test_a_link_may_be_there_already_when_it_says_the_same(ours):
    ours.make("there")
    (ours.folder / "link").symlink_to("there")
    words = [*USR, "--bind", ours.folder, "/w"]
    assert ours.run(*words, "--symlink", "there", "/w/link", "--symlink", "new", "/w/fresh", "--symlink", "new", "/w/fresh", "true").returncode == 0
    assert os.readlink(ours.folder / "fresh") == "new"
    is_there, is_none = "existing destination is ", "destination exists and is not a symlink"
    for wrong, place, why in ((["--symlink", "elsewhere", "/w/link"], "/w/link", is_there + "there"),
                              (["--symlink", "there", "/w/there"], "/w/there", is_none),
                              (["--tmpfs", "/t", "--symlink", "a", "/t/x", "--symlink", "b", "/t/x"], "/t/x", is_there + "a")):
        done = ours.run(*words, *wrong, "true")
        assert done.returncode == 1, wrong
        assert done.stderr.splitlines()[0] == f"bwrap: Can't make symlink at {place}: {why}"


def test_what_a_descriptor_is_open_on_is_shown(ours):
    folder, file = ours.make("folder"), ours.make("file", "text\n")
    ours.make("folder/inside", "inside\n")
    held = [os.open(folder, os.O_PATH), os.open(file, os.O_RDONLY)]
    try:
        done = ours.run(*USR, "--bind-fd", held[0], "/d", "--ro-bind-fd", held[0], "/e", "--ro-bind-fd", held[1], "/f", "sh", "-c",
                        "cat /d/inside /f; echo new > /d/new; echo other > /e/other", pass_fds=held)
    finally:
        for fd in held:
            os.close(fd)
    assert done.stdout == "inside\ntext\n", done.stderr
    assert (folder / "new").read_text() == "new\n" and not (folder / "other").exists()
    assert "Read-only file system" in done.stderr


def test_the_version_and_the_help_are_those_of_0_11(ours):
    assert ours.run("--version").stdout.split()[:2] == ["bubblewrap", "0.11.0"]
    said = ours.run("--help")
    assert said.returncode == 0 and said.stderr == ""
    for option in ("--overlay-src", "--tmp-overlay", "--ro-overlay", "--argv0", "--level-prefix", "--bind-fd", "--die-with-parent"):
        assert option in said.stdout
    assert said.stdout.startswith("usage: ")


def test_a_caller_that_ignores_its_children_gets_the_status(ours):
    """Debian's bubblewrap hangs there: its reaper never learns that the program ended."""
    done = ours.run(*USR, "--unshare-pid", "sh", "-c", "exit 5", start=["ignore=17"], timeout=PATIENCE)
    assert done.returncode == 5, done.stderr


def test_a_file_and_a_folder_do_not_cover_each_other(ours):
    ours.make("text", "text\n")
    for words, said in ((["--ro-bind", "/usr", "/w/text"], "Can't mkdir /w/text: Not a directory"),
                        (["--tmpfs", "/t", "--dir", "/t/d", "--ro-bind", "/etc/hostname", "/t/d"], "Can't create file at /t/d: Is a directory")):
        done = ours.run(*USR, "--bind", ours.folder, "/w", *words, "true")
        assert done.returncode == 1 and done.stderr.splitlines()[0] == f"bwrap: {said}"


def test_of_two_filters_that_are_wrong_the_odd_one_is_told(ours):
    empty, odd = os.memfd_create("empty"), os.memfd_create("odd")
    os.write(odd, b"x")
    os.lseek(odd, 0, os.SEEK_SET)
    words = ["--ro-bind", "/", "/", "--add-seccomp-fd", empty, "--add-seccomp-fd", odd, "true"]
    done = ours.run(*words, pass_fds=(empty, odd))
    assert done.returncode == 1 and done.stderr.startswith("bwrap: Invalid seccomp data, must be multiple of 8\n")
    os.close(odd)
    done = ours.run(*words[:5], "true", pass_fds=(empty,))
    os.close(empty)
    assert done.returncode == 1 and done.stderr.startswith("bwrap: Can't read seccomp data: ")


def test_a_filter_that_the_kernel_refuses_is_told_as_that(either):
    wrong = os.memfd_create("wrong")
    os.write(wrong, bytes(8))
    os.lseek(wrong, 0, os.SEEK_SET)
    done = either.run("--ro-bind", "/", "/", "--seccomp", wrong, "true", pass_fds=(wrong,))
    os.close(wrong)
    assert done.returncode == 1 and done.stderr.startswith("bwrap: Unable to set up system call filtering as requested: ")


def test_user_namespaces_that_can_be_made_are_told_as_that(either):
    done = either.run("--unshare-user", "--dev-bind", "/", "/", "--assert-userns-disabled", "true")
    assert done.returncode == 1 and done.stderr.startswith("bwrap: creation of new user namespaces was not disabled as requested\n")


def test_mistakes_are_told_with_the_options_that_were_given(ours):
    words = ["--ro-bind", "/", "/"]
    for given in (["--json-status-fd", "2", "--info-fd", "2"], ["--sync-fd", "1"]):
        done = ours.run(*words, *given, "true")
        assert done.returncode == 1 and all(option in done.stderr for option in given[::2])
        assert not re.search("--(status|hold)-fd", done.stderr)


def test_who_does_not_read_what_is_told_ends_nothing(ours):
    for option in ("--info-fd", "--json-status-fd"):
        reader, writer = os.pipe()
        os.close(reader)
        done = ours.run("--ro-bind", "/", "/", option, writer, "echo", "ran", pass_fds=(writer,))
        os.close(writer)
        assert (done.returncode, done.stdout) == (0, "ran\n"), done.stderr


def test_root_keeps_ambient_what_is_inheritable(either):
    if either.uid != 0:
        pytest.skip("root's capabilities")
    words = ["--ro-bind", "/", "/", "grep", "CapAmb", "/proc/self/status"]
    assert int(either.run(*words).stdout.split()[1], 16) == 0
    done = subprocess.run(["setpriv", "--inh-caps=+net_raw", *either.words(*words)], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert int(done.stdout.split()[1], 16) == 1 << 13


def test_every_extension_of_a_desktops_runtime_may_be_locked(either):
    """Far more than an application's own two: one for each extension that is there."""
    for i in range(100):
        either.make("extensions/%d/.ref" % i, "")
    s = either.folder
    words = [word for i in range(100) for word in ("--lock-file", s / "extensions" / str(i) / ".ref")]
    tried = "import fcntl, sys\nheld = 0\nfor path in sys.argv[1:]:\n with open(path, 'r+') as file:\n" \
            "  try: fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)\n  except OSError: held += 1\nprint(held)"
    done = either.run("--ro-bind", "/", "/", "--bind", s, s, *words, "/usr/bin/python3", "-c", tried, *words[1::2])
    assert done.stdout == "100\n", done.stderr


def test_a_folder_gets_no_setuid_bit(either):
    done = either.run("--ro-bind", "/", "/", "--tmpfs", "/tmp", "--perms", "7777", "--dir", "/tmp/d", "stat", "-c", "%a", "/tmp/d")
    assert done.stdout == "1777\n", done.stderr


def test_the_start_folder_may_be_the_root_and_not_nothing(either):
    assert either.run("--ro-bind", "/", "/", "--chdir", ".", "sh", "-c", "echo $PWD").stdout == "/\n"
    done = either.run("--ro-bind", "/", "/", "--chdir", "", "pwd")
    assert done.returncode == 1 and done.stdout == "" and done.stderr.startswith("bwrap: Can't chdir to : No such file or directory"), done.stderr


def test_the_name_that_the_program_is_told_may_be_long(ours):
    done = ours.run("--ro-bind", "/", "/", "--argv0", "x" * 9000, "sh", "-c", "echo ${#0}")
    assert done.stdout == "9000\n", done.stderr
