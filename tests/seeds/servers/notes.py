"""What the Python servers of this folder have in common."""

import json
import os


def note(entry: dict) -> None:
    """Notes what happened where the test can read it: a line of JSON each."""
    if path := os.environ.get("PEER_LOG"):
        with open(path, "a", encoding="utf-8") as log:
            log.write(json.dumps(entry) + "\n")
