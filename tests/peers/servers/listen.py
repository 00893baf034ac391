"""What the Python servers have in common when they serve HTTP: where they listen, how they say so, when they end."""

import os
import socket
import sys
import threading

import uvicorn


def _end_with_input() -> None:
    """Ends the process with its standard input, so that no server outlives whoever started it."""
    while sys.stdin.buffer.read(4096):
        pass
    # Not an orderly end: that would wait for streams, and cancel calls that nobody has ended.
    os._exit(0)


def listen(app, path: str) -> None:
    """Serves `app` on the loopback interface, on the port `PEER_PORT` or any that is free."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(os.environ.get("PEER_PORT", "0"))))
    listener.listen(128)
    threading.Thread(target=_end_with_input, daemon=True).start()
    # From here on connections wait in the queue of the socket until the loop runs.
    print(f"listening http://127.0.0.1:{listener.getsockname()[1]}{path}", flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[listener])
