import { signal } from "@preact/signals";
import { asFault, get, over, post } from "./api";
import { say } from "./state";
import type { Running, Scan, Scans } from "./types";

// Which scans there are and how far the running one is: read again and again,
// since a file may have been written by another program, and by the event
// stream while one runs from here.

export const scans = signal<Scans | null>(null);
export const version = signal(0); // counts results that have changed

let timer = 0, stream: EventSource | null = null, seen = "";

export async function readScans() {
  clearTimeout(timer);
  if (over.value) return;
  try {
    const s = await get<Scans>("scan");
    const now = s.scans.map((x) => x.name + x.result?.start + x.result?.time).join();
    if (now !== seen) { seen = now; version.value++; }
    scans.value = s;
    if (s.running) listen();
  } catch { /* the page says elsewhere that the program is gone */ }
  clearTimeout(timer);
  timer = window.setTimeout(() => void readScans(), document.hidden ? 20_000 : 4000);
}

function listen() {
  if (stream) return;
  const s = stream = new EventSource("/api/scan/live");
  const end = () => { s.close(); if (stream === s) stream = null; };
  s.addEventListener("progress", (e) => {
    if (scans.value) scans.value = { ...scans.value, running: JSON.parse((e as MessageEvent<string>).data) as Running };
  });
  s.addEventListener("idle", () => { end(); void readScans(); });
  s.addEventListener("bye", end);
  s.onerror = end;
}

export async function startScan(name: string) {
  try {
    await post("scan/start", { scan: name });
    await readScans();
  } catch (e) { say(asFault(e).message); }
}

export async function stopScan() {
  try { await post("scan/stop", {}); } catch (e) { say(asFault(e).message); }
}

// target is where a scan went, as short as it can be said.
export function target(s: Scan): string { return s.url || s.result?.target || ""; }

export function scanNamed(name: string): Scan | undefined { return scans.value?.scans.find((s) => s.name === name); }
