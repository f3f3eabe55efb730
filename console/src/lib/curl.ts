// A call as a command for the terminal. The key is never in it: the shell brings its own.
import { root } from "../api/http";
import { key } from "../live/session";

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

export function curl(path: string, method = "GET", body?: unknown): string {
  const parts = [
    "curl -s",
    method === "GET" ? "" : `-X ${method}`,
    quoted(new URL(path.replace(/^\//, ""), root).href),
  ];
  if (key.value) parts.push('-H "Authorization: Bearer $JUMUN_KEY"');
  if (body !== undefined)
    parts.push("-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(body))}`);
  return parts.filter(Boolean).join(" ");
}
