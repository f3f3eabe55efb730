#!/usr/bin/env python3
"""The server as a monitoring system sees it: scraped by Debian's real Prometheus, its page judged
by promtool, and docs/monitoring held against it. Needs $JUMUN_BINARY; scripts/setup.sh gets
prometheus and promtool."""

import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DOCS = ROOT / "docs" / "monitoring"
PATIENCE_S = 60


def tool(name):
    """The program from $PATH, or where scripts/setup.sh has unpacked it."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    kept = os.environ.get("JUMUN_TOOLS") or os.path.join(cache, "jumun", "tools")
    found = shutil.which(name) or shutil.which(name, path=kept)
    if not found:
        raise AssertionError(f"no {name}: scripts/setup.sh gets it")
    return found


def until(what, enough):
    """Asks again and again; what it came to."""
    end = time.monotonic() + PATIENCE_S
    while not (got := enough()):
        if time.monotonic() > end:
            raise AssertionError(f"it never came: {what}")
        time.sleep(0.05)  # between two questions, not instead of one
    return got


def ask(port, method, target, body=None, **fields):
    """(status, text). A field's name is written with _ for -."""
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    with contextlib.closing(c):
        named = {k.replace("_", "-"): v for k, v in fields.items()}
        if body is not None:
            named["Content-Type"] = "application/json"
        c.request(method, target, None if body is None else json.dumps(body), named)
        r = c.getresponse()
        return r.status, r.read().decode()


class Jumun:
    """The server on a folder of its own, and what people do there."""

    def __init__(self, folder):
        self.folder = folder
        self.keys = 0
        self.start()

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [os.environ["JUMUN_BINARY"], "serve", "--data-dir", str(self.folder / "data"),
                 "--port", "0", "--ops-port", "0", "--payment-timeout-ms", "100000"],
                stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL, text=True)
        for line in self.process.stdout:
            if m := re.match(r"ready public=http://[^:]+:(\d+) ops=http://[^:]+:(\d+)", line):
                self.port, self.ops = int(m[1]), int(m[2])
                return
        raise AssertionError("not ready:\n" + (self.folder / "log").read_text())

    def end(self, how):
        self.process.send_signal(how)
        self.process.wait(PATIENCE_S)
        self.process.stdout.close()

    def post(self, target, body, wait=0, key=None):
        self.keys += 1
        fields = {"Idempotency_Key": key or f"key-{self.keys}"}
        if wait:
            fields["Prefer"] = f"wait={wait}"
        status, text = ask(self.port, "POST", target, body, **fields)
        assert status < 300, (target, status, text)
        return json.loads(text)

    def place(self, token="tok_approve", wait=30, key=None):
        return self.post("/v1/orders", {
            "customer_id": "c-planted-42", "lines": [{"sku": "tea-planted", "quantity": 1}],
            "payment": {"method": "card", "token": token},
            "shipping_address": {"line1": "1", "city": "Seoul", "country": "KR"}}, wait, key)

    def wait_for(self, order, status):
        until(status, lambda: json.loads(
            ask(self.port, "GET", f"/v1/orders/{order['id']}")[1])["status"] == status)

    def page(self):
        status, text = ask(self.ops, "GET", "/metrics", Accept="text/plain")
        assert status == 200, (status, text)
        return text

    def value(self, series, page=None):
        """Of one series, by its whole name; 0 where it is not."""
        found = re.search("^" + re.escape(series) + r" (\S+)$", page or self.page(), re.M)
        return float(found[1]) if found else 0.0


def orders(outcome):
    return f'jumun_orders_total{{outcome="{outcome}"}}'


def open_sagas(state):
    return f'jumun_sagas_open{{state="{state}"}}'


