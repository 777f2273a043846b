# SPDX-License-Identifier: Apache-2.0
"""--ordered: a tree that is built mount by mount. What stands where, in which order, with which rights; and that nothing leads out."""
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

from patience import PATIENCE


SYSTEM = ["--ro", "/usr", "--symlink", "/bin=usr/bin", "--symlink", "/lib=usr/lib", "--symlink", "/lib64=usr/lib64"]
WHOLE = ["--ro", "/:/"]


def ok(done):
    assert done.returncode == 0, (done.returncode, done.stderr)
    return done.stdout


def refused(done, *words):
    assert done.returncode == 125, (done.returncode, done.stdout, done.stderr)
    for word in words:
        assert str(word) in done.stderr


@pytest.fixture
def host(immure):
    """A folder of the caller's, which the jail's user may write whoever starts it."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="immure-ordered-"))
    for name in ("one", "two", "work", "upper"):
        (folder / name).mkdir()
        (folder / name / name).write_text(name)
    (folder / "one/both").write_text("one")
    (folder / "two/both").write_text("two")
    (folder / "upper/upper").unlink()
    for place in [folder, *folder.rglob("*")]:
        place.chmod(0o755 if place.is_dir() else 0o644)
        if os.geteuid() == 0:
            os.chown(place, immure.uid or 1234, immure.uid or 1234)
    yield folder
    subprocess.run(["chmod", "-R", "u+rwx", folder], check=False)  # overlayfs closes its work folder to its own user
    shutil.rmtree(folder)


def shell(immure, *words, script, **options):
    return immure.run("run", "--ordered", *words, "--", "/usr/bin/sh", "-c", script, **options)


def test_nothing_is_there_but_what_is_asked_for_and_the_root_can_be_written(immure):
    assert ok(shell(immure, *SYSTEM, script="touch /x; echo /*")).split() == ["/bin", "/lib", "/lib64", "/usr", "/x"]


def test_a_first_bind_onto_the_root_is_the_root(immure):
    out = ok(shell(immure, *WHOLE, "--new-proc", "/proc", script="grep -c ' / ' /proc/self/mounts; touch /x || echo ro"))
    assert out.split() == ["1", "ro"]


def test_a_later_bind_onto_the_root_takes_its_place(immure, host):
    out = ok(shell(immure, "--dir", "/gone", "--ro", "/:/", "--tmpfs", "/tmp", "--ro", f"{host}/one:/tmp/in", script="ls /tmp/in; ls -d /gone"
                   " || echo gone"))
    assert out.split() == ["both", "one", "gone"]


def test_a_later_mount_covers_an_earlier_one_and_what_was_made_in_it(immure, host):
    once = ["--ro", f"{host}/one:/m"]
    assert ok(shell(immure, *SYSTEM, *once, "--ro", f"{host}/two:/m", script="echo /m/*")).split() == ["/m/both", "/m/two"]
    assert ok(shell(immure, *SYSTEM, "--dir", "/m/dir", *once, script="echo /m/*")).split() == ["/m/both", "/m/one"]
    assert ok(shell(immure, *SYSTEM, "--tmpfs", "/m", "--dir", "/m/dir", "--ro", f"{host}/one:/m/one", script="echo /m/*")).split() == ["/m/dir", "/m/one"]
    assert ok(shell(immure, *SYSTEM, "--ro", f"{host}/one:/m/one", "--tmpfs", "/m", script="ls -A /m; echo empty")).split() == ["empty"]


def test_modes_of_what_is_made_and_of_what_leads_there(immure):
    words = ["--dir", "/a/b/c", "--dir", "/d/e/f:mode=0700", "--dir", "/g/h:mode=0710", "--tmpfs", "/t", "--tmpfs", "/u/v:mode=1777", "--file", "/w=x"]
    out = ok(shell(immure, *SYSTEM, *words, script="stat -c '%n %a' /a /a/b /a/b/c /d /d/e /d/e/f /g /g/h /t /u /u/v /w"))
    assert dict(line.split() for line in out.splitlines()) == {
        "/a": "755", "/a/b": "755", "/a/b/c": "755", "/d": "700", "/d/e": "700", "/d/e/f": "700", "/g": "750", "/g/h": "710",
        "/t": "755", "/u": "755", "/u/v": "1777", "/w": "666"}


def test_what_is_there_stays_as_it_is(immure):
    words = ["--dir", "/a:mode=0711", "--dir", "/a", "--file", "/f=long text", "--chmod", "/f:mode=0600", "--file", "/f=new"]
    assert ok(shell(immure, *SYSTEM, *words, script="stat -c %a /a /f; cat /f")).split() == ["711", "600", "new"]


def test_a_missing_source_is_told_in_the_words_that_scripts_look_for(immure, host):
    refused(shell(immure, *SYSTEM, "--ro", f"{host}/none:/m", script="true"), f"Can't find source path {host}/none: No such file or directory")
    refused(shell(immure, *SYSTEM, "--layers", f"/m:lower={host}/none", script="true"), f"Can't find source path {host}/none")


def test_an_optional_source_is_left_out_when_it_is_missing_and_shown_when_not(immure, host):
    words = ["--ro-try", f"{host}/none:/none", "--ro-try", f"{host}/one:/one", "--rw-try", f"{host}/none:/none"]
    assert ok(shell(immure, *SYSTEM, *words, script="echo /one/* /none*")).split() == ["/one/both", "/one/one", "/none*"]
    assert ok(immure.run("run", *words, "--", "sh", "-c", "echo /one/*; ls -d /none || true")).split() == ["/one/both", "/one/one"]


def test_a_link_is_good_when_it_says_the_same_already(immure):
    assert ok(shell(immure, *SYSTEM, "--symlink", "/l=a", "--symlink", "/l=a", script="readlink /l")) == "a\n"
    refused(shell(immure, *SYSTEM, "--symlink", "/l=a", "--symlink", "/l=b", script="true"), "E-LINK-EXISTS")
    refused(shell(immure, *SYSTEM, "--dir", "/l", "--symlink", "/l=b", script="true"), "E-LINK-EXISTS")
    assert ok(shell(immure, *WHOLE, "--tmpfs", "/tmp", "--symlink", "/tmp/d/l=a", script="readlink /tmp/d/l")) == "a\n"


def test_a_mount_through_a_link_of_the_tree_lands_where_the_link_leads(immure, host):
    words = ["--dir", "/real", "--symlink", "/l=real", "--ro", f"{host}/one:/l/deep/in"]
    assert ok(shell(immure, *SYSTEM, *words, script="echo /real/deep/in/*")).split() == ["/real/deep/in/both", "/real/deep/in/one"]
    refused(shell(immure, *SYSTEM, "--symlink", "/l=nowhere", "--ro", f"{host}/one:/l/x", script="true"), "E-PLACE-DANGLING")


def test_a_seal_is_for_one_mount_alone(immure, host):
    script = "for p in / /t /t/in; do touch $p/x 2>&- && echo $p; done"
    mounts = [*SYSTEM, "--tmpfs", "/t", "--tmpfs", "/t/in"]
    assert ok(shell(immure, *mounts, script=script)).split() == ["/", "/t", "/t/in"]
    assert ok(shell(immure, *mounts, "--seal", "/t", script=f"{script}; true")).split() == ["/", "/t/in"]
    assert ok(shell(immure, *mounts, "--seal", "/", script=f"{script}; true")).split() == ["/t", "/t/in"]
    assert ok(shell(immure, *SYSTEM, "--rw", f"{host}/one:/t", "--tmpfs", "/t/one-is-a-file/..", "--seal", "/t", script="touch /t/x || echo ro")) == "ro\n"
    refused(shell(immure, *mounts, "--dir", "/t/dir", "--seal", "/t/dir", script="true"), "E-SEAL-NO-MOUNT")


def test_writable_and_read_only_binds_of_folders_and_files(immure, host):
    words = ["--ro", f"{host}/one:/ro", "--rw", f"{host}/two:/rw", "--rw", f"{host}/one/both:/file"]
    out = ok(shell(immure, *SYSTEM, *words, script="touch /ro/x || echo ro; touch /rw/x && echo rw; echo new >/file && cat /file"))
    assert out.split() == ["ro", "rw", "new"]
    assert (host / "two/x").exists() and (host / "one/both").read_text() == "new\n"


def test_what_is_missing_in_a_writable_folder_of_the_host_is_made_there(immure, host):
    ok(shell(immure, *SYSTEM, "--rw", f"{host}/one:/m", "--ro", f"{host}/two:/m/a/b", "--dir", "/m/c", "--file", "/m/d/f=x", script="true"))
    assert (host / "one/a/b").is_dir() and (host / "one/c").is_dir() and (host / "one/d/f").read_text() == "x"
    assert not list((host / "one/a/b").iterdir())
    refused(shell(immure, *SYSTEM, "--ro", f"{host}/one:/m", "--dir", "/m/new", script="true"), "E-PLACE-DENIED")


def test_data_covers_a_file_without_touching_it(immure, host):
    words = ["--rw", f"{host}/one:/m", "--data-ro", "/m/one=covered", "--data", "/m/both=mine", "--chmod", "/m/both:mode=0640"]
    out = ok(shell(immure, *SYSTEM, *words, script="cat /m/one; echo; stat -c %a /m/one /m/both; echo x >/m/one || echo ro; echo more >/m/both && cat /m/both"))
    assert out.split() == ["covered", "600", "640", "ro", "more"]
    assert (host / "one/one").read_text() == "one" and (host / "one/both").read_text() == "one"


@pytest.mark.vm # before Linux 6.5 the kernel takes a key that it does not know, and refuses in the end
def test_layers_of_three_kinds(immure, host):
    lower = f"lower={host}/one,lower={host}/two"
    script = "cat /m/one /m/two /m/both; touch /m/new && echo written"
    assert ok(shell(immure, *SYSTEM, "--layers", f"/m:{lower}", script=script)) == "onetwotwowritten\n"
    assert not (host / "one/new").exists() and not (host / "two/new").exists()
    assert ok(shell(immure, *SYSTEM, "--layers-ro", f"/m:{lower}", script=f"{script} || echo ro")) == "onetwotworo\n"
    if immure.uid:
        assert ok(shell(immure, *SYSTEM, "--layers", f"/m:{lower},upper={host}/upper,work={host}/work", script=script)) == "onetwotwowritten\n"
        assert (host / "upper/new").exists()


@pytest.mark.vm
def test_a_layer_may_have_any_name(immure, host):
    odd = host / "a:b,c\\d e"
    odd.mkdir()
    odd.chmod(0o755)
    (odd / "odd").write_text("odd")
    (odd / "odd").chmod(0o644)
    escaped = str(odd).replace("\\", "\\\\").replace(",", "\\,")
    assert ok(shell(immure, *SYSTEM, "--layers-ro", f"/m:lower={host}/one,lower={escaped}", script="cat /m/odd /m/one")) == "oddone"


def test_devices_work_in_a_new_dev_and_with_rw_dev_only(immure):
    use = "head -c 3 %s | wc -c"
    assert ok(shell(immure, *SYSTEM, "--rw-dev", "/dev/zero:/zero", script=use % "/zero")).strip() == "3"
    assert ok(shell(immure, *SYSTEM, "--new-dev", "/dev", script=use % "/dev/zero")).strip() == "3"
    assert ok(shell(immure, *WHOLE, "--new-dev", "/dev", script=use % "/dev/urandom")).strip() == "3"
    assert ok(shell(immure, *SYSTEM, "--ro", "/dev/zero:/zero", script=use % "/zero 2>&-")).strip() == "0"


def test_what_a_new_dev_holds(immure):
    out = ok(shell(immure, *SYSTEM, "--new-dev", "/dev", script="ls /dev; readlink /dev/fd /dev/ptmx; stat -c %a /dev/shm /dev /dev/ptmx -L"))
    assert out.split() == ["core", "fd", "full", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom", "zero",
                           "/proc/self/fd", "pts/ptmx", "755", "755", "666"]


def test_a_new_proc_shows_the_jail_and_without_a_pid_namespace_the_host(immure):
    out = ok(shell(immure, *SYSTEM, "--new-proc", "/proc", script="cat /proc/1/comm; echo /proc/[0-9]* | wc -w"))
    assert out.split()[0].startswith("immure") and int(out.split()[1]) <= 4
    out = ok(shell(immure, *SYSTEM, "--new-proc", "/p", "--pidns", "host", script="echo $$; grep -m 1 -o Name /p/self/status; test -d /p/%d && echo host" % os.getpid()))
    assert out.split()[1:] == ["Name", "host"]


def test_message_queues(immure):
    assert "mqueue" in ok(shell(immure, *SYSTEM, "--new-proc", "/proc", "--mqueue", "/dev/mqueue", script="grep mqueue /proc/self/mounts"))


@pytest.mark.parametrize("link", ["/", "..", "../..", "/proc/self/root", "/tmp"])
def test_a_link_in_a_writable_folder_leads_nowhere_but_inside(immure, host, link):
    """What would be made through it on the host is made in the jail, or refused. Control: on the host the link leads out."""
    (host / "one/link").symlink_to(link)
    name = f"immure-escape-{os.getpid()}"
    outside = [pathlib.Path(os.path.realpath(host / "one/link")) / name, pathlib.Path("/") / name, host / name]
    assert os.path.isdir(host / "one/link")
    for words in (["--dir", f"/m/link/{name}/x"], ["--file", f"/m/link/{name}=x"], ["--symlink", f"/m/link/{name}=x"],
                  ["--tmpfs", f"/m/link/{name}"], ["--data", f"/m/link/{name}=x"]):
        done = shell(immure, *SYSTEM, "--new-proc", "/proc", "--dir", "/tmp", "--rw", f"{host}/one:/m", *words, script=f"ls -d /{name} /m/{name} /tmp/{name} 2>&-; true")
        assert not any(os.path.lexists(place) for place in outside), (words, done.stderr)
        if link != "/proc/self/root":
            assert done.returncode == 0 and name in done.stdout, done.stderr


def test_a_descriptor_and_a_file_in_two_words(immure, host):
    with open(host / "one/one", encoding="utf-8") as file:
        os.set_inheritable(file.fileno(), True)
        out = ok(shell(immure, *SYSTEM, "--file", f"/f=fd:{file.fileno()}", script="cat /f", pass_fds=[file.fileno()]))
    assert out == "one"


def test_what_does_not_go_together_is_refused(immure, host):
    for words in (["--root", "empty"], ["--proc", "bind"], ["--dev", "minimal"], ["--sys", "ro"], ["--mask", "/x"], ["--overlay", f"{host}/one:/o"]):
        refused(shell(immure, *SYSTEM, *words, script="true"), "E-ORDERED-ALONE")
    for words in (["--new-proc", "/proc"], ["--data", "/x=y"], ["--seal", "/"], ["--rw-dev", "/dev/null:/n"], ["--layers", f"/l:lower={host}/one"]):
        refused(immure.run("run", *words, "--", "true"), "E-NEEDS-ORDERED")


def test_the_same_from_a_file(immure, host):
    policy = host / "policy.yaml"
    policy.write_text("ordered: yes\nro: /usr\ntmpfs: /m\ndir: /m/d\nsymlink: [/bin=usr/bin, /lib=usr/lib, /lib64=usr/lib64]\nnew-proc: /proc\n")
    policy.chmod(0o644)
    assert ok(immure.run("run", "--policy", policy, "--", "/usr/bin/sh", "-c", "echo /*; ls /m")).split() == ["/bin", "/lib", "/lib64", "/m", "/proc", "/usr", "d"]


@pytest.mark.parametrize("words", [["--ordered", *SYSTEM], []])
def test_what_is_mounted_inside_a_shared_folder_is_not_seen_on_the_host(immure, host, words):
    if os.geteuid() != 0:
        pytest.skip("a shared mount is root's to make")
    inside = [*words, "--rw", f"{host}/one:/srv/m", "--tmpfs", "/srv/m/in"]
    (host / "script").write_text(f"""set -e
