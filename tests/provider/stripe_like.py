#!/usr/bin/env python3
"""A payment provider as a process of its own, for tests: what of Stripe's API an order server needs.

    stripe_like.py LEDGER     prints `port=N` once it listens on 127.0.0.1

It keeps Stripe's rules: the first outcome under an Idempotency-Key is given back for ever, other terms
under the same key are refused, a refund never exceeds what was taken. LEDGER is an append-only file of
JSON lines, synced before an answer, and read back at the start: kill -9 forgets nothing.

What goes wrong is said by the payment method (`pm_…`) or by `PUT /control {"fault": NAME, "times": N}`
(the next N requests that could meet it). `GET /control` shows ledger, faults, and what was asked.
"""

import http.server
import json
import os
import socket
import struct
import sys
import threading
import time
import urllib.parse

KEY = "sk_test_provider"


class Books:
    """All that the provider knows; one request at a time."""

    def __init__(self, path):
        self.lock = threading.RLock()
        self.path = path
        self.intents, self.keys, self.refunds = {}, {}, []
        self.faults, self.asked = {}, []
        if os.path.exists(path):
            with open(path, encoding="utf-8") as lines:
                for line in lines:
                    if line.endswith("\n"):
                        self.replay(json.loads(line))
        self.file = open(path, "a", encoding="utf-8")

    def replay(self, entry):
        if "intent" in entry:
            self.intents[entry["intent"]["id"]] = entry["intent"]
        if "refund" in entry:
            self.refunds.append(entry["refund"])
        if "key" in entry:
            self.keys[entry["key"]] = entry["first"]

    def write(self, **entry):
        self.replay(entry)
        self.file.write(json.dumps(entry) + "\n")
        self.file.flush()
        os.fsync(self.file.fileno())

    def refunded(self, intent_id):
        return sum(r["amount"] for r in self.refunds if r["payment_intent"] == intent_id)

    def hits(self, name):
        """True where the next request is to meet this fault."""
        with self.lock:
            left = self.faults.get(name, 0)
            self.faults[name] = max(0, left - 1)
            return left > 0