APPROVED, DECLINED = 7, 3
EXPECTED = {  # after play()
    orders("accepted"): APPROVED + DECLINED + 2,
    orders("rejected"): DECLINED,
    orders("preparing"): APPROVED + 1,
    orders("shipped"): 1,
    orders("delivered"): 1,
    orders("cancelled"): 1,
    orders("blocked"): 0,
    open_sagas("running"): 1,
    open_sagas("blocked"): 0,
    'jumun_saga_duration_seconds_count{outcome="preparing"}': APPROVED + 1,
    'jumun_saga_duration_seconds_bucket{outcome="preparing",le="+Inf"}': APPROVED + 1,
    'jumun_saga_duration_seconds_count{outcome="rejected"}': DECLINED,
    'jumun_saga_duration_seconds_count{outcome="cancelled"}': 1,
    'jumun_events_total{type="OrderPlaced"}': APPROVED + DECLINED + 2,
    'jumun_events_total{type="PaymentDeclined"}': DECLINED,
    'jumun_events_total{type="PaymentCanceled"}': 1,
    'jumun_http_requests_total{method="POST",route="/v1/orders",code="2xx"}':
        APPROVED + DECLINED + 3,
    'jumun_http_request_duration_seconds_count{method="POST",route="/v1/orders"}':
        APPROVED + DECLINED + 3,
    'jumun_http_requests_total{method="none",route="none",code="4xx"}': 1,
    "jumun_idempotency_replays_total": 1,
    "jumun_http_exceptions_total": 0,
    'jumun_breaker_state{breaker="payment-provider",state="closed"}': 1,
    'jumun_breaker_state{breaker="payment-provider",state="open"}': 0,
    "jumun_event_readers": 0,
    "jumun_webhook_endpoints": 0,
    'jumun_actors{kind="saga",state="running"}': 1,
    'jumun_actors{kind="supervisor",state="running"}': 256,
}


def play(jumun):
    """A shop's day, of which each number is known."""
    ask(jumun.port, "PUT", "/v1/products/tea-planted",
        {"name": "Tea", "unit_price": {"amount": 4500, "currency": "KRW"}})
    jumun.post("/v1/inventory/tea-planted/adjustments", {"delta": 100, "reason": "in"})
    placed = [jumun.place(key=f"order-{i}") for i in range(APPROVED)]
    jumun.place(key="order-0")  # a replay: the same order, not one more
    for _ in range(DECLINED):
        jumun.place("tok_decline")
    updates = f"/v1/deliveries/{placed[0]['delivery']['id']}/updates"
    jumun.post(updates, {"status": "picked_up"})
    jumun.post(updates, {"status": "delivered"})
    undone = jumun.place()
    jumun.post(f"/v1/orders/{undone['id']}/cancellations", {})
    jumun.wait_for(undone, "cancelled")
    jumun.wait_for(jumun.place("tok_timeout", wait=0), "paying")  # and there it stays
    assert ask(jumun.port, "GET", "/no/such/path")[0] == 404


