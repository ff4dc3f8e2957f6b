"""A throw-away PostgreSQL server: ``with cluster() as server: server.url``."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "listen_addresses": "127.0.0.1",
}


def binaries() -> Path | None:
    """The newest folder with `initdb` and `postgres`, or None."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda path: int(path.parts[-3]),
    )
    if found:
        return found[-1].parent
    which = shutil.which("initdb")
    return Path(which).resolve().parent if which else None


def _account() -> pwd.struct_passwd | None:
    """Whom to run as: PostgreSQL refuses root, so root becomes another."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("PostgreSQL refuses root, and there is no user to become")


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class Server:
    """A cluster in a folder; start and stop may alternate on one port."""

    def __init__(self, folder: Path, bin_folder: Path, password: str = "") -> None:
        self.folder, self.bin, self.password = folder, bin_folder, password
        self.account = _account()
        self.port = _free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.log = folder / "log"

    @property
    def url(self) -> str:
        secret = f":{self.password}" if self.password else ""
        return f"postgresql://postgres{secret}@127.0.0.1:{self.port}/postgres"

    @property
    def socket_url(self) -> str:
        return f"postgresql://postgres@/postgres?host={self.folder}&port={self.port}"

    def _as_user(self) -> dict[str, Any]:
        if self.account is None:
            return {}
        return {
            "user": self.account.pw_uid,
            "group": self.account.pw_gid,
            "extra_groups": [],
        }

    def init(self) -> None:
        if self.account is not None:
            os.chown(self.folder, self.account.pw_uid, self.account.pw_gid)
        command = [
            str(self.bin / "initdb"), "-D", str(self.folder / "data"), "-U", "postgres",
            "--encoding=UTF8", "--no-locale", "--no-sync", "--no-instructions",
        ]  # fmt: skip
        if self.password:
            secret = self.folder / "secret"
            secret.write_text(self.password + "\n")
            secret.chmod(0o644)  # the folder above is 0700
            command += ["--auth=scram-sha-256", f"--pwfile={secret}"]
        else:
            command += ["--auth=trust"]
        done = subprocess.run(
            command,
            capture_output=True,
            cwd="/",
            timeout=120,
            check=False,
            **self._as_user(),
        )
        if done.returncode:
            raise RuntimeError(f"initdb failed: {done.stderr.decode()[-800:]}")

    def start(self, seconds: float = 60) -> None:
        command = [str(self.bin / "postgres"), "-D", str(self.folder / "data"),
                   "-p", str(self.port), "-k", str(self.folder)]  # fmt: skip
        for name, value in _SETTINGS.items():
            command += ["-c", f"{name}={value}"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                start_new_session=True, **self._as_user(),
            )  # fmt: skip
        end = time.monotonic() + seconds
        pid_file = self.folder / "data" / "postmaster.pid"
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"postgres ended: {self.log.read_text()[-800:]}")
            # Line 8 is "ready" once connections are accepted (what pg_ctl -w reads).
            lines = pid_file.read_text().splitlines() if pid_file.exists() else []
            if len(lines) > 7 and lines[7].strip() == "ready":
                return
            time.sleep(0.01)
        self.stop()
        raise TimeoutError(f"postgres is not ready: {self.log.read_text()[-800:]}")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: fast; SIGQUIT: at once, as a crash. SIGKILL follows if need be."""
        process, self.process = self.process, None
        if process is None:
            return
        for sign, seconds in ((how, 10), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
            if process.poll() is None:
                process.send_signal(sign)
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                continue
            return


@contextmanager
def cluster(password: str = "") -> Iterator[Server]:
    """A running cluster that is gone at the end, with its folder."""
    bin_folder = binaries()
    if bin_folder is None:
        raise FileNotFoundError("PostgreSQL's initdb: apt-get install postgresql")
    # A socket's path has at most 107 bytes: not below a test's deep folder.
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    server = Server(folder, bin_folder, password)
    try:
        server.init()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    t0 = time.perf_counter()
    with cluster() as server:
        t1 = time.perf_counter()
        print("up", round(t1 - t0, 2), server.url)
        t = time.perf_counter()
        server.stop()
        t2 = time.perf_counter()
        server.start()
        print(
            "stop", round(t2 - t, 2), "start again", round(time.perf_counter() - t2, 2)
        )
        t3 = time.perf_counter()
    print("down", round(time.perf_counter() - t3, 2), server.folder.exists())
