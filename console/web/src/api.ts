import { signal } from "@preact/signals";

// A Fault is an error that says what happened (RFC 9457).
export class Fault extends Error {
  constructor(public status: number, public title: string, message: string, public offset?: number) { super(message); }
}

// over is set when the session has ended: the page then says so.
export const over = signal(false);

export async function get<T>(path: string, params: { [k: string]: string | undefined } = {}, abort?: AbortSignal): Promise<T> {
  const q = new URLSearchParams();
  for (const [k, v] of Object.entries(params)) if (v) q.set(k, v);
  return ask<T>(path + (q.size ? "?" + q : ""), {}, abort);
}

// post asks for what changes something, or makes calls.
export async function post<T>(path: string, body: unknown, abort?: AbortSignal): Promise<T> {
  return ask<T>(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }, abort);
}

async function ask<T>(path: string, how: RequestInit, abort?: AbortSignal): Promise<T> {
  let r: Response;
  try {
    r = await fetch("/api/" + path, { ...how, credentials: "same-origin", redirect: "error", cache: "no-store", signal: abort ?? null });
  } catch (e) {
    if (abort?.aborted) throw e;
    throw new Fault(0, "the program does not answer", "It has ended, or is just starting. This page tries again by itself.");
  }
  if (r.ok) return await r.json() as T;
  if (r.status === 401) over.value = true;
  let p: { title?: string; detail?: string; offset?: number } = {};
  try { p = await r.json(); } catch { /* not ours: the status has to do */ }
  throw new Fault(r.status, p.title ?? "error " + r.status, p.detail ?? "The answer gave no reason.", p.offset);
}

export async function logout(): Promise<void> {
  await fetch("/api/logout", { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" });
  over.value = true;
}

export function asFault(e: unknown): Fault {
  return e instanceof Fault ? e : new Fault(0, "this page made a mistake", String(e));
}