class Monitoring(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="jumun-monitoring-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.path = pathlib.Path(cls.folder.name)
        cls.jumun = Jumun(cls.path)
        cls.addClassCleanup(lambda: cls.jumun.end(signal.SIGKILL))
        play(cls.jumun)

    def run_tool(self, *command, **how):
        done = subprocess.run([tool(command[0]), *command[1:]], capture_output=True, text=True,
                              cwd=DOCS, timeout=PATIENCE_S, check=False, **how)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_1_every_order_is_counted_exactly_once(self):
        page = self.jumun.page()
        counted = {series: self.jumun.value(series, page) for series in EXPECTED}
        self.assertEqual(counted, EXPECTED)
        self.assertGreater(self.jumun.value("jumun_commit_duration_seconds_count", page), 0)
        self.assertEqual(self.jumun.value("jumun_commit_batch_write_sets_sum", page),
                         self.jumun.value("jumun_journal_write_sets_total", page))

    def test_2_promtool_finds_nothing_wrong_with_the_page(self):
        self.assertEqual(self.run_tool("promtool", "check", "metrics", input=self.jumun.page()), "")

    def test_3_no_label_names_an_order_a_sku_or_a_customer(self):
        page = self.jumun.page()
        self.assertNotRegex(page, r"planted|ord_|pay_|dlv_|tok_")
        self.assertLess(len(page.splitlines()), 1500)

    def test_4_prometheus_scrapes_it_and_agrees(self):
        with self.prometheus() as at:
            until("up == 1", lambda: self.query(at, 'up{job="jumun"}') == [1.0])
            late = self.jumun.place()  # one more, and one scrape later it is there
            self.assertEqual(late["status"], "preparing")
            EXPECTED[orders("accepted")] += 1
            EXPECTED[orders("preparing")] += 1
            for name, labels in [("jumun_orders_total", {"outcome": o}) for o in
                                 ("accepted", "preparing", "rejected", "delivered", "cancelled")]:
                wanted = EXPECTED[orders(labels["outcome"])]
                selector = name + "{" + ",".join(f'{k}="{v}"' for k, v in labels.items()) + "}"
                until(f"{selector} == {wanted}",
                      lambda s=selector, n=wanted: self.query(at, s) == [float(n)])
            rules = json.loads(ask(at, "GET", "/api/v1/rules")[1])["data"]["groups"][0]["rules"]
            self.assertEqual({r["health"] for r in rules} - {"unknown"}, {"ok"})
            self.check_dashboard_by(at)

    def test_5_rules_and_dashboard_name_only_metrics_that_are_there(self):
        known = set(re.findall(r"^# TYPE (\S+) ", self.jumun.page(), re.M))
        known |= {f"{n}_{part}" for n in known for part in ("bucket", "sum", "count")}
        for name in ("jumun.rules.yml", "jumun.rules.test.yml", "dashboard.json", "README.md"):
            text = (DOCS / name).read_text()
            used = set(re.findall(r"\b((?:jumun|process)_[a-z0-9_]+)", text))
            self.assertEqual(used - known, set(), name)
            self.assertNotEqual(used, set(), name)

    def test_6_the_rules_hold_and_each_alert_has_its_runbook(self):
        self.run_tool("promtool", "check", "rules", "jumun.rules.yml")
        self.run_tool("promtool", "test", "rules", "jumun.rules.test.yml")
        rules = (DOCS / "jumun.rules.yml").read_text()
        alerts = re.findall(r"- alert: (\w+)", rules)
        readme = (DOCS / "README.md").read_text()
        tests = (DOCS / "jumun.rules.test.yml").read_text()
        for alert in alerts:
            self.assertIn(f"\n### {alert}\n", readme)
            self.assertIn(f"README.md#{alert.lower()}\"", rules)
            self.assertEqual(tests.count(f"alertname: {alert}\n"), 2, alert)  # fires; does not

    def test_7_open_sagas_are_counted_right_after_kill_9_too(self):
        self.jumun.end(signal.SIGKILL)
        self.jumun.start()
        states = ("running", "waiting", "paused", "blocked", "recovering")
        page = self.jumun.page()  # at once: found, if perhaps not read yet
        self.assertEqual(sum(self.jumun.value(open_sagas(s), page) for s in states), 1)
        until("its row is read", lambda: self.jumun.value(open_sagas("running")) == 1)
        self.assertEqual(self.jumun.value(orders("accepted")), 0)  # counters begin anew

    # -- Prometheus ------------------------------------------------------------------------------

    @contextlib.contextmanager
    def prometheus(self):
        """The port of one that scrapes us and evaluates our rules, each once a second."""
        config = self.path / "prometheus.yml"
        config.write_text(json.dumps({
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s",
                       "evaluation_interval": "1s"},
            "rule_files": [str(DOCS / "jumun.rules.yml")],
            "scrape_configs": [{"job_name": "jumun", "static_configs": [
                {"targets": [f"127.0.0.1:{self.jumun.ops}"]}]}]}))  # JSON is YAML, too
        for _ in range(10):  # somebody may take the free port before it does
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            with open(self.path / "prometheus.log", "ab") as log:
                child = subprocess.Popen(
                    [tool("prometheus"), f"--config.file={config}",
                     f"--storage.tsdb.path={self.path / 'tsdb'}",
                     f"--web.listen-address=127.0.0.1:{port}"],
                    stdout=log, stderr=log, stdin=subprocess.DEVNULL)
            try:
                if until("it listens, or ended", lambda: self.answers(port) or child.poll()) is True:
                    yield port
                    return
            finally:
                child.kill()
                child.wait()
        self.fail((self.path / "prometheus.log").read_text())

    @staticmethod
    def answers(port):
        try:
            return ask(port, "GET", "/-/ready")[0] == 200
        except OSError:
            return False

    def query(self, at, promql):
        status, text = ask(at, "GET", "/api/v1/query?" + urllib.parse.urlencode({"query": promql}))
        self.assertEqual(status, 200, text)
        return [float(r["value"][1]) for r in json.loads(text)["data"]["result"]]

    def check_dashboard_by(self, at):
        """Each panel's PromQL is understood by the real one."""
        asked = 0
        for panel in json.loads((DOCS / "dashboard.json").read_text())["panels"]:
            for t in panel.get("targets", []):
                expr = t["expr"].replace("$__rate_interval", "1m").replace("$instance", ".*")
                self.query(at, expr)  # a 400 says what it does not understand
                asked += 1
        self.assertGreater(asked, 20)


if __name__ == "__main__":
    unittest.main(verbosity=2)
