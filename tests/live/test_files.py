# SPDX-License-Identifier: Apache-2.0
"""What of the host a jail sees, what it may change, and that nothing it does lands on the host. mount_setattr(2), openat2(2)"""
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading

import pytest

from patience import PATIENCE


OWNER = 1234  # an ordinary user of the host's


def own(path, uid):
    """Gives a tree to UID, links themselves included."""
    for place in [path, *path.rglob("*")]:
        os.chown(place, uid, uid, follow_symlinks=False)


@pytest.fixture
def place():
    """A folder that every user may reach."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="immure-files-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def folder(place, immure):
    """A folder with content, of an ordinary user: OWNER when root starts the jail, else the starter."""
    path = place / "folder"
    (path / "inner").mkdir(parents=True)
    (path / "file").write_text("from the host\n")
    (path / "inner" / "deep").write_text("deep\n")
    if os.geteuid() == 0:
        own(path, immure.uid or OWNER)
    return path


def shell(immure, *words, script):
    return immure.run("run", *words, "--", "/bin/sh", "-c", script)


def ok(done):
    assert done.returncode == 0, done.stderr
    return done.stdout


def refused(done, identifier, *words):
    assert done.returncode == 125, (done.returncode, done.stdout, done.stderr)
    for word in (identifier, *map(str, words)):
        assert word in done.stderr


def test_a_folder_is_invisible_unless_shown(immure, folder):
    assert shell(immure, script=f"cat {folder}/file").returncode != 0
    assert ok(shell(immure, "--ro", folder, script=f"cat {folder}/file")) == "from the host\n"


def test_ro_is_read_and_rw_is_written(immure, folder):
    write = f"echo inside > {folder}/new"
    assert "Read-only" in shell(immure, "--ro", folder, script=write).stderr
    assert not (folder / "new").exists()
    ok(shell(immure, "--rw", folder, script=write))
    assert (folder / "new").read_text() == "inside\n"


def test_what_is_written_belongs_to_the_folders_owner(immure, folder):
    ok(shell(immure, "--rw", f"{folder}:/work", script="id -u; mkdir /work/made; touch /work/made/x; rm /work/file"))
    made = folder / "made" / "x"
    assert (made.stat().st_uid, made.stat().st_gid) == (folder.stat().st_uid, folder.stat().st_gid)
    assert not (folder / "file").exists()


def test_a_closed_folder_is_shown_to_the_jails_user(immure, folder):
    folder.chmod(0o700)
    assert ok(shell(immure, "--ro", f"{folder}:/data", script="cat /data/inner/deep")) == "deep\n"


def test_a_single_file_can_be_shown_and_written(immure, folder):
    ok(shell(immure, "--rw", f"{folder}/file:/data/file", script="echo changed > /data/file"))
    assert (folder / "file").read_text() == "changed\n"
    assert "Read-only" in shell(immure, "--ro", f"{folder}/file:/data/file", script="echo x > /data/file").stderr


def test_the_most_specific_wins_in_any_order(immure, folder):
    script = "touch /w/inner/x && echo inner; touch /w/y && echo outer"
    for words in (["--ro", f"{folder}:/w", "--rw", f"{folder}/inner:/w/inner"], ["--rw", f"{folder}/inner:/w/inner", "--ro", f"{folder}:/w"]):
        assert shell(immure, *words, script=script).stdout == "inner\n"
    assert shell(immure, "--rw", f"{folder}:/w", "--ro", f"{folder}/inner:/w/inner", script=script).stdout == "outer\n"


def test_of_two_on_one_place_the_later_wins(immure, folder):
    assert ok(shell(immure, "--ro", f"{folder}:/w", "--ro", f"{folder}/inner:/w", script="ls /w")) == "deep\n"
    assert ok(shell(immure, "--ro", f"{folder}/inner:/w", "--tmpfs", "/w", script="ls /w")) == ""


def test_nothing_is_made_in_a_folder_of_the_hosts(immure, folder):
    before = sorted(folder.rglob("*"))
    for way in ("--ro", "--rw"):
        for words in (["--tmpfs", "/w/missing"], ["--dir", "/w/missing"], ["--ro", f"{folder}/inner:/w/missing"], ["--file", "/w/missing=x"]):
            refused(immure.run("run", way, f"{folder}:/w", *words, "--", "/bin/true"), "E-MOUNTPOINT-MISSING", "/w/missing", words[0])
        refused(immure.run("run", way, f"{folder}:/w", "--symlink", "/w/link=x", "--", "/bin/true"), "E-PLACE-FOREIGN", "/w/link")
    refused(immure.run("run", "--tmpfs", "/usr/missing", "--", "/bin/true"), "E-MOUNTPOINT-MISSING")
    refused(immure.run("run", "--tmpfs", "/bin/missing", "--", "/bin/true"), "E-MOUNTPOINT-MISSING")
    assert sorted(folder.rglob("*")) == before
    # what is there can be covered
    assert ok(shell(immure, "--ro", f"{folder}:/w", "--tmpfs", "/w/inner", "--file", "/w/file=covered", script="ls /w/inner; cat /w/file")) == "covered"
    assert (folder / "file").read_text() == "from the host\n"


def test_a_missing_source_and_a_socket_are_refused_by_name(immure, place):
    import socket
    refused(immure.run("run", "--ro", place / "nowhere", "--", "/bin/true"), "E-SOURCE-MISSING", place / "nowhere", "--ro")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place / "socket"))
        refused(immure.run("run", "--rw", place / "socket", "--", "/bin/true"), "E-SOURCE-SOCKET", "--rw")


def test_of_a_root_that_is_missing_that_is_told_and_nothing_is_looked_for_in_it(immure, place):
    (place / "file").write_text("")
    for words in ([], ["--user", "worker"]):
        refused(immure.run("run", "--root", place / "nowhere", *words, "--", "/bin/true"), "E-SOURCE-MISSING", f'there is no directory "{place}/nowhere"')
        done = immure.run("run", "--root", place / "file", *words, "--", "/bin/true")
        assert done.returncode == 125 and f'--root: "{place}/file" is not a directory' in done.stderr


def test_a_user_that_is_unknown_is_told_with_its_line(immure, place):
    (place / "policy.yaml").write_text("ro: /etc/hosts\nuser: stranger\n")
    refused(immure.run("run", "-f", place / "policy.yaml", "--", "/bin/true"), "E-USER-UNKNOWN", "policy.yaml:2:7: the jail's passwd file")
    refused(immure.run("run", "-f", place / "policy.yaml", "-u", "other", "--", "/bin/true"), "E-USER-UNKNOWN", '--user: the jail\'s passwd file has no user "other"')


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount an overlay")
def test_where_ids_cannot_be_mapped_what_is_told_to_help_does(executables, place):
    """On an overlay, as containers and live systems have for a root."""
    from conftest import Command
    root = Command(executables, 0)
    mount = 'mount -t tmpfs t "$0" && cd "$0" && mkdir l u w m && chown 1234 l u && mount -t overlay o -o lowerdir=l,upperdir=u,workdir=w m && cd / && exec "$@"'

    def run(how):
        return subprocess.run(["unshare", "--mount", "sh", "-c", mount, place, *root.words("run", how, f"{place}/m:/w", "--", "/bin/echo", "ran")],
                              capture_output=True, text=True, check=False, timeout=PATIENCE, stdin=subprocess.DEVNULL)

    for how in ("--rw", "--overlay"):
        refused(run(how), "E-SOURCE-UNMOVABLE", how, "use --ro")
        assert "use --overlay" not in run(how).stderr
    assert ok(run("--ro")) == "ran\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make a folder of root's")
def test_nobody_writes_as_host_root(executables, place):
    from conftest import Command
    root = Command(executables, 0)
    (place / "file").write_text("x")
    for source in (place, place / "file"):
        refused(root.run("run", "--rw", source, "--", "/bin/true"), "E-OWNER-ROOT", source, "--rw")
    assert ok(shell(root, "--overlay", place, script=f"echo y > {place}/file; cat {place}/file")) == "y\n"
    assert (place / "file").read_text() == "x"
    place.chmod(0o700)  # root's own, closed: shown, for it was asked for
    (place / "file").chmod(0o600)
    assert ok(shell(root, "--ro", f"{place}:/data", script="cat /data/file")) == "x"
    refused(root.run("run", "--cap-add", "sys_admin", "--ro", place, "--", "/bin/true"), "E-OWNER-ROOT")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mix owners")
def test_strangers_files_in_a_shared_folder_stay_theirs(executables, place):
    from conftest import Command
    root = Command(executables, 0)
    os.chown(place, OWNER, 0)  # group root is common: chown USER DIR leaves it
    for name, uid in (("roots", 0), ("others", 4321), ("mine", OWNER)):
        (place / name).write_text("before\n")
        os.chown(place / name, uid, uid)
        (place / name).chmod(0o644)
    script = "cd /w; for f in roots others mine; do echo after > $f; cat $f; done; touch new; chgrp 0 new; chmod 6755 new"
    done = shell(root, "--rw", f"{place}:/w", script=script)
    assert done.stdout == "before\nbefore\nafter\n", done.stderr
    new = (place / "new").stat()
    assert new.st_uid == OWNER and new.st_gid != 0


def test_locked_flags_of_the_source_stay(immure, place):
    """A source that is read-only and noexec outside is so inside, even when --rw asks for more."""
    if os.geteuid() != 0:
        pytest.skip("needs root to mount")
    script = f"""mount -t tmpfs -o ro,noexec,uid={immure.uid or OWNER} none {place} && exec "$@" """
    words = immure.words("run", "--rw", f"{place}:/w", "--", "/bin/sh", "-c", "touch /w/x || grep ' /w ' /proc/self/mounts")
    done = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", *words], capture_output=True, text=True, check=False)
    assert "Read-only" in done.stderr
    assert {"ro", "noexec", "nosuid", "nodev"} <= set(done.stdout.split()[3].split(","))


def test_mounts_below_a_source_come_along_and_keep_its_bounds(immure, place):
    if os.geteuid() != 0:
        pytest.skip("needs root to mount")
    (place / "below").mkdir()
    script = f"""mount -t tmpfs none {place}/below && echo seen > {place}/below/file && chmod -R a+rwX {place}/below && exec "$@" """
    words = immure.words("run", "--ro", f"{place}:/w", "--", "/bin/sh", "-c", "cat /w/below/file; touch /w/below/x")
    done = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", *words], capture_output=True, text=True, check=False)
    assert done.stdout == "seen\n", done.stderr
    assert "Read-only" in done.stderr


def test_every_tmpfs_is_bounded(immure):
    done = ok(shell(immure, "--tmpfs", "/a", "--tmpfs", "/b:size=1M,inodes=10,mode=0700", script="grep tmpfs /proc/mounts; stat -c %a /a /b"))
    assert all("size=" in line and "nr_inodes=" in line for line in done.splitlines() if line.startswith("none"))
    assert done.splitlines()[-2:] == ["1777", "700"]
    assert "No space" in shell(immure, "--tmpfs", "/b:size=1M", script="dd if=/dev/zero of=/b/x bs=1M count=2").stderr
    script = "for i in 1 2 3 4 5 6 7 8 9 10 11; do touch /b/$i || exit 3; done"
    assert shell(immure, "--tmpfs", "/b:inodes=10", script=script).returncode == 3
    ok(shell(immure, "--tmpfs", "/b:inodes=20", script=script))


def test_content_is_copied_byte_for_byte(immure, place):
    content = bytes(range(256)) * 600
    (place / "binary").write_bytes(content)
    (place / "binary").chmod(0o444)
    done = subprocess.run(immure.words("run", "--file", f"/data/copy=@{place}/binary", "--", "/bin/cat", "/data/copy"),
                          capture_output=True, check=True)
    assert done.stdout == content
    reader, writer = os.pipe()
    os.write(writer, content[:3000])
    os.close(writer)
    done = subprocess.run(immure.words("run", "--file", f"/data/copy=fd:{reader}", "--", "/bin/cat", "/data/copy"),
                          capture_output=True, check=True, pass_fds=[reader])
    os.close(reader)
    assert done.stdout == content[:3000]
    assert ok(shell(immure, "--file", "/data/text=a=b:c", "--file", "/data/empty=", script="cat /data/text; wc -c < /data/empty")).split() == ["a=b:c0"]


def test_content_that_cannot_be_read_is_told(immure, place):
    with open(place / "large", "wb") as file:
        file.truncate((16 << 20) + 1)
    (place / "large").chmod(0o444)
    refused(immure.run("run", "--file", f"/x=@{place}/large", "--", "/bin/true"), "E-FILE-SIZE", place / "large", "--file")
    refused(immure.run("run", "--file", f"/x=@{place}/missing", "--", "/bin/true"), "No such file", place / "missing")
    refused(immure.run("run", "--file", "/x=fd:77", "--", "/bin/true"), "descriptor 77")


def test_the_command_line_is_not_seen_inside(immure):
    done = shell(immure, "--file", "/run/token=tell-nobody", "--env", "KEY=hidden-too", script="cat /run/token; cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    assert done.stdout.startswith("tell-nobody")
    assert done.stdout.count("tell-nobody") == 1 and "hidden-too" not in done.stdout


def test_directories_and_links_are_made_as_asked(immure):
    script = "stat -c '%a %U' /a/b /t; readlink /l; head -c 8 /l/passwd; touch /scratch/in/x && echo written; touch /t/x"
    done = shell(immure, "--dir", "/a/b:mode=2750", "--dir", "/t:mode=1777", "--symlink", "/l=etc", "--dir", "/scratch/in", "--tmpfs", "/scratch", script=script)
    assert done.stdout.splitlines() == ["2750 user", "1777 user", "etc", "root:x:0written"]
    assert "/t/x" in done.stderr and "Read-only" in done.stderr


def test_a_mask_hides_files_and_directories(immure, folder):
    script = "cat /w/file; ls /w/inner; touch /w/inner/x; cat /w/file/x"
    done = shell(immure, "--rw", f"{folder}:/w", "--mask", "/w/file", "--mask", "/w/inner", script=script)
    assert done.stdout == "" and "Read-only" in done.stderr
    assert (folder / "file").read_text() == "from the host\n"
    refused(immure.run("run", "--mask", "/usr/no-such", "--", "/bin/true"), "E-MASK-MISSING", "/usr/no-such", "--mask")


def test_something_can_be_shown_within_a_mask(immure, folder):
    done = shell(immure, "--mask", "/usr/share", "--ro", f"{folder}:/usr/share/mine", script="ls /usr/share; cat /usr/share/mine/file; touch /usr/share/x")
    assert done.stdout == "mine\nfrom the host\n" and "Read-only" in done.stderr


def test_what_is_written_into_an_overlay_is_thrown_away(immure, folder):
    script = "cd /w; echo changed > file; rm -r inner; mkdir inner; touch inner/new; mv file moved; ls . inner; cat moved"
    assert ok(shell(immure, "--overlay", f"{folder}:/w", script=script)).split() == [".:", "inner", "moved", "inner:", "new", "changed"]
    assert (folder / "file").read_text() == "from the host\n"
    assert sorted(os.listdir(folder)) == ["file", "inner"] and os.listdir(folder / "inner") == ["deep"]


def test_places_are_made_in_an_overlay_only(immure, folder):
    words = ["--overlay", f"{folder}:/w", "--dir", "/w/new", "--file", "/w/file=other", "--tmpfs", "/w/a/b", "--symlink", "/w/l=file"]
    assert ok(shell(immure, *words, script="ls /w; cat /w/l")) == "a\nfile\ninner\nl\nnew\nother"
    assert sorted(os.listdir(folder)) == ["file", "inner"]


def test_an_overlay_is_bounded_and_its_layers_are_out_of_reach(immure, folder):
    done = shell(immure, "--overlay", f"{folder}:/w", "--tmp-size", "1M", script="dd if=/dev/zero of=/w/x bs=1M count=2; rm /w/x; find / -path /usr -prune -o -name upper -print -o -name lower -print 2>/dev/null")
    assert "No space" in done.stderr and done.stdout == ""
    refused(immure.run("run", "--overlay", folder / "file", "--", "/bin/true"), "E-OVERLAY-DIRECTORY", folder / "file")


def test_links_in_a_folder_never_lead_out(immure, folder, place):
    """The folder's owner has put links where immure will mount: they lead to places inside the jail, or nowhere."""
    outside = place / "outside"
    outside.mkdir()
    uid = immure.uid or OWNER
    for name, target in (("share", "/usr/share"), ("up", "../../../../../../" + str(outside)), ("abs", outside), ("fd", "/proc/self/root/etc")):
        (folder / name).symlink_to(target)
        if os.geteuid() == 0:
            os.chown(folder / name, uid, uid, follow_symlinks=False)
    # the folder of the jail is covered, not the host's
    assert ok(shell(immure, "--rw", f"{folder}:/w", "--tmpfs", "/w/share", script="ls /usr/share; touch /usr/share/x")) == ""
    assert os.listdir("/usr/share") and not os.path.exists("/usr/share/x")
    for name in ("up", "abs", "fd"):
        done = immure.run("run", "--rw", f"{folder}:/w", "--tmpfs", f"/w/{name}/x", "--", "/bin/true")
        assert done.returncode == 125
    for name in ("up", "abs"):
        done = immure.run("run", "--overlay", f"{folder}:/w", "--dir", f"/w/{name}/made", "--file", f"/w/{name}/f=x", "--", "/bin/true")
        assert done.returncode == 125
    assert os.listdir(outside) == []