mount --bind {host}/one {host}/one; mount --make-shared {host}/one; mkdir -p {host}/one/in; chown {immure.uid or 1234} {host}/one/in
grep -q '{host}/one .*shared' /proc/self/mountinfo
"$@"
grep -c {host}/one /proc/self/mountinfo
""")
    run = immure.words("run", *inside, "--", "/usr/bin/sh", "-c", "touch /srv/m/in/x; echo inside")
    done = subprocess.run(["unshare", "-m", "sh", str(host / "script"), *run], capture_output=True, text=True, timeout=PATIENCE, check=False, cwd="/")
    assert ok(done).split() == ["inside", "1"]
    assert not (host / "one/in/x").exists()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_nothing_of_the_host_lies_over_a_root_that_covers_another(immure, host, count):
    """What is stacked over the root is not seen by "/", but "/.." leads into it. The control: one root shows what it is asked to."""
    roots = [*(["--ro", "/:/"] * (count - 1)), "--ro", "/usr:/"]
    words = ["--landlock", "off", "--seccomp", "off", "--ordered", *roots, "--new-proc", "/share"]
    done = immure.run("run", *words, "--", "/bin/ls", "/..")
    assert set(ok(done).split()) == set(os.listdir("/usr"))
    mounts = ok(immure.run("run", *words, "--", "/bin/sh", "-c", "while read -r line; do echo $line; done < /share/self/mountinfo"))
    assert [line.split()[4] for line in mounts.splitlines()].count("/") == 1
    shown = ok(immure.run("run", "--landlock", "off", "--seccomp", "off", "--ordered", *WHOLE, "--", "/bin/ls", "/.."))
    assert "usr" in shown.split()
