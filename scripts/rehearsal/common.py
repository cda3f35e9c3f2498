"""What the rehearsals share."""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
WORK = ROOT / "target" / "rehearsal"
# A copy of the last commit, in which a rehearsal may change what it likes.
COPY = WORK / "messenger"


def say(text: str) -> None:
    print(f"-- {time.strftime('%H:%M:%S')} {text}", flush=True)


def run(*command: str | Path, check: bool = True, **more: Any) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([str(part) for part in command], text=True, **more)
    if check and done.returncode != 0:
        sys.exit(f"failed with {done.returncode}: {' '.join(map(str, command))}\n{done.stdout or ''}{done.stderr or ''}")
    return done


def free_port(host: str = "127.0.0.1") -> int:
    with socket.create_server((host, 0)) as server:
        return server.getsockname()[1]


def wait_for(host: str, port: int, what: str) -> None:
    for _ in range(600):
        try:
            socket.create_connection((host, port), 1).close()
            return
        except OSError:
            time.sleep(0.2)
    sys.exit(f"{what} does not answer at {host}:{port}; its log is in {WORK}")


def make_copy() -> None:
    shutil.rmtree(COPY, ignore_errors=True)
    WORK.mkdir(parents=True, exist_ok=True)
    run("git", "clone", "--quiet", ROOT, COPY)
    # What is compiled is kept from one rehearsal to the next.
    os.environ["CARGO_TARGET_DIR"] = str(WORK / "target")


def sam_build(environment: dict[str, str]) -> None:
    run("sam", "build", "--parameter-overrides", "Architecture=x86_64", cwd=COPY, env=environment, capture_output=True)


def suite(environment: dict[str, str], *more: str) -> None:
    """The end-to-end suite, on the road that the environment says. It has a target directory of its own."""
    environment = {name: value for name, value in environment.items() if name not in ("CARGO_TARGET_DIR", "AWS_ENDPOINT_URL")}
    run("cargo", "test", "--package", "windi-local", "--test", "e2e", *more, cwd=ROOT, env=environment)