def test_a_place_that_flips_between_folder_and_link_is_never_left(immure, folder, place):
    """Races a mount against its destination being swapped: the host's folder must not change, whoever wins."""
    target, stop, spare = place / "target", threading.Event(), folder / "spare"
    target.mkdir()
    (folder / "flip").mkdir()
    (folder / "flip" / "in").mkdir()
    spare.symlink_to(target)

    def flip():
        while not stop.is_set():
            for old, new in (("flip", "aside"), ("spare", "flip"), ("flip", "spare"), ("aside", "flip")):
                os.rename(folder / old, folder / new)

    thread = threading.Thread(target=flip)
    thread.start()
    try:
        codes = {shell(immure, "--overlay", f"{folder}:/w", "--tmpfs", "/w/flip/in", "--file", "/w/flip/f=x", script="true").returncode for _ in range(25)}
    finally:
        stop.set()
        thread.join()
    assert codes <= {0, 125}
    assert os.listdir(target) == []


def test_a_program_given_by_its_path_is_shown_alone(immure, folder):
    program = folder / "program"
    program.write_text("#!/bin/sh\necho ran; ls $(dirname $0)\n")
    program.chmod(0o755)
    assert ok(immure.run("run", "--", program)) == "ran\nprogram\n"
    assert ok(immure.run("run", "--", "./program", cwd=folder)) == "ran\nprogram\n"
    assert ok(immure.run("run", "--ro", ".:/w", "--", "./program", cwd=folder)).startswith("ran\n")


