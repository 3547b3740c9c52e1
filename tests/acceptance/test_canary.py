"""Secrets of the marketplaces are where the operator put them, and nowhere else: looked for wherever something is kept.

The marketplaces here are hostile: they answer with all that they were sent.
"""

import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from daybook.embedded.servers import Servers
from tests.fixtures.waiting import until

pytestmark = pytest.mark.long

CANARY = "canary7secret7of7the7shops"
WEBHOOK_KEY = b64encode(CANARY.encode()).decode()
KEYS = {
    "webshop": {"consumer_key": f"ck_{CANARY}", "consumer_secret": f"cs_{CANARY}"},
    "bol": {"client_id": "shop-at-bol", "client_secret": CANARY},
    "shopify": {"access_token": f"shpat_{CANARY}", "location_id": "1", "publication_id": "1"},
    "google": {
        "account": "1", "data_source": "1", "client_id": "x", "client_secret": CANARY, "refresh_token": f"1//{CANARY}",
    },
    "amazon": {"seller_id": "A1", "client_id": "x", "client_secret": CANARY, "refresh_token": f"Atzr-{CANARY}"},
    "webhook": {"secret": f"whsec_{WEBHOOK_KEY}"},
}  # fmt: skip
TRACES = (CANARY.encode(), WEBHOOK_KEY.encode(), b64encode(f"ck_{CANARY}:cs_{CANARY}".encode()))
"""The secrets, and what Basic authentication makes of them."""

ASKED_FOR_ORDERS = tuple(f"DAYBOOK_CHANNEL_{name}_".encode() for name in ("WEBSHOP", "SHOPIFY", "BOL"))
"""Variables of channels that can let their orders in: who asks them needs those, and no others."""


class Echo(BaseHTTPRequestHandler):
    """Answers with a refusal that repeats the request, in each marketplace's place for its reasons."""

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        said = " ".join([*self.headers.values(), self.rfile.read(length).decode("latin-1")])
        body = json.dumps(
            {
                "code": "refused", "message": said, "detail": said, "error": "invalid_client",
                "error_description": said, "errors": [{"code": "x", "message": said}],
            }
        ).encode()  # fmt: skip
        self.send_response(int(self.server.status))  # type: ignore[attr-defined]
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.server.asked.add(self.path)  # type: ignore[attr-defined]

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@contextmanager
def marketplace(status: int) -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    server.status, server.asked = status, set()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def running(data: Path, environ: dict[str, str]) -> Iterator[dict[str, Any]]:
    """`daybook up`, and what it said."""
    command = [sys.executable, "-m", "daybook", "up", "--port", "0", "--json", "--data", str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ) as child:
        try:
            assert child.stdout is not None
            yield json.loads(child.stdout.readline())
        finally:
            child.terminate()
            _, said = child.communicate(timeout=60)
            assert CANARY not in said and "dbk_" not in said


def found_in(text: bytes) -> bool:
    return any(one in text for one in TRACES)


def around(text: str) -> str:
    """Where the first canary is."""
    at = min((at for one in TRACES if (at := text.find(one.decode())) >= 0), default=0)
    return text[max(0, at - 150) : at + 60]


def refused(url: str, key: str) -> Iterator[tuple[str, bytes]]:
    """What the API answers to requests that it refuses, or that fail, while the key is shown with them."""
    requests = (
        ("GET", "products/nosuch", None),
        ("GET", f"products?key={key}", None),
        ("POST", "products", key.encode()),
        ("PUT", "products/SKU-1", json.dumps({"sku": key, "name": key}).encode()),
        ("GET", f"products/{key}", None),
        ("GET", f"channels/{key}/rejected", None),
    )
    for method, path, body in requests:
        shown = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{url}/api/v1/{path}", body, shown, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                yield path, answer.read()
        except urllib.error.HTTPError as error:
            yield path.replace(key, "KEY"), error.read()


def environments(pid: int) -> Iterator[tuple[str, bytes]]:
    """What each process that was begun there was told, by its command; not those whose work needs the credentials."""
    for one in psutil.Process(pid).children(recursive=True):
        try:
            command, told = " ".join(one.cmdline()), Path(f"/proc/{one.pid}/environ").read_bytes()
        except (psutil.Error, OSError):  # it has just ended
            continue
        if command.endswith(" run intake"):
            told = b"\0".join(one for one in told.split(b"\0") if not one.startswith(ASKED_FOR_ORDERS))
        if not command.endswith((" run deliver", " run api")):
            yield f"environment of {command}", told


