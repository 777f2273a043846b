# SPDX-License-Identifier: Apache-2.0
"""--root DIR, --root empty, and what immure puts into them by itself: /proc, /sys, /dev, accounts, temporary folders."""
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

BUSYBOX = shutil.which("busybox")
APPLETS = ["sh", "cat", "ls", "id", "touch", "mkdir", "stat", "echo", "grep", "pwd", "env", "readlink"]
PLACES = ["proc", "dev", "tmp", "var/tmp", "run", "sys"]


def ok(done):
    assert done.returncode == 0, done.stderr
    return done.stdout


def refused(done, identifier, *words):
    assert done.returncode == 125, (done.returncode, done.stdout, done.stderr)
    for word in (identifier, *map(str, words)):
        assert word in done.stderr


@pytest.fixture
def root(immure):
    """A small root of the host's root (or the starter), with a worker's home."""
    if not BUSYBOX:
        pytest.skip("needs busybox-static")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="immure-root-"))
    folder.chmod(0o755)
    for name in ("bin", "etc", "home/worker", *PLACES):
        (folder / name).mkdir(parents=True)
    shutil.copy2(BUSYBOX, folder / "bin" / "busybox")
    for name in APPLETS:
        (folder / "bin" / name).symlink_to("busybox")
    (folder / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\nworker:x:1234:77::/home/worker:/bin/sh\n88:x:5:5::/:/bin/sh\n")
    (folder / "etc/group").write_text("root:x:0:\nstaff:x:77:\nextra:x:88:worker,other\nlast:x:99:someone\n")
    if os.geteuid() == 0:
        os.chown(folder / "home/worker", 1234, 77)
        if immure.uid:
            for place in [folder, *folder.rglob("*")]:
                os.chown(place, immure.uid, immure.uid, follow_symlinks=False)
    yield folder
    shutil.rmtree(folder)


def shell(immure, *words, script):
    return immure.run("run", *words, "--", "/bin/sh", "-c", script)


def test_a_root_is_read_only_with_writable_temporary_folders(immure, root):
    script = "for d in / /home/worker /tmp /var/tmp /dev/shm; do touch $d/x 2>/dev/null && echo $d; done; cat /etc/group | grep staff"
    assert ok(shell(immure, "--root", root, script=script)).split() == ["/tmp", "/var/tmp", "/dev/shm", "staff:x:77:"]
    assert not (root / "tmp/x").exists()


def test_the_host_is_not_in_a_root(immure, root):
    assert shell(immure, "--root", root, script="ls /usr; cat /etc/hostname; ls /work /root").stdout == ""


def test_an_overlaid_root_is_written_and_forgotten(immure, root):
    before = sorted(root.rglob("*"))
    user = ["-u", "0"] if immure.uid == 0 else []
    script = "touch /new /home/new && echo x >> /etc/passwd && ls /"
    assert "new" in ok(shell(immure, "--root", root, "--root-mode", "overlay", *user, script=script)).split()
    assert sorted(root.rglob("*")) == before


def test_a_writable_root_is_written_by_its_owners_only(immure, root):
    if immure.uid:
        ok(shell(immure, "--root", root, "--root-mode", "rw", script="touch /new"))
        assert (root / "new").stat().st_uid == immure.uid
        return
    ok(shell(immure, "--root", root, "--root-mode", "rw", "-u", "worker", script="touch ~/new"))
    made = (root / "home/worker/new").stat()
    assert (made.st_uid, made.st_gid) == (1234, 77)
    # inside, root is nobody's root: what the host's root owns is not written
    done = shell(immure, "--root", root, "--root-mode", "rw", "-u", "0", script="touch /new; touch /etc/passwd; echo x >> /etc/passwd; echo end")
    assert done.stdout == "end\n" and not (root / "new").exists() and "x\n" not in (root / "etc/passwd").read_text().split("\n")


def test_numbers_on_disk_are_the_numbers_inside(immure, root):
    if immure.uid:
        pytest.skip("a single id has no numbers to keep")
    assert ok(shell(immure, "--root", root, script="stat -c '%u:%g' / /home/worker")).split() == ["0:0", "1234:77"]


def test_users_and_groups_come_from_the_roots_own_files(immure, root):
    words = ["--root", root, "-u", "worker"]
    assert ok(shell(immure, *words, script="id -u; id -g; echo $HOME $USER; pwd")).split() == ["1234", "77", "/home/worker", "worker", "/home/worker"]
    assert ok(shell(immure, *words, "-g", "last", script="id -g")).strip() == "99"
    assert ok(shell(immure, "--root", root, "-u", "88", script="id -u")).strip() == "88"  # a number is never looked up
    if immure.uid == 0:
        assert ok(shell(immure, *words, "--groups", "extra,5", script="id -G")).split() == ["77", "5", "88"]
        assert ok(shell(immure, *words, "--groups", "@user", script="id -G")).split() == ["77", "88"]
    refused(immure.run("run", "--root", root, "-u", "nobody-such", "--", "/bin/sh"), "E-USER-UNKNOWN", "nobody-such")
    refused(immure.run("run", "--root", root, "-g", "nobody-such", "--", "/bin/sh"), "E-GROUP-UNKNOWN", "nobody-such")
    if immure.uid == 0:  # an ordinary user's single id has no groups to set, which comes first
        refused(immure.run("run", "--root", root, "--groups", "nobody-such", "--", "/bin/sh"), "E-GROUP-UNKNOWN", "nobody-such")


def test_account_files_that_lead_out_wait_or_never_end_are_refused(immure, root):
    passwd = root / "etc/passwd"
    text = passwd.read_text()
    passwd.unlink()
    passwd.symlink_to("/etc/real")  # resolved inside
    (root / "etc/real").write_text(text)
    assert ok(shell(immure, "--root", root, "-u", "worker", script="id -u")).strip() == "1234"
    passwd.unlink()
    passwd.symlink_to("../../../../../../../../etc/passwd")  # itself, inside: a circle
    refused(immure.run("run", "--root", root, "-u", "worker", "--", "/bin/sh"), "passwd")
    passwd.unlink()
    os.mkfifo(passwd)
    refused(immure.run("run", "--root", root, "-u", "worker", "--", "/bin/sh"), "not a regular file")
    passwd.unlink()
    with open(passwd, "wb") as file:
        file.truncate(1 << 24)
    passwd.chmod(0o644)
    refused(immure.run("run", "--root", root, "-u", "worker", "--", "/bin/sh"), "E-ACCOUNTS-SIZE")


def test_what_a_root_has_no_place_for_is_left_out_visibly(immure, root):
    for name in ("proc", "run"):
        (root / name).rmdir()
    shutil.rmtree(root / "dev")
    plan = ok(immure.run("explain", "--root", root, "--", "/bin/sh"))
    for name in ("/proc", "/dev", "/run"):
        assert f"note: no {name}:" in plan
    assert ok(shell(immure, "--root", root, script="ls /")).split() == ["bin", "etc", "home", "sys", "tmp", "var"]
    # asked for by name it must be there
    refused(immure.run("run", "--root", root, "--proc", "new", "--", "/bin/sh"), "E-MOUNTPOINT-MISSING", "/proc")
    # an overlay has room for everything
    assert "dev" in ok(shell(immure, "--root", root, "--root-mode", "overlay", script="ls / ; cat /proc/self/comm; echo > /dev/null")).split()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to see what was made on the host")
def test_a_roots_dev_that_is_a_link_makes_nothing_on_the_host(immure, root):
    outside = pathlib.Path(tempfile.mkdtemp())
    outside.chmod(0o777)
    try:
        for target in (outside, f"../../../..{outside}", "/proc/self/root" + str(outside)):
            shutil.rmtree(root / "dev") if not (root / "dev").is_symlink() else (root / "dev").unlink()
            (root / "dev").symlink_to(target)
            for mode in ("ro", "rw", "overlay"):
                immure.run("run", "--root", root, "--root-mode", mode, "--dev", "minimal", "--", "/bin/sh", "-c", "true")
                assert os.listdir(outside) == []
    finally:
        shutil.rmtree(outside)


def test_an_empty_root_holds_what_is_put_there(immure):
    if not BUSYBOX:
        pytest.skip("needs busybox-static")
    words = ["--root", "empty", "--ro", f"{BUSYBOX}:/bin/sh"]
    assert ok(shell(immure, *words, script="echo /*")).split() == ["/bin", "/dev", "/proc"]
    assert ok(shell(immure, *words, "--proc", "none", "--dev", "none", script="echo /*")).split() == ["/bin"]
    assert shell(immure, *words, script="echo > /x").returncode != 0


def test_proc_shows_only_the_jail_and_its_dangerous_parts_are_closed(immure):
    script = "ls /proc | grep -c '^[0-9]'; cat /proc/keys; echo x > /proc/sys/kernel/hostname; echo x > /proc/sysrq-trigger"
    done = shell(immure, script=script)
    assert int(done.stdout.split()[0]) <= 4 and len(done.stdout.split()) == 1
    assert "hostname" in done.stderr and "sysrq" in done.stderr


def test_a_bound_proc_is_read_only_and_masked(immure):
    done = shell(immure, "--proc", "bind", script="cat /proc/self/comm; cat /proc/keys; echo 1 > /proc/self/oom_score_adj; grep ' /proc ' /proc/self/mounts")
    assert done.stdout.split()[0] == "cat" and ",nosuid,nodev,noexec" in done.stdout and " ro," in done.stdout
    assert "oom_score_adj" in done.stderr


def test_a_bound_proc_is_no_way_out(immure):
    """The caller's other processes are seen there: their files and memory must stay shut. Control: the caller may look."""
    with subprocess.Popen(["sleep", "60"] if not immure.uid else ["setpriv", f"--reuid={immure.uid}", f"--regid={immure.uid}", "--clear-groups", "sleep", "60"]) as other:
        try:
            done = shell(immure, "--proc", "bind", script=f"ls /proc/{other.pid}/root/; cat /proc/{other.pid}/environ; readlink /proc/{other.pid}/exe; echo end")
            assert done.stdout == "end\n"
            assert os.listdir(f"/proc/{other.pid}/root/")
        finally:
            other.kill()
    if immure.uid:
        refused(immure.run("run", "--proc", "bind", "--landlock", "off", "--", "/bin/true"), "E-PROC-BIND")


def test_sys_is_absent_or_read_only_and_masked(immure):
    assert shell(immure, script="ls /sys").returncode != 0
    done = shell(immure, "--sys", "ro", script="ls /sys/class/net; ls /sys/firmware /sys/power; touch /sys/x; echo 1 > /sys/kernel/profiling")
    assert done.stdout.split() == ["lo", "/sys/firmware:", "/sys/power:"], done.stderr
    assert "Read-only" in done.stderr or "Permission" in done.stderr


def test_dev_holds_real_nodes_and_nothing_more(immure):
    listing = ok(shell(immure, script="ls /dev")).split()
    assert listing == sorted(["fd", "full", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom", "zero"])
    done = shell(immure, script="echo x > /dev/null && head -c 2 /dev/urandom | wc -c; head -c 1 /dev/zero > /dev/full; touch /dev/x")
    assert done.stdout.strip() == "2" and "No space" in done.stderr and "Read-only" in done.stderr
    assert shell(immure, "--dev", "none", script="ls /dev").returncode != 0


def test_the_skeleton_is_the_same_root_as_one_made_piece_by_piece(immure, executables):
    """Control: the same executable, told to look for its skeleton elsewhere, makes everything itself."""
    original = pathlib.Path(immure.path).read_bytes()
    pieces = executables / f"pieces-{immure.uid}"
    pieces.write_bytes(original.replace(b"/skeleton\0", b"/skeletoX\0"))
    pieces.chmod(0o755)
    script = """find / -xdev \\( -path /proc -o -path /usr -o -path '/etc/alternatives/*' -o -path '/etc/ssl/certs/*' \\) -prune -o -printf '%p %y %l\\n' | sort
                cat /etc/passwd /etc/group /etc/hosts /etc/nsswitch.conf; grep -c ' / ' /proc/self/mounts; grep ' /tmp ' /proc/self/mounts | cut -d' ' -f3"""
    whole = ok(shell(immure, script=script))
    plan = ok(immure.run("explain", "--", "/bin/true"))
    immure.path, path = str(pieces), immure.path
    made = ok(shell(immure, script=script))
    immure.path = path
    if "/skeleton " not in plan:
        pytest.skip("no skeleton that belongs to root")
    idle = {"/lib32", "/lib64", "/libx32", "/sbin", "/bin", "/etc/localtime", "/etc/ld.so.cache", "/etc/alternatives", "/etc/ssl", "/etc/ssl/certs"}
    differs = {line.split()[0] for line in set(whole.splitlines()) ^ set(made.splitlines())}
    assert differs <= idle, differs
    # whatever does not fit is made piece by piece: nothing of the skeleton shows through
    for words in (["--dev", "none"], ["--proc", "none"], ["--hostname", "other"], ["--tmpfs", "/work"], ["--mask", "/etc/hosts"], ["--user", "4321"]):
        assert "skeleton" not in ok(immure.run("explain", *words, "--", "/bin/true")).partition("\nplan\n")[2]
    assert shell(immure, "--dev", "none", script="ls /dev").returncode != 0
