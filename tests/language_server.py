"""A real YAML language server as an editor starts it, spoken to over its pipes (Language Server Protocol)."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PACKAGE = "yaml-language-server@1.25.0"
PATIENCE = 60.0  # seconds for one answer


class LanguageServer:
    """Asks questions about one document, as the editor of the folder would."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        self._process = process
        self._folder = folder
        self._number = 0
        self._settings: Mapping[str, Any] = {}
        self._sending = threading.Lock()
        self._told: queue.Queue[dict[str, Any]] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        root = folder.as_uri()
        folders = [{"uri": root, "name": folder.name}]
        can = {"workspace": {"configuration": True, "workspaceFolders": True}}
        asked = {"processId": None, "rootUri": root, "workspaceFolders": folders, "capabilities": can}
        self._ask("initialize", asked)
        self._tell("initialized", {})

    def configure(self, settings: Mapping[str, Any]) -> None:
        """Give it the settings of the folder, keys as VS Code has them ("yaml.schemas")."""
        yaml = {key.removeprefix("yaml."): value for key, value in settings.items() if key.startswith("yaml.")}
        self._settings = {"yaml": {"validate": True, "hover": True, "completion": True, **yaml}}
        self._tell("workspace/didChangeConfiguration", {"settings": self._settings})

    def diagnose(self, file: str, text: str) -> list[str]:
        """Given a file of the folder as it stands in the editor, return what is underlined: "line: message"."""
        uri = (self._folder / file).as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": self._number, "text": text}
        self._tell("textDocument/didOpen", {"textDocument": document})
        told = self._await(lambda each: each.get("method", "").endswith("/publishDiagnostics"))
        found = told["params"]["diagnostics"]
        return [f"{each['range']['start']['line'] + 1}: {each['message']}" for each in found]

    def complete(self, file: str, line: int, column: int) -> dict[str, str]:
        """Given a place (from 1), return what could stand there, by name, each with its description."""
        found = self._ask("textDocument/completion", self._place(file, line, column))
        items = found["items"] if isinstance(found, dict) else found
        return {each["label"]: _text(each.get("documentation", "")) for each in items}

    def hover(self, file: str, line: int, column: int) -> str:
        """Given a place (from 1), return what is shown over it."""
        found = self._ask("textDocument/hover", self._place(file, line, column))
        return _text(found["contents"]) if found else ""

    def _place(self, file: str, line: int, column: int) -> dict[str, Any]:
        position = {"line": line - 1, "character": column - 1}
        return {"textDocument": {"uri": (self._folder / file).as_uri()}, "position": position}

    def _ask(self, method: str, parameters: Mapping[str, Any]) -> Any:
        self._number += 1
        number = self._number
        self._send({"id": number, "method": method, "params": parameters})
        return self._await(lambda each: each.get("id") == number and "method" not in each)["result"]

    def _tell(self, method: str, parameters: Mapping[str, Any]) -> None:
        self._send({"method": method, "params": parameters})

    def _await(self, wanted: Any) -> dict[str, Any]:
        while True:
            told = self._told.get(timeout=PATIENCE)
            if wanted(told):
                return told

    def _send(self, message: Mapping[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin
        with self._sending:
            self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
            self._process.stdin.flush()

    def _listen(self) -> None:
        stream = self._process.stdout
        assert stream
        while header := stream.readline():
            length = int(header.split(b":")[1])
            while stream.readline().strip():
                pass
            told = json.loads(stream.read(length))
            if told.get("method") == "workspace/configuration":
                asked = [each.get("section", "") for each in told["params"]["items"]]
                self._send({"id": told["id"], "result": [self._settings.get(section) for section in asked]})
            elif "id" in told and "method" in told:
                self._send({"id": told["id"], "result": None})
            else:
                self._told.put(told)


@contextmanager
def language_server(folder: Path, kept: Path) -> Iterator[LanguageServer]:
    """Start the server for a folder; its package is installed once into `kept`."""
    program = kept / "node_modules" / ".bin" / "yaml-language-server"
    if not program.exists():
        npm = shutil.which("npm")
        assert npm, "npm is missing: apt-get install npm (tests/install-servers heavy does it)"
        kept.mkdir(parents=True, exist_ok=True)
        command = [npm, "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", PACKAGE]
        subprocess.run(command, cwd=kept, check=True, timeout=300, env={**os.environ, "HOME": str(kept)})
    with subprocess.Popen([program, "--stdio"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield LanguageServer(process, folder)
        finally:
            process.kill()


def _text(told: Any) -> str:
    if isinstance(told, Mapping):
        return str(told.get("value", ""))
    return "\n".join(map(_text, told)) if isinstance(told, list) else str(told)