def test_the_program_starts_where_the_caller_stands_if_that_is_shown(immure, folder):
    assert ok(immure.run("run", "--ro", ".", "--", "/bin/pwd", cwd=folder)) == f"{folder}\n"
    assert ok(immure.run("run", "--ro", f"{folder}:/w", "--", "/bin/pwd", cwd=folder / "inner")) == "/w/inner\n"
    assert ok(immure.run("run", "--", "/bin/pwd", cwd=folder)) == "/home/user\n"
    assert ok(immure.run("run", "--workdir", "/tmp", "--", "/bin/pwd", cwd=folder)) == "/tmp\n"
    refused(immure.run("run", "--workdir", "tmp", "--", "/bin/pwd"), "absolute", "--workdir")
    refused(immure.run("run", "--workdir", "/no/such", "--", "/bin/pwd"), "E-WORKDIR-MISSING")


def test_landlock_says_the_same_as_the_mounts(immure, folder):
    """With the mount writable by mistake Landlock would still stand: it is shown in the plan's rules by what may be written."""
    script = "echo x > /w/inner/x && echo inner; echo x > /usr/x; echo x > /w/y; echo x > /tmp/t && echo tmp"
    words = ["--ro", f"{folder}:/w", "--rw", f"{folder}/inner:/w/inner"]
    assert shell(immure, *words, script=script).stdout == "inner\ntmp\n"
    assert shell(immure, "--landlock", "off", *words, script=script).stdout == "inner\ntmp\n"
