"""Exit code 0 when all is well: `healthy.py /readyz`, where this container's own port answers 200; `healthy.py FILE SECONDS`, where a
file was touched so lately. Imports next to nothing: it runs every few seconds in every container."""

import os
import socket
import sys
import time


def answers(path: str) -> bool:
    with socket.create_connection(("127.0.0.1", int(os.environ["LIFANG_PORT"])), timeout=2) as asked:
        asked.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        return asked.recv(64).startswith(b"HTTP/1.1 200 ")


def touched(path: str, seconds: float) -> bool:
    return time.time() - os.stat(path).st_mtime < seconds  # noqa: PTH116 (pathlib takes longer to import than all this)


try:
    sys.exit(not (touched(sys.argv[1], float(sys.argv[2])) if len(sys.argv) > 2 else answers(sys.argv[1])))
except OSError as error:
    sys.exit(str(error))
