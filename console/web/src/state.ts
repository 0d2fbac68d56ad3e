import { signal, effect } from "@preact/signals";
import type { About, Stats } from "./types";

// A Route is what the address after # names: #/traffic?filter=…
export interface Route { page: string; arg: string; query: URLSearchParams }

function read(): Route {
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?", 2);
  const [page = "", ...rest] = path.split("/");
  return { page, arg: decodeURIComponent(rest.join("/")), query: new URLSearchParams(query) };
}

export const route = signal<Route>(read());
addEventListener("hashchange", () => { route.value = read(); });

export function go(to: string) { location.hash = to; }

export function trafficLink(filter: string): string {
  return "#/traffic?filter=" + encodeURIComponent(filter);
}

export const about = signal<About | null>(null);
export const stats = signal<Stats | null>(null);

// online says how the live stream is: "off" before the first try.
export const online = signal<"off" | "on" | "lost">("off");

export type Theme = "auto" | "light" | "dark";
const remembered = localStorage.getItem("theme");
export const theme = signal<Theme>(remembered === "light" || remembered === "dark" ? remembered : "auto");
effect(() => {
  if (theme.value === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
  localStorage.setItem("theme", theme.value);
});

// systemDark is the theme that "auto" follows.
export const systemDark = signal(false);
const dark = matchMedia("(prefers-color-scheme: dark)");
systemDark.value = dark.matches;
dark.addEventListener("change", () => { systemDark.value = dark.matches; });

// turnTheme goes on to the next one. The first turn leaves the system's, and
// must be seen: it goes to the other.
export function turnTheme() {
  const other: Theme = systemDark.value ? "light" : "dark", same: Theme = systemDark.value ? "dark" : "light";
  theme.value = theme.value === "auto" ? other : theme.value === other ? same : "auto";
}

// curlLine is a first call to make, with the certificate that it needs.
export function curlLine(to: string): string {
  const ca = about.value?.ca;
  return "curl " + (to.startsWith("https:") && ca ? "--cacert " + ca + " " : "") + to.replace(/\/?$/, "/");
}

// said is a short message at the bottom: "copied".
export const said = signal("");
let saidTimer = 0;
export function say(text: string) {
  said.value = text;
  clearTimeout(saidTimer);
  saidTimer = window.setTimeout(() => { said.value = ""; }, 2600);
}

export async function copy(text: string, what: string) {
  try {
    await navigator.clipboard.writeText(text);
    say(what + " copied" + (/secret:[0-9a-f]{12}/.test(text) ? ": its secrets are placeholders, put your own in" : ""));
  } catch {
    say("the browser did not allow copying");
  }
}

export const keysShown = signal(false);
