// The functions of lodash that scripts of collections use.
const _ = (function () {
	const path = (p) => Array.isArray(p) ? p : String(p).match(/[^.[\]"']+/g) || [];
	const get = (o, p, otherwise) => {
		for (const k of path(p)) { if (o === null || o === undefined) return otherwise; o = o[k]; }
		return o === undefined ? otherwise : o;
	};
	const isObject = (v) => v !== null && (typeof v === "object" || typeof v === "function");
	const plainObject = (v) => kindOf(v) === "object";
	const by = (f) => {
		if (typeof f === "function") return f;
		if (f === undefined || f === null) return (v) => v;
		if (Array.isArray(f)) return (v) => same(get(v, f[0]), f[1]);
		if (typeof f === "object") return (v) => isObject(v) && Object.keys(f).every((k) => same(v[k], f[k]));
		return (v) => get(v, f);
	};
	const entries = (c) => c === null || c === undefined ? [] : typeof c === "string" ? [...c].map((v, i) => [i, v]) : Array.isArray(c) ? c.map((v, i) => [i, v]) : Object.keys(c).map((k) => [k, c[k]]);
	const values = (c) => entries(c).map((e) => e[1]);
	const clone = (v) => {
		if (Array.isArray(v)) return v.map(clone);
		if (v instanceof Date) return new Date(v.getTime());
		if (!plainObject(v)) return v;
		const o = {};
		for (const k of Object.keys(v)) o[k] = clone(v[k]);
		return o;
	};
	const merge = (to, ...from) => {
		for (const f of from) for (const k of Object.keys(f || {})) to[k] = plainObject(f[k]) && plainObject(to[k]) ? merge(to[k], f[k]) : f[k];
		return to;
	};
	const order = (c, f) => values(c).map((v, i) => [by(f)(v), i, v]).sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : a[1] - b[1])).map((e) => e[2]);
	const group = (c, f) => { const o = {}; for (const [k, v] of entries(c)) { const g = by(f)(v, k); (o[g] = o[g] || []).push(v); } return o; };
	const words = (s) => String(s).match(/[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+/g) || [];
	const flatten = (c, depth) => values(c).reduce((a, v) => Array.isArray(v) && depth > 0 ? a.concat(flatten(v, depth - 1)) : a.concat([v]), []);
	const numbers = (c, f) => values(c).map(by(f));
	const f = {
		get, path, isObject, isPlainObject: plainObject, values, merge, clone: (v) => Array.isArray(v) ? v.slice() : plainObject(v) ? Object.assign({}, v) : v, cloneDeep: clone,
		has: (o, p) => { const parts = path(p), last = parts.pop(), h = get(o, parts, o); return h !== null && h !== undefined && Object.prototype.hasOwnProperty.call(Object(h), last); },
		set: (o, p, v) => { const parts = path(p); let at = o; parts.forEach((k, i) => { if (i === parts.length - 1) at[k] = v; else at = at[k] = isObject(at[k]) ? at[k] : /^\d+$/.test(parts[i + 1]) ? [] : {}; }); return o; },
		unset: (o, p) => { const parts = path(p), last = parts.pop(); return delete get(o, parts, o)[last]; },
		keys: (o) => entries(o).map((e) => String(e[0])), toPairs: (o) => entries(o), fromPairs: (l) => { const o = {}; for (const [k, v] of l) o[k] = v; return o; },
		each: (c, g) => { for (const [k, v] of entries(c)) if (g(v, k, c) === false) break; return c; },
		map: (c, g) => entries(c).map(([k, v]) => by(g)(v, k, c)), filter: (c, g) => entries(c).filter(([k, v]) => by(g)(v, k, c)).map((e) => e[1]),
		reject: (c, g) => entries(c).filter(([k, v]) => !by(g)(v, k, c)).map((e) => e[1]),
		find: (c, g) => { const e = entries(c).find(([k, v]) => by(g)(v, k, c)); return e && e[1]; }, findIndex: (c, g) => values(c).findIndex((v, i) => by(g)(v, i, c)),
		findKey: (c, g) => { const e = entries(c).find(([k, v]) => by(g)(v, k, c)); return e && e[0]; },
		some: (c, g) => entries(c).some(([k, v]) => by(g)(v, k, c)), every: (c, g) => entries(c).every(([k, v]) => by(g)(v, k, c)),
		reduce: (c, g, first) => entries(c).reduce((a, [k, v]) => g(a, v, k, c), first),
		includes: (c, v) => typeof c === "string" ? c.includes(v) : values(c).includes(v), indexOf: (c, v) => c.indexOf(v),
		size: (c) => entries(c).length, first: (c) => values(c)[0], last: (c) => values(c).slice(-1)[0], nth: (c, n) => values(c)[n < 0 ? values(c).length + n : n],
		take: (c, n = 1) => values(c).slice(0, n), drop: (c, n = 1) => values(c).slice(n), tail: (c) => values(c).slice(1), initial: (c) => values(c).slice(0, -1),
		uniq: (c) => [...new Set(values(c))], uniqBy: (c, g) => { const seen = new Set(); return values(c).filter((v) => { const k = by(g)(v); return !seen.has(k) && seen.add(k); }); },
		compact: (c) => values(c).filter(Boolean), flatten: (c) => flatten(c, 1), flattenDeep: (c) => flatten(c, 1 / 0), concat: (c, ...more) => [].concat(c, ...more), reverse: (c) => c.reverse(),
		chunk: (c, n = 1) => { const out = []; for (let i = 0; i < c.length; i += n) out.push(c.slice(i, i + n)); return out; },
		difference: (c, ...no) => values(c).filter((v) => !no.some((l) => l.includes(v))), intersection: (c, ...l) => f.uniq(c).filter((v) => l.every((x) => x.includes(v))),
		union: (...l) => f.uniq([].concat(...l)), without: (c, ...no) => values(c).filter((v) => !no.includes(v)), zipObject: (k, v) => f.fromPairs(k.map((n, i) => [n, v[i]])),
		sortBy: order, orderBy: (c, g, d) => { const out = order(c, Array.isArray(g) ? g[0] : g); return [].concat(d)[0] === "desc" ? out.reverse() : out; },
		groupBy: group, countBy: (c, g) => f.mapValues(group(c, g), (l) => l.length), keyBy: (c, g) => f.fromPairs(values(c).map((v) => [by(g)(v), v])),
		partition: (c, g) => [f.filter(c, g), f.reject(c, g)],
		pick: (o, ...p) => { const out = {}; for (const k of [].concat(...p)) if (f.has(o, k)) f.set(out, k, get(o, k)); return out; },
		omit: (o, ...p) => { const no = [].concat(...p).map(String); return f.fromPairs(entries(o).filter((e) => !no.includes(e[0]))); },
		pickBy: (o, g) => f.fromPairs(entries(o).filter(([k, v]) => by(g)(v, k))), omitBy: (o, g) => f.fromPairs(entries(o).filter(([k, v]) => !by(g)(v, k))),
		mapValues: (o, g) => f.fromPairs(entries(o).map(([k, v]) => [k, by(g)(v, k)])), mapKeys: (o, g) => f.fromPairs(entries(o).map(([k, v]) => [by(g)(v, k), v])),
		invert: (o) => f.fromPairs(entries(o).map(([k, v]) => [v, k])), assign: Object.assign, extend: Object.assign,
		defaults: (o, ...from) => { for (const d of from) for (const k of Object.keys(d || {})) if (o[k] === undefined) o[k] = d[k]; return o; },
		isArray: Array.isArray, isString: (v) => typeof v === "string", isNumber: (v) => typeof v === "number", isBoolean: (v) => typeof v === "boolean",
		isFunction: (v) => typeof v === "function", isNil: (v) => v === null || v === undefined, isNull: (v) => v === null, isUndefined: (v) => v === undefined,
		isNaN: (v) => typeof v === "number" && v !== v, isInteger: Number.isInteger, isFinite: Number.isFinite, isDate: (v) => v instanceof Date, isRegExp: (v) => v instanceof RegExp,
		isEqual: same, isMatch: (o, m) => by(m)(o), matches: by, property: (p) => (o) => get(o, p),
		isEmpty: (v) => v === null || v === undefined || typeof v === "number" || typeof v === "boolean" || (v instanceof Map || v instanceof Set ? v.size : entries(v).length) === 0,
		parseInt: (s, base) => parseInt(String(s).trim(), base || 10), toNumber: Number, toInteger: (v) => Math.trunc(Number(v) || 0), toString: (v) => v === null || v === undefined ? "" : String(v), toArray: values,
		random: (a = 1, b, real) => { if (b === undefined) { b = a; a = 0; } const n = a + Math.random() * (b - a + (real ? 0 : 1)); return real ? n : Math.floor(n); },
		sample: (c) => { const l = values(c); return l[Math.floor(Math.random() * l.length)]; },
		shuffle: (c) => { const l = values(c); for (let i = l.length - 1; i > 0; i--) { const j = Math.floor(Math.random() * (i + 1)); [l[i], l[j]] = [l[j], l[i]]; } return l; },
		sum: (c) => values(c).reduce((a, v) => a + v, 0), sumBy: (c, g) => numbers(c, g).reduce((a, v) => a + v, 0), mean: (c) => f.sum(c) / values(c).length,
		max: (c) => values(c).reduce((a, v) => a === undefined || v > a ? v : a, undefined), min: (c) => values(c).reduce((a, v) => a === undefined || v < a ? v : a, undefined),
		maxBy: (c, g) => order(c, g).pop(), minBy: (c, g) => order(c, g)[0], round: (n, d = 0) => Math.round(n * 10 ** d) / 10 ** d, clamp: (n, a, b) => Math.min(Math.max(n, a), b), inRange: (n, a, b) => b === undefined ? n >= 0 && n < a : n >= a && n < b,
		range: (a, b, step = 1) => { if (b === undefined) { b = a; a = 0; } const out = []; for (let i = a; step > 0 ? i < b : i > b; i += step) out.push(i); return out; },
		times: (n, g) => f.range(n).map((i) => (g ? g(i) : i)), identity: (v) => v, noop: () => undefined, constant: (v) => () => v, now: Date.now, uniqueId: (p = "") => p + ++ids,
		camelCase: (s) => words(s).map((w, i) => (i ? w[0].toUpperCase() + w.slice(1).toLowerCase() : w.toLowerCase())).join(""), kebabCase: (s) => words(s).join("-").toLowerCase(),
		snakeCase: (s) => words(s).join("_").toLowerCase(), startCase: (s) => words(s).map((w) => w[0].toUpperCase() + w.slice(1)).join(" "), capitalize: (s) => s.charAt(0).toUpperCase() + s.slice(1).toLowerCase(),
		upperFirst: (s) => s.charAt(0).toUpperCase() + s.slice(1), lowerFirst: (s) => s.charAt(0).toLowerCase() + s.slice(1), toLower: (s) => String(s).toLowerCase(), toUpper: (s) => String(s).toUpperCase(),
		trim: (s) => String(s).trim(), trimStart: (s) => String(s).trimStart(), trimEnd: (s) => String(s).trimEnd(), split: (s, ...a) => String(s).split(...a), join: (c, s) => values(c).join(s), replace: (s, a, b) => String(s).replace(a, b),
		startsWith: (s, p) => String(s).startsWith(p), endsWith: (s, p) => String(s).endsWith(p), padStart: (s, ...a) => String(s).padStart(...a), padEnd: (s, ...a) => String(s).padEnd(...a), repeat: (s, n) => String(s).repeat(n),
		escape: (s) => String(s).replace(/[&<>"']/g, (c) => "&#" + c.charCodeAt(0) + ";"), escapeRegExp: (s) => String(s).replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"),
	};
	let ids = 0;
	Object.assign(f, {forEach: f.each, forOwn: f.each, forIn: f.each, head: f.first, any: f.some, all: f.every, contains: f.includes, collect: f.map, detect: f.find, select: f.filter, pluck: f.map, entries: f.toPairs, eachRight: (c, g) => { f.each(values(c).reverse(), g); return c; }});
	// chain wraps a value so that functions follow each other.
	const wrap = (v, whole) => new Proxy({}, {get(t, name) {
		if (name === "value" || name === "valueOf" || name === "toJSON") return () => v;
		if (!(name in f)) return v === null || v === undefined ? undefined : v[name];
		return (...args) => wrap(f[name](v, ...args), whole);
	}});
	return Object.assign((v) => wrap(v), f, {chain: (v) => wrap(v)});
})();

// Digests and codings under the names of CryptoJS.
const CryptoJS = (function () {
	const words = (hex) => ({hex, sigBytes: hex.length / 2, toString(coding) { return (coding || enc.Hex).stringify(this); }, get words() { return (hex.match(/.{1,8}/g) || []).map((w) => parseInt(w.padEnd(8, "0"), 16) | 0); }, concat(o) { return words(hex + o.hex); }});
	const enc = {
		Hex: {stringify: (w) => w.hex, parse: (s) => words(String(s).toLowerCase())},
		Base64: {stringify: (w) => $.recode(w.hex, "hex", "base64"), parse: (s) => words($.recode(s, "base64", "hex"))},
		Base64url: {stringify: (w) => $.recode(w.hex, "hex", "base64url"), parse: (s) => words($.recode(s, "base64url", "hex"))},
		Utf8: {stringify: (w) => $.recode(w.hex, "hex", "utf8"), parse: (s) => words($.recode(String(s), "utf8", "hex"))},
		Latin1: {stringify: (w) => $.recode(w.hex, "hex", "latin1"), parse: (s) => words($.recode(String(s), "latin1", "hex"))},
	};
	const hex = (v) => v !== null && typeof v === "object" && typeof v.hex === "string" ? v.hex : $.recode(String(v), "utf8", "hex");
	const out = {enc, lib: {WordArray: {create: () => words(""), random: (n) => words($.random(n))}}};
	for (const name of ["MD5", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512"]) {
		out[name] = (v) => words($.digest(name, hex(v)));
		out["Hmac" + name] = (v, key) => words($.hmac(name, hex(v), hex(key)));
	}
	for (const name of ["AES", "DES", "TripleDES", "RC4"]) {
		const no = () => { throw new Error("CryptoJS." + name + " is not there: digests and HMACs are"); };
		out[name] = {encrypt: no, decrypt: no};
	}
	return out;
})();
