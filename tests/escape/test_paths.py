# SPDX-License-Identifier: Apache-2.0
"""Paths that the jail controls: links and races in folders it writes, set-user-id files it leaves, devices in what it is shown."""
import os
import shutil
import stat
import subprocess
import threading

import pytest

from patience import PATIENCE


NOBODY = 65534
BARE = ("--seccomp", "off", "--landlock", "off")
MIGHTY = (*BARE, "-u", "root", "--cap-add", "sys_admin,dac_override,dac_read_search,mknod,sys_chroot,setfcap,fowner,chown")
JAILS = pytest.mark.parametrize("options", [(), ("-u", "root"), BARE, MIGHTY], ids=["default", "root-inside", "bare", "mighty"])


@pytest.fixture
def prey(immure, tmp_path, folder):
    """Outside the jail, and of the user who starts it: a file that must stay as it is."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("untouched")
    for path in (outside, outside / "file"):
        os.chown(path, NOBODY, NOBODY)
    yield outside
    assert [path.name for path in outside.iterdir()] == ["file"]
    assert (outside / "file").read_text() == "untouched"
    assert stat.S_IMODE((outside / "file").stat().st_mode) == 0o644


def shell(immure, script, *options, **rest):
    return immure.run("run", "-q", *options, "--", "/bin/sh", "-c", script, **rest)


@JAILS
def test_a_link_in_a_writable_folder_does_not_lead_out(immure, folder, prey, options):
    (folder / "link").symlink_to(prey)
    (folder / "file").symlink_to(prey / "file")
    process = shell(immure, "echo x >/w/file; echo x >/w/link/new; chmod 777 /w/file; cat /w/link/file", "--rw", f"{folder}:/w", *options)
    assert "untouched" not in process.stdout


def test_a_link_in_a_writable_folder_leads_within_the_jail(immure, folder):
    (folder / "link").symlink_to("/tmp")
    assert shell(immure, "echo x >/w/link/new; cat /tmp/new", "--rw", f"{folder}:/w").stdout == "x\n"


# CVE-2021-30465, CVE-2019-19921, CVE-2025-31133, CVE-2026-41579: destinations that the jail wrote before.
@pytest.mark.parametrize("option", ["--file={0}=text", "--dir={0}", "--tmpfs={0}", "--ro=/usr/share:{0}", "--rw={1}:{0}", "--mask={0}",
                                    "--overlay={1}:{0}", "--file={0}/new=text", "--dir={0}/new", "--symlink={0}/new=x"],
                         ids=lambda text: text.replace("{", "").replace("}", ""))
@pytest.mark.parametrize("target", ["{prey}", "/proc/self/root{prey}", "../../../../../..{prey}", "/proc/1/root{prey}", "/proc/self/cwd"])
def test_a_destination_that_is_a_link_does_not_lead_out(immure, folder, prey, tmp_path, option, target):
    given = tmp_path / "given"
    given.mkdir()
    os.chown(given, NOBODY, NOBODY)
    (folder / "place").symlink_to(target.format(prey=prey))
    words = option.format("/w/place", given)
    immure.run("run", "--rw", f"{folder}:/w", words, "--", "/bin/true")
    immure.run("run", "--root", folder, "--root-mode", "rw", option.format("/place", given), "--", "/bin/true")
    assert [path.name for path in folder.iterdir()] == ["place"] and (folder / "place").is_symlink()


@pytest.mark.parametrize("name", ["proc", "dev", "tmp", "run", "etc", "dev/pts", "dev/shm", "dev/null", "home"])
def test_a_root_whose_places_are_links_harms_nobody(immure, folder, prey, attack, name):
    """CVE-2026-41579, CVE-2019-16884, CVE-2015-1334: /dev or /proc of an image is a link."""
    for part in ("proc", "dev", "tmp", "bin"):
        (folder / part).mkdir()
    shutil.copy(attack, folder / "bin" / "attack")
    path = folder / name
    if path.is_dir():
        path.rmdir()
    path.symlink_to(prey)
    for mode in ("ro", "rw", "overlay"):
        immure.run("run", "--root", folder, "--root-mode", mode, "--", "/bin/attack", "create", f"/{name}/new")
    assert path.is_symlink()


class Swapper:
    """Exchanges a folder and a link as fast as it can, as another jail with the same folder would."""

    def __init__(self, place, target):
        self.place, self.target, self.is_over = place, target, False
        place.mkdir()
        self.link = place.with_name("link")
        self.link.symlink_to(target)

    def __enter__(self):
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        return self

    def run(self):
        spare = self.place.with_name("spare")
        while not self.is_over:
            os.rename(self.place, spare)
            os.rename(self.link, self.place)
            os.rename(self.place, self.link)
            os.rename(spare, self.place)

    def __exit__(self, *_):
        self.is_over = True
        self.thread.join()


@pytest.mark.parametrize("option", ["--tmpfs=/w/place", "--dir=/w/place/new", "--file=/w/place/new=text", "--ro=/usr:/w/place"])
def test_a_race_over_a_destination_is_lost(immure, folder, prey, option):
    """CVE-2021-30465, CVE-2024-45310: forty rounds against a swapper; nothing lands outside."""
    with Swapper(folder / "place", prey):
        for _ in range(20):
            process = shell(immure, "echo x >/w/place/inside; true", "--rw", f"{folder}:/w", option)
            assert process.returncode in (0, 125)
    assert not any((folder / "place").iterdir())


@JAILS
def test_a_folder_moved_away_does_not_lead_up(immure, attack, folder, prey, options):
    """CVE-2015-2925: climbs by ".." from a folder that is renamed out of the bind while it stands in it."""
    inner, moved = folder / "inner", prey.parent / "moved"
    inner.mkdir()
    os.chown(inner, NOBODY, NOBODY)
    script = ("mkdir /w/deep; cd /w/deep; echo ready; read line; cd ../../../../../../../../; pwd -P; cd /proc/self/cwd; "
              "for i in 1 2 3 4 5 6 7 8; do cd ..; done; cat etc/shadow outside/file; true")
    with subprocess.Popen(immure.words("run", "-q", "--rw", f"{inner}:/w", *options, "--", "/bin/sh", "-c", script), cwd="/", text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout.readline() == "ready\n"
        os.rename(inner / "deep", moved)
        output, _ = process.communicate("\n", timeout=PATIENCE)
    moved.rmdir()
    assert "untouched" not in output and "root:" not in output


@JAILS
def test_read_only_means_that_nothing_is_written(immure, attack, prey, options):
    """Also not by the folder's own user, by mode, owner, times, or a remount."""
    script = (f"cd /w; echo x >file; echo x >new; chmod 777 file; touch -d 2001-01-01 file; mv file other; rm -f file; ln file hard; "
              f"mkdir new; setfattr -n user.x -v y file; {attack} remount-writable /w; echo x >file; {attack} set-writable /w; "
              "echo x >new; true")
    before = (prey / "file").stat()
    options = [word for word in options if "sys_admin" not in word and word != "--cap-add"]
    shell(immure, script, "--ro", f"{prey}:/w", "--ro", attack, *options)
    assert (prey / "file").stat()[:9] == before[:9]


