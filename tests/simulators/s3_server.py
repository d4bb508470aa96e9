"""A real S3 server with object lock in a temporary folder: Ceph mon, osd (in memory) and RGW.

moto and its like accept bad signatures and let COMPLIANCE retention be shortened; they prove nothing here.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

START_TIMEOUT_S = 60.0

# `paxos propose interval`: without it every change of the cluster map takes seconds.
_CONFIG = """\
[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{mon_port},v1:127.0.0.1:{mon_port_1}]
keyring = {folder}/keyring
auth allow insecure global id reclaim = true
run dir = {folder}/run
log file = {folder}/$name.log
admin socket = {folder}/run/$name.asok
pid file = {folder}/$type.pid
public addr = 127.0.0.1
cluster addr = 127.0.0.1
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
mon allow pool size one = true
mon max pg per osd = 1000
mon osd min in ratio = 0
osd crush chooseleaf type = 0
osd objectstore = memstore
memstore device bytes = 1073741824
paxos propose interval = 0.05
paxos min wait = 0.01
mon tick interval = 1
osd max object name len = 2048
mon data = {folder}/mon
osd data = {folder}/osd0
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:{port}
rgw enable usage log = false
rgw thread pool size = 16
log file = {folder}/rgw.log
pid file = {folder}/radosgw.pid
"""


@dataclass(frozen=True)
class S3Server:
    """A running server.

    Attributes:
        endpoint: host and port, plain HTTP.
    """

    endpoint: str
    access_key: str
    secret_key: str


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """Run a server for as long as the block lasts; its data are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="sealine-s3-", dir="/tmp"))
    try:
        yield _start(folder)
    finally:
        _stop(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _start(folder: Path) -> S3Server:
    port, mon_port = _free_port(), _free_port()
    for name in ("osd0", "run"):
        (folder / name).mkdir()
    fsid, osd = str(uuid.uuid4()), str(uuid.uuid4())
    config = folder / "ceph.conf"
    config.write_text(
        _CONFIG.format(fsid=fsid, folder=folder, port=port, mon_port=mon_port, mon_port_1=_free_port())
    )
    ring, mon_ring, map_ = folder / "keyring", folder / "mon.keyring", folder / "monmap"
    mon_host = next(line for line in config.read_text().splitlines() if line.startswith("mon host"))
    addresses = mon_host.split(" = ")[1]
    access_key, secret_key = uuid.uuid4().hex[:16], uuid.uuid4().hex

    def run(*command: str | Path) -> None:
        done = subprocess.run(
            [str(word) for word in command],
            env={**os.environ, "CEPH_CONF": str(config)},
            capture_output=True,
            text=True,
            timeout=START_TIMEOUT_S,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]} failed: {done.stderr[-2000:]}")

    everything = ("--cap", "mon", "allow *", "--cap", "osd", "allow *", "--cap", "mgr", "allow *")
    run("ceph-authtool", "--create-keyring", mon_ring, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *")
    run("ceph-authtool", "--create-keyring", ring, "--gen-key", "-n", "client.admin", *everything)
    osd_caps = ("--cap", "mon", "allow profile osd", "--cap", "osd", "allow *")
    run("ceph-authtool", ring, "--gen-key", "-n", "osd.0", *osd_caps)
    rgw_caps = ("--cap", "mon", "allow rw", "--cap", "osd", "allow rwx")
    run("ceph-authtool", ring, "--gen-key", "-n", "client.rgw", *rgw_caps)
    run("ceph-authtool", mon_ring, "--import-keyring", ring)
    run("monmaptool", "--create", "--clobber", "--addv", "a", addresses, "--fsid", fsid, map_)
    run("ceph-mon", "-c", config, "--mkfs", "-i", "a", "--monmap", map_, "--keyring", mon_ring)
    run("ceph-mon", "-c", config, "-i", "a")
    run("ceph", "-c", config, "osd", "new", osd, "0")
    run("ceph-osd", "-c", config, "-i", "0", "--mkfs", "--osd-uuid", osd)
    run("ceph-osd", "-c", config, "-i", "0")
    run(
        *("radosgw-admin", "-c", config, "user", "create", "--uid=test", "--display-name=test"),
        *(f"--access-key={access_key}", f"--secret-key={secret_key}"),
    )
    run("radosgw", "-c", config, "-n", "client.rgw")
    _wait_for(f"http://127.0.0.1:{port}/")
    return S3Server(f"127.0.0.1:{port}", access_key, secret_key)


def _stop(folder: Path) -> None:
    for name in ("radosgw", "osd", "mon"):
        try:
            pid = int((folder / f"{name}.pid").read_text())
        except (FileNotFoundError, ValueError):
            continue
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)  # its data are in memory, and are thrown away
        if not _is_gone(pid, timeout_s=10.0):
            raise RuntimeError(f"{name} does not end")


def _is_gone(pid: int, *, timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        try:
            if "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text():
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.05)
    return False


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("radosgw does not answer")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
