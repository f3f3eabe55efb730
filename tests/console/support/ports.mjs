// Ports that stay a server's own while it is down. One of the kernel's choice (port 0) is of the range that outgoing
// connections take theirs from: any of them, a browser's or another node's try to connect, may have it by the time
// that the server comes back, and its start then ends with 9 (bind-failed). Below that range nobody takes one by chance.
import { readFileSync } from "node:fs";
import { createServer } from "node:net";

const lowest = 10_000; // below are those of well-known servers
function firstEphemeral() {
  try {
    return Number(readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").split(/\s+/)[0]);
  } catch {
    return 32_768; // Linux' default
  }
}
const range = { from: lowest, to: Math.max(firstEphemeral(), lowest + 5_000) };

const given = new Set(); // by this process: a server that is down still has its own
const free = (port) => new Promise((answer) => {
  const probe = createServer().once("error", () => answer(false));
  probe.listen(port, "127.0.0.1", () => probe.close(() => answer(true)));
});

/** A random one that nobody listens on, each once. */
export async function freePort() {
  for (;;) {
    const port = range.from + Math.floor(Math.random() * (range.to - range.from));
    if (given.has(port) || !(await free(port))) continue;
    given.add(port);
    return port;
  }
}