def test_writable_means_that_it_is_written(immure, folder):
    assert shell(immure, "echo x >/w/new", "--rw", f"{folder}:/w").returncode == 0
    assert (folder / "new").read_text() == "x\n"


@pytest.mark.parametrize("jail", ["filter", "landlock", "both"])
def test_read_only_holds_for_a_program_that_may_mount(immure, attack, prey, jail):
    """With sys_admin inside, each of the filter and Landlock alone keeps --ro read-only."""
    options = {"filter": ("--landlock", "off"), "landlock": ("--seccomp", "off"), "both": ()}[jail]
    script = f"{attack} remount-writable /w; {attack} set-writable /w; {attack} unmount /w; echo x >/w/file; echo x >/w/new; true"
    shell(immure, script, "--ro", f"{prey}:/w", "--ro", attack, *options, "-u", "root", "--cap-add", "sys_admin,dac_override")


def test_read_only_does_not_hold_when_both_walls_are_taken_down(immure, attack, prey):
    """The control, and a limit that is documented: sys_admin, no filter and no Landlock, all three asked for by name."""
    process = shell(immure, f"{attack} set-writable /w", "--ro", f"{prey}:/w", "--ro", attack, *BARE, "-u", "root",
                    "--cap-add", "sys_admin")
    assert process.stdout == "THROUGH\n"


@JAILS
def test_a_mask_cannot_be_taken_away(immure, attack, prey, options):
    options = [word for word in options if "sys_admin" not in word and word != "--cap-add"]
    script = f"{attack} unmount /w/file; {attack} unmount /w; cat /w/file; cat /proc/self/root/w/file; true"
    assert "untouched" not in shell(immure, script, "--ro", f"{prey}:/w", "--mask", "/w/file", "--ro", attack, *options).stdout


def test_without_a_mask_it_is_read(immure, prey):
    assert shell(immure, "cat /w/file", "--ro", f"{prey}:/w").stdout == "untouched"


# Files that give rights to whoever runs them.
@JAILS
def test_a_set_user_id_program_gives_nothing(immure, attack, tmp_path, folder, options):
    program = folder / "suid"
    shutil.copy(attack, program)
    os.chown(program, 0, 0)
    program.chmod(0o6755)
    process = immure.run("run", "-q", "--ro", f"{folder}:/w", "--ro", attack, *[w for w in options if "sys_admin" not in w and w != "--cap-add"],
                         "--", attack, "run-privileged", "/w/suid")
    assert "REFUSED EPERM" in process.stdout and "caps 0" in process.stdout
    free = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program, "credentials"], capture_output=True,
                          text=True, check=False)
    assert "euid 0" in free.stdout, "the control: outside it does"


@JAILS
def test_a_program_with_file_capabilities_gives_nothing(immure, attack, folder, options):
    program = folder / "capable"
    shutil.copy(attack, program)
    program.chmod(0o755)
    subprocess.run(["setcap", "cap_net_raw,cap_sys_admin+ep", program], check=True)
    process = immure.run("run", "-q", "--ro", f"{folder}:/w", *[w for w in options if "sys_admin" not in w and w != "--cap-add"],
                         "--", "/w/capable", "credentials")
    assert "REFUSED EPERM" in process.stdout and "caps 0" in process.stdout
    free = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program, "credentials"], capture_output=True,
                          text=True, check=False)
    assert "caps 202000" in free.stdout, "the control: outside it does"