def tables(dsn: str) -> Iterator[tuple[str, bytes]]:
    """Every table of the database, as text."""
    with psycopg.connect(dsn) as conn:
        names = conn.execute(
            "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        for (name,) in names:
            with conn.cursor().copy(f"COPY {name} TO STDOUT".encode()) as rows:
                yield name, b"".join(bytes(one) for one in rows)


@pytest.mark.parametrize("status", [401, 422, 500])
def test_a_secret_is_in_no_table_file_answer_or_list_of_processes(
    data_folder: Path, tmp_path: Path, status: int
) -> None:
    environ = {name: one for name, one in os.environ.items() if not name.startswith("DAYBOOK_")}
    with marketplace(status) as shop:
        url = f"http://127.0.0.1:{shop.server_address[1]}"
        for number, (channel, given) in enumerate(KEYS.items()):
            environ |= {
                f"DAYBOOK_CHANNEL_{channel.upper()}_URL": url,
                f"DAYBOOK_CHANNEL_{channel.upper()}_ALLOW_HTTP": "true",
            }
            environ[f"DAYBOOK_CHANNEL_{channel.upper()}_ALLOW_PRIVATE"] = "true"
            for key, value in given.items():
                variable = f"DAYBOOK_CHANNEL_{channel.upper()}_{key.upper()}"
                if number % 2:
                    environ[variable] = value
                else:
                    file = tmp_path / variable
                    file.touch(mode=0o600)
                    file.write_text(value + "\n")
                    environ[f"{variable}_FILE"] = str(file)
        with running(data_folder, environ) as said:

            def daybook(*words: str) -> str:
                command = [sys.executable, "-m", "daybook", *words, "--data", str(data_folder)]
                done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environ)
                return done.stdout + done.stderr

            product = {
                "sku": "SKU-1", "kind": "product", "gtin": "4006381333931", "stock": {"main": 5},
                "prices": [{"amount": "19.99", "currency": "EUR"}], "channels": dict.fromkeys(KEYS, True),
            }  # fmt: skip
            record = tmp_path / "product.jsonl"
            records = (
                {"type": "daybook.catalogue", "version": 1},
                {"type": "define_attribute", "attribute": {"code": "name", "type": "text"}},
                {"type": "describe_product", "attributes": [{"attribute": "name", "value": "Bag"}], **product},
            )
            record.write_text("".join(json.dumps(one) + "\n" for one in records))
            told = daybook("import", "jsonl", str(record))
            until(lambda: len(shop.asked) > 3, f"the marketplaces are called: {told}", 60)  # type: ignore[attr-defined]

            def troubled() -> int:
                channels = json.loads(daybook("channel", "list", "--json"))
                return sum(bool(one["last_error"] or one["rejected"]) for one in channels)

            until(lambda: troubled() >= 2, "channels are in trouble", 60)
            shown = {
                words: daybook(*words.split())
                for words in (
                    "config", "config --json", "channel list", "channel list --json", "status --json",
                    "log tail --json",
                    "channel show webshop --json", "channel listing SKU-1 --attempts --json", "product history SKU-1",
                    "product history SKU-1 --json", "channel rejected webshop", "channel preview webshop SKU-1",
                )
            }  # fmt: skip
            for path in ("channels", "status", "events?limit=1000", "products/SKU-1/history", "channels/bol/rejected"):
                shown_key = {"Authorization": f"Bearer {said['key']}"}
                request = urllib.request.Request(f"{said['url']}/api/v1/{path}", headers=shown_key)
                with urllib.request.urlopen(request, timeout=20) as answer:
                    shown[path] = answer.read().decode()
            shown["processes"] = "\n".join(
                " ".join(one.info["cmdline"] or ()) for one in psutil.process_iter(["cmdline"])
            )
            leaks = [f"{what}: {around(text)}" for what, text in shown.items() if found_in(text.encode())]
            environs = list(environments(said["pid"]))
            assert len(environs) > 4, "Postgres, NATS, the relay and the projections"
            leaks += [what for what, variables in environs if found_in(variables)]
            # The API key is the other canary: it was shown to its owner, and stands in the owner's file.
            secret = said["key"].rpartition("_")[2][:30].encode()
            answers = list(refused(said["url"], said["key"]))
            leaks += [f"key in the answer to {path}" for path, content in answers if secret in content]
            leaks += [f"key in {what}" for what, text in shown.items() if secret in text.encode()]
            leaks += [f"key in {what}" for what, variables in environs if secret in variables]
            servers = Servers.running(data_folder)
            assert servers is not None
            kept = list(tables(servers.postgres))
            leaks += [name for name, rows in kept if found_in(rows)]
            leaks += [f"key in {name}" for name, rows in kept if secret in rows]
    files = {file: file.read_bytes() for file in data_folder.rglob("*") if file.is_file()}
    leaks += [str(file) for file, content in files.items() if found_in(content)]
    del files[Path(said["key_file"])]
    leaks += [f"key in {file}" for file, content in files.items() if secret in content]
    assert not leaks, "\n".join(leaks)
