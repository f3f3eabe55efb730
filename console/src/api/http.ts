// One way to the server: fetch with the person's key, answers typed by the caller, errors as values of
// two classes: a Problem (the server said no, RFC 9457) and Unreachable (it said nothing).
import { key, keyRefused } from "../live/session";
import { heard, unheard } from "../live/link";

/** Where the ops listener's root is, as this page sees it; right behind a proxy's sub-path too. */
export const root = new URL("../", document.baseURI);

export interface FieldError {
  pointer: string;
  detail: string;
}

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly title: string,
    readonly detail: string,
    readonly traceId: string,
    readonly errors: FieldError[],
  ) {
    super(detail || title);
  }
}
export class Unreachable extends Error {}

export type Query = Record<string, string | number | boolean | null | undefined>;
export interface Ask {
  query?: Query;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

export function address(path: string, query: Query = {}): URL {
  const url = new URL(path.replace(/^\//, ""), root);
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== null) url.searchParams.set(name, String(value));
  return url;
}

export function credentials(): Record<string, string> {
  return key.value ? { Authorization: `Bearer ${key.value}` } : {};
}

/** The problem that an answer is; one that is no problem document (a proxy's page) becomes one. */
export async function problemOf(answer: Response): Promise<Problem> {
  const told = (await answer.json().catch(() => ({}))) as Partial<Problem> & { trace_id?: string };
  return new Problem(
    answer.status,
    told.code ?? `http-${answer.status}`,
    told.title ?? answer.statusText,
    told.detail ?? "",
    told.trace_id ?? "",
    told.errors ?? [],
  );
}

const silence = 20_000; // ms; longer than the longest answer that is not a stream

async function send(method: string, path: string, ask: Ask): Promise<Response> {
  const limit = AbortSignal.timeout(silence);
  try {
    const answer = await fetch(address(path, ask.query), {
      method,
      headers: {
        Accept: "application/json",
        ...credentials(),
        ...(ask.body === undefined ? {} : { "Content-Type": "application/json" }),
        ...ask.headers,
      },
      body: ask.body === undefined ? undefined : JSON.stringify(ask.body),
      credentials: "same-origin", // for a proxy's own login
      cache: "no-store",
      signal: ask.signal ? AbortSignal.any([ask.signal, limit]) : limit,
    });
    heard();
    return answer;
  } catch (why) {
    if (ask.signal?.aborted) throw why;
    unheard();
    throw new Unreachable(why instanceof Error ? why.message : String(why));
  }
}

async function checked(method: string, path: string, ask: Ask = {}): Promise<Response> {
  const answer = await send(method, path, ask);
  if (answer.ok || answer.status === 304) return answer;
  if (answer.status === 401) keyRefused();
  throw await problemOf(answer);
}

export async function get<T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> {
  return (await checked("GET", path, { query, signal })).json() as Promise<T>;
}
export async function write<T>(
  method: "POST" | "PUT" | "PATCH",
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
): Promise<T> {
  return (await checked(method, path, { body, headers })).json() as Promise<T>;
}
export async function remove(path: string): Promise<void> {
  await checked("DELETE", path);
}

/** A key of its own for each command, also where the page is not a "secure context". */
export function freshKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `console-${Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("")}`;
}