@JAILS
def test_what_the_jail_leaves_belongs_to_the_folders_user(immure, attack, folder, options):
    """A set-user-id file left in a --rw folder is the folder owner's, never root's or another's; nor a device, nor capabilities."""
    script = ("cp /bin/true /w/suid; chmod 6755 /w/suid; mknod /w/null c 1 3; chown 0:0 /w/suid; setcap cap_sys_admin+ep /w/suid; "
              f"chown 1:1 /w/suid; {attack} make-node /w/node; {attack} make-block-node /w/disk; true")
    shell(immure, script, "--rw", f"{folder}:/w", "--ro", attack, *options)
    for path in folder.iterdir():
        state = path.lstat()
        assert state.st_uid == NOBODY and state.st_gid == NOBODY
        assert not stat.S_ISCHR(state.st_mode) and not stat.S_ISBLK(state.st_mode)
    if (folder / "suid").exists():
        found = subprocess.run(["getcap", "-n", folder / "suid"], capture_output=True, text=True, check=True).stdout
        assert "=" not in found or "[rootid=" in found, "capabilities that count in the jail's user namespace only"


# Devices in what is shown.
@JAILS
def test_a_device_in_a_bind_cannot_be_opened(immure, attack, folder, options):
    if os.geteuid():
        pytest.skip("needs root")
    os.mknod(folder / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    (folder / "null").chmod(0o666)
    for how in ("--ro", "--rw", "--overlay"):
        process = immure.run("run", "-q", how, f"{folder}:/w", *options, "--", attack, "open-for-writing", "/w/null")
        assert process.stdout in ("REFUSED EACCES\n", ""), process
    free = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", attack, "open-for-writing", folder / "null"],
                          capture_output=True, text=True, check=False)
    assert free.stdout == "THROUGH\n", "the control: outside it can (unless /tmp is nodev)"


@pytest.mark.parametrize("place", ["/tmp", "/dev", "/run", "/home/user", "/dev/shm", "/var/tmp"])
@JAILS
def test_a_device_that_is_made_inside_cannot_be_opened(immure, attack, place, options):
    script = f"{attack} make-node {place}/node && {attack} open-for-writing {place}/node; {attack} make-block-node {place}/disk && {attack} read {place}/disk"
    assert "THROUGH" not in shell(immure, script, "--ro", attack, *options).stdout


def test_root_outside_makes_devices(assault, tmp_path):
    assert assault.as_root("make-node", tmp_path / "node") == "THROUGH"


def test_a_socket_is_not_shown_by_accident(immure, folder):
    """docker.sock and its like: whoever listens is outside."""
    import socket
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "socket"))
        process = immure.run("run", "--ro", f"{folder}/socket:/s", "--", "/bin/true")
    assert process.returncode == 125 and "E-SOURCE-SOCKET" in process.stderr


# The shocker: files by number.
@pytest.mark.parametrize("options", [(), BARE, MIGHTY], ids=["default", "bare", "mighty"])
def test_a_file_is_not_opened_by_number(immure, attack, prey, folder, options):
    process = immure.run("run", "-q", "--ro", f"{prey}:/w", *options, "--", attack, "open-by-number", "/w", "/w/file")
    assert process.stdout.startswith("REFUSED")


def test_root_outside_opens_files_by_number(assault):
    assert assault.as_root("open-by-number", "/usr", "/usr/bin") == "THROUGH"


# Every file system of the jail has its bounds.
@pytest.mark.parametrize("place", ["/tmp", "/dev/shm", "/run", "/home/user", "/var/tmp", "/dev", "/", "/etc", "/proc", "/dev/pts"])
def test_a_file_system_in_memory_is_bounded(assault, place):
    got = assault.jailed("fill", place, str(12 << 20), options=("--tmp-size", "8M"))
    assert got in ("ENOSPC", "EACCES", "EROFS", "ENOENT", "EPERM")


@pytest.mark.parametrize("place", ["/tmp", "/dev/shm", "/run", "/home/user", "/var/tmp", "/dev", "/", "/etc"])
def test_files_in_memory_are_counted(assault, place):
    assert assault.jailed("fill-inodes", place, "600", options=("--tmp-inodes", "500")) in ("ENOSPC", "EACCES", "EROFS")


def test_with_room_it_can_be_filled(assault):
    assert assault.jailed("fill", "/tmp", str(12 << 20), options=("--tmp-size", "64M")) == "THROUGH"
    assert assault.jailed("fill-inodes", "/tmp", "600", options=("--tmp-inodes", "1000")) == "THROUGH"


def test_an_overlay_is_bounded(assault, folder):
    got = assault.jailed("fill", "/w", str(12 << 20), options=("--tmp-size", "8M", "--overlay", f"{folder}:/w"))
    assert got == "ENOSPC" and not any(folder.iterdir())