def error(kind, code, message="no", **more):
    return {"error": {"type": kind, "code": code, "message": message, **more}}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    books = None

    def log_message(self, *args):
        pass

    # -- the wire

    def answer(self, status, body, headers=()):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def hang_up(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def read(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()

    def do_GET(self):
        self.serve()

    def do_POST(self):
        self.serve()

    def do_PUT(self):
        body = json.loads(self.read())
        with self.books.lock:
            self.books.faults[body["fault"]] = body.get("times", 1)
        self.answer(200, {})

    def serve(self):
        url = urllib.parse.urlsplit(self.path)
        raw = self.read()
        if url.path == "/control":
            return self.show()
        with self.books.lock:
            self.books.asked.append({
                "method": self.command, "path": url.path, "key": self.headers.get("Idempotency-Key"),
                "version": self.headers.get("Stripe-Version"),
                "traceparent": self.headers.get("traceparent")})
        if self.headers.get("Authorization") != "Bearer " + KEY or self.books.hits("401"):
            return self.answer(401, error("invalid_request_error", None, "Invalid API Key"))
        for status in (429, 500, 503):
            if self.books.hits(f"{status}_before"):
                return self.answer(status, error("api_error", None))
        if self.books.hits("reset_before"):
            return self.hang_up()
        fields = dict(urllib.parse.parse_qsl(raw or url.query, keep_blank_values=True))
        self.route(url.path.strip("/").split("/"), fields)

    def show(self):
        with self.books.lock:
            self.answer(200, {"intents": list(self.books.intents.values()),
                              "refunds": self.books.refunds, "asked": self.books.asked})

    # -- the API

    def route(self, path, fields):
        books = self.books
        if path == ["v1", "payment_intents"] and self.command == "POST":
            return self.once(fields, self.create)
        if path == ["v1", "payment_intents", "search"]:
            wanted = fields["query"].split(":", 1)[1].strip('"')
            with books.lock:
                hits = [self.seen(i) for i in books.intents.values()
                        if i["metadata"]["payment_id"] == wanted]
            return self.answer(200, {"object": "search_result", "data": hits})
        if path == ["v1", "refunds"] and self.command == "POST":
            return self.once(fields, self.refund)
        intent = books.intents.get(path[2]) if len(path) > 2 else None
        if not intent:
            return self.answer(404, error("invalid_request_error", "resource_missing"))
        if path[3:] == ["cancel"]:
            with books.lock:
                if intent["status"] in ("succeeded", "canceled"):
                    code = "payment_intent_unexpected_state"
                    return self.answer(400, error("invalid_request_error", code))
                books.write(intent={**intent, "status": "canceled"})
        self.answer(200, self.seen(books.intents[path[2]]))

    def seen(self, intent):
        taken = self.books.refunded(intent["id"])
        return {**intent, "latest_charge": {"object": "charge", "amount_refunded": taken}}

    def once(self, fields, make):
        """Runs `make` for the first request with this key, and repeats its outcome for the others."""
        key = self.headers.get("Idempotency-Key")
        with self.books.lock:
            first = self.books.keys.get(key)
            if first and first["fields"] != fields:
                return self.answer(400, error("idempotency_error", None))
            again = first is not None
            if not again:
                status, body = make(fields)
                first = {"fields": fields, "status": status, "body": body}
                if not self.books.hits("forgets_key"):
                    self.books.write(key=key, first=first)
        if not again and self.disturb(fields):
            return
        replayed = [("Idempotent-Replayed", "true")] if again else []
        self.answer(first["status"], first["body"], replayed)

    def disturb(self, fields):
        """What happens between the deed and its answer: the money has moved by now. True: no answer."""
        name = fields.get("payment_method", "").removeprefix("pm_")
        if name == "slow":
            time.sleep(0.3)
        if name == "silent" or self.books.hits("silent"):
            time.sleep(3600)
        elif name == "reset_after" or self.books.hits("reset_after"):
            self.hang_up()
        elif name == "garbage" or self.books.hits("garbage"):
            self.answer(200, b"<html>it works</html>")
        elif name == "500_after" or self.books.hits("500_after"):
            self.answer(500, error("api_error", None))
        else:
            return False
        return True

    def create(self, f):
        method = f.get("payment_method")
        intent = {
            "id": f"pi_{len(self.books.intents) + 1}", "object": "payment_intent",
            "amount": int(f["amount"]), "currency": f["currency"], "amount_received": 0,
            "metadata": {"order_id": f["metadata[order_id]"],
                         "payment_id": f["metadata[payment_id]"]},
            "status": "requires_payment_method" if not method else "succeeded"}
        if method == "pm_absent":
            return 400, error("invalid_request_error", "resource_missing")
        if method == "pm_500_stored":  # it fails inside of Stripe, and the failure is kept with the key
            return 500, error("api_error", None)
        if method == "pm_declined":
            intent["status"] = "requires_payment_method"
            intent["last_payment_error"] = {"code": "card_declined",
                                            "decline_code": "insufficient_funds"}
            self.books.write(intent=intent)
            return 402, error("card_error", "card_declined", decline_code="insufficient_funds",
                              payment_intent=intent)
        if method == "pm_action":
            intent["status"] = "requires_action"
        if method == "pm_processing":
            # Under way when it is answered; done when it is looked at.
            self.books.write(intent={**intent, "amount_received": intent["amount"]})
            return 200, {**intent, "status": "processing"}
        if intent["status"] == "succeeded":
            intent["amount_received"] = intent["amount"]
        self.books.write(intent=intent)
        if method == "pm_wrong_amount":
            return 200, {**intent, "amount": 1, "amount_received": 1}
        return 200, intent

    def refund(self, f):
        intent = self.books.intents[f["payment_intent"]]
        left = intent["amount_received"] - self.books.refunded(intent["id"])
        if left <= 0:
            return 400, error("invalid_request_error", "charge_already_refunded")
        refund = {"id": f"re_{len(self.books.refunds) + 1}", "object": "refund", "amount": left,
                  "payment_intent": intent["id"], "status": "succeeded"}
        self.books.write(refund=refund)
        return 200, refund


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def main():
    Handler.books = Books(sys.argv[1])
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    server = Server(("127.0.0.1", port), Handler)
    print(f"port={server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
