"""Steers the simulator from Python's standard library, for unittest or pytest."""

import json
import urllib.error
import urllib.request


class Simulator:
    def __init__(self, url: str = "http://127.0.0.1:4010"):
        self.url = url

    def call(self, method: str, path: str, body: object = None) -> dict:
        request = urllib.request.Request(
            f"{self.url}/_control{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return json.load(response)
        except urllib.error.HTTPError as refused:
            raise ValueError(json.load(refused)["error"]) from None

    def reset(self) -> None:
        self.call("POST", "/reset", {})

    def customers_are(self, username: str) -> None:
        self.call("POST", "/scenario", {"username": username})

    def fails(self, service: str, path: str, **fault: object) -> None:
        self.call("POST", "/faults", {"service": service, "path": path, **fault})

    def happens(self, event: str, **about: str) -> dict:
        return self.call("POST", "/events", {"event": event, **about})

    def instruments(self) -> list[dict]:
        return self.call("GET", "/ledger/instruments")["data"]
