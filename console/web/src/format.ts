// own looks a key up that may come from outside: "__proto__" has no entry.
export function own<T>(table: { [k: string]: T }, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

export function size(n: number): string {
  if (n < 1000) return n + " B";
  if (n < 1e6) return (n / 1e3).toFixed(n < 1e4 ? 1 : 0) + " kB";
  return (n / 1e6).toFixed(1) + " MB";
}

export function millis(ms: number): string {
  if (ms <= 0) return "–";
  if (ms < 1) return (ms * 1000).toFixed(0) + " µs";
  if (ms < 10) return ms.toFixed(1) + " ms";
  if (ms < 1000) return ms.toFixed(0) + " ms";
  return (ms / 1000).toFixed(ms < 10000 ? 2 : 1) + " s";
}

const two = (n: number) => String(n).padStart(2, "0");

export function clock(t: number | string): string {
  const d = new Date(t);
  return two(d.getHours()) + ":" + two(d.getMinutes()) + ":" + two(d.getSeconds()) + "." + String(d.getMilliseconds()).padStart(3, "0");
}

export function count(n: number, one: string, many = one + "s"): string {
  return n.toLocaleString("en") + " " + (n === 1 ? one : many);
}

export function proto(p: string | undefined): string { return (p ?? "").replace(/\.0$/, ""); }

// statusClass is the first digit's name, for colour; the number is always shown too.
export function statusClass(s: number | undefined): string {
  if (!s) return "none";
  return ["none", "info", "ok", "moved", "client", "server"][Math.floor(s / 100)] ?? "none";
}

const reasons: { [s: number]: string } = {
  101: "Switching Protocols", 200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 206: "Partial Content", 301: "Moved Permanently", 302: "Found",
  303: "See Other", 304: "Not Modified", 307: "Temporary Redirect", 308: "Permanent Redirect", 400: "Bad Request", 401: "Unauthorized",
  403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable", 409: "Conflict", 410: "Gone", 412: "Precondition Failed",
  413: "Content Too Large", 415: "Unsupported Media Type", 422: "Unprocessable Content", 425: "Too Early", 428: "Precondition Required", 429: "Too Many Requests",
  500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
};
export function reason(s: number): string { return own(reasons, String(s)) ?? ""; }

// text decodes a body. Bytes that are not UTF-8 give null: shown as binary.
export function text(data: string | undefined): string | null {
  if (!data) return "";
  try {
    const raw = atob(data);
    const bytes = Uint8Array.from(raw, (c) => c.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

// A body that was cut may end in the middle of a character.
export function cutText(data: string | undefined): string | null {
  if (!data) return "";
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  for (let drop = 0; drop < 4; drop++) {
    try { return new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, bytes.length - drop)); } catch { /* one byte less */ }
  }
  return null;
}

export function mediaType(header: { name: string; value: string }[] | undefined): string {
  const f = header?.find((h) => h.name.toLowerCase() === "content-type");
  return (f?.value ?? "").split(";")[0]!.trim().toLowerCase();
}

export function shortType(t: string | undefined): string {
  if (!t) return "";
  return t.replace(/^application\//, "").replace(/^text\//, "").replace("problem+json", "problem");
}
