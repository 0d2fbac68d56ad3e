// The words of older scripts, which tell their results in tests and find the
// response in variables of their own.
// A variable that is there is set as text, a new one as it is.
const setAs = (scope) => (n, v) => scope.set(n, scope.has(n) && v !== null && v !== undefined ? (typeof v === "object" ? JSON.stringify(v) : String(v)) : v);
const postman = {
	getEnvironmentVariable: (n) => pm.environment.get(n), setEnvironmentVariable: setAs(pm.environment),
	clearEnvironmentVariable: (n) => pm.environment.unset(n), clearEnvironmentVariables: () => pm.environment.clear(),
	getGlobalVariable: (n) => pm.globals.get(n), setGlobalVariable: setAs(pm.globals),
	clearGlobalVariable: (n) => pm.globals.unset(n), clearGlobalVariables: () => pm.globals.clear(),
	setNextRequest: pm.setNextRequest,
	getResponseHeader: (n) => { const r = response(); return r && r.headers.get(n); },
	getResponseCookie: (n) => legacy.responseCookies.find((c) => c.name === n),
};

// legacy makes the variables when a script names them.
const legacy = {
	get responseBody() { const r = response(); return r && r.text(); },
	get responseCode() { const r = response(); return r && {code: r.code, name: r.status, detail: r.status}; },
	get responseHeaders() {
		const r = response(), o = {};
		if (r) r.headers.each((h) => { o[h.key] = h.value; });
		return o;
	},
	get responseTime() { const r = response(); return r && r.responseTime; },
	get responseCookies() { return pm.cookies.members.concat((response() || {cookies: new CookieList()}).cookies.members.filter((c) => !pm.cookies.has(c.key))); },
	get request() {
		const r = pm.request, b = r.body;
		return {id: event.id, name: event.item, method: r.method, url: r.url.toString(), headers: r.headers.toObject(), description: r.description,
			data: b === undefined ? {} : b.mode === "raw" ? b.raw : b[b.mode] instanceof PropertyList ? b[b.mode].toObject() : b[b.mode]};
	},
	get environment() { return pm.environment.toObject(); },
	get globals() { return pm.globals.toObject(); },
	get data() { return pm.iterationData.toObject(); },
	get iteration() { return event.iteration; },
};

Object.defineProperty(String.prototype, "has", {value(s) { return this.includes(s); }, configurable: true, writable: true});

// A text that a script makes longer than this is an error instead of the end of
// the program's memory.
const longest = 64 << 20;
for (const name of ["repeat", "padStart", "padEnd"]) {
	const original = String.prototype[name];
	Object.defineProperty(String.prototype, name, {configurable: true, writable: true, value(n, ...rest) {
		if (name === "repeat" ? this.length * n > longest : n > longest) throw new RangeError("a text of more than 64 MiB");
		return original.call(this, n, ...rest);
	}});
}
const fill = Array.prototype.fill;
Object.defineProperty(Array.prototype, "fill", {configurable: true, writable: true, value(...args) {
	if (this.length > 8 << 20) throw new RangeError("an array of more than 8 Mi members");
	return fill.apply(this, args);
}});

// What lies deeper than this in itself would overflow the interpreter's own
// stack, which ends the program: it is an error before it gets there.
const deepest = 1000;
function tooDeep(v, of) {
	let level = [v];
	for (let depth = 0, seen = 0; level.length > 0; depth++) {
		if (depth > deepest || seen > 1e6) return true;
		const next = [];
		for (const x of level) {
			if (!of(x)) continue;
			for (const k of Object.keys(x)) if (x[k] !== null && typeof x[k] === "object") next.push(x[k]);
		}
		seen += next.length;
		level = next;
	}
	return false;
}
const anything = (x) => x !== null && typeof x === "object";
function shallow(holder, name, v) {
	const original = holder[name];
	Object.defineProperty(holder, name, {configurable: true, writable: true, value(...args) {
		if (tooDeep(v === undefined ? this : args[v], v === undefined ? Array.isArray : anything)) throw new RangeError(name + ": more than " + deepest + " deep, or a circle");
		return original.apply(this, args);
	}});
}
shallow(JSON, "stringify", 0);
for (const name of ["join", "toString", "toLocaleString", "flat"]) shallow(Array.prototype, name);

function format(v) {
	if (typeof v === "string") return v;
	if (v instanceof Error) return v.name + ": " + v.message;
	return shown(v);
}
const console = {};
for (const [name, level] of [["log", "log"], ["info", "info"], ["debug", "log"], ["warn", "warn"], ["error", "error"], ["trace", "log"], ["dir", "log"], ["table", "log"]]) {
	console[name] = (...args) => $.print(level, args.map(format).join(" "));
}
console.assert = (ok, ...args) => { if (!ok) console.error("Assertion failed:", ...args); };
for (const name of ["group", "groupEnd", "groupCollapsed", "time", "timeEnd", "timeLog", "count", "clear"]) console[name] = () => undefined;

const setTimeout = (f, ms, ...args) => $.later(() => f(...args), Number(ms) || 0);
const setImmediate = (f, ...args) => $.later(() => f(...args), 0);
const clearTimeout = (id) => { if (id !== undefined && id !== null) $.cancel(Number(id)); };
const clearImmediate = clearTimeout, clearInterval = clearTimeout;
const setInterval = (f, ms, ...args) => $.every(() => f(...args), Math.max(1, Number(ms) || 1));

const btoa = (s) => $.btoa(String(s)), atob = (s) => $.atob(String(s));

// Buffer is bytes, as far as scripts turn text from one coding into another.
class Buffer {
	constructor(hex) { Object.defineProperty(this, "hex", {value: hex}); }
	get length() { return this.hex.length / 2; }
	toString(coding) { return $.recode(this.hex, "hex", codingOf(coding)); }
	toJSON() { return {type: "Buffer", data: [...this]}; }
	equals(o) { return o instanceof Buffer && o.hex === this.hex; }
	slice(a, b) { return new Buffer((this.hex.match(/../g) || []).slice(a, b).join("")); }
	*[Symbol.iterator]() { for (const h of this.hex.match(/../g) || []) yield parseInt(h, 16); }
	static from(v, coding) {
		if (v instanceof Buffer) return v;
		if (Array.isArray(v)) return new Buffer(v.map((n) => (n & 255).toString(16).padStart(2, "0")).join(""));
		return new Buffer($.recode(String(v), codingOf(coding), "hex"));
	}
	static alloc(n) { return new Buffer("00".repeat(n)); }
	static concat(list) { return new Buffer(list.map((b) => b.hex).join("")); }
	static isBuffer(v) { return v instanceof Buffer; }
	static byteLength(v, coding) { return Buffer.from(v, coding).length; }
}
function codingOf(c) {
	switch (String(c === undefined || c === null ? "utf8" : c).toLowerCase()) {
	case "base64": case "base64url": case "hex": return String(c).toLowerCase();
	case "latin1": case "binary": case "ascii": return "latin1";
	}
	return "utf8";
}

// tv4 and ajv, as much of them as scripts use to judge JSON by a schema.
const tv4 = {
	error: null,
	validate(v, schema) {
		const problem = $.schema(JSON.stringify(schema), JSON.stringify(v));
		this.error = problem === "" ? null : {message: problem, dataPath: ""};
		return problem === "";
	},
	validateResult(v, schema) { const valid = this.validate(v, schema); return {valid, error: this.error, missing: []}; },
	addSchema() {},
};
class Ajv {
	compile(schema) {
		const f = (v) => {
			const problem = $.schema(JSON.stringify(schema), JSON.stringify(v));
			f.errors = problem === "" ? null : [{message: problem, dataPath: "", instancePath: ""}];
			return problem === "";
		};
		return f;
	}
	validate(schema, v) { const f = this.compile(schema), ok = f(v); this.errors = f.errors; return ok; }
	errorsText() { return (this.errors || []).map((e) => e.message).join(", "); }
}

function xml2Json(text) { return JSON.parse($.xml(String(text))); }

// more is the rest of the library, which few scripts name.
let rest = null;
function more() { return rest || (rest = $.more()($, kindOf, same)); }

// modules are what require gives; others are named in the error.
const modules = {
	"lodash": () => more()._, "underscore": () => more()._, "crypto-js": () => more().CryptoJS, "chai": () => ({expect, assert, AssertionError}), "uuid": () => uuid, "atob": () => atob, "btoa": () => btoa,
	"tv4": () => tv4, "ajv": () => Ajv, "util": () => ({inspect: shown, isDeep: same}),
	"xml2js": () => ({parseString(text, options, f) {
		f = f || options;
		try { f(null, xml2Json(text)); } catch (e) { f(e); }
	}}),
	"querystring": () => ({stringify: (o) => Object.keys(o).map((k) => [].concat(o[k]).map((v) => encodeURIComponent(k) + "=" + encodeURIComponent(v)).join("&")).join("&"), parse: (s) => new PropertyList(s.split("&").map(parameter).map((p) => ({key: decodeURIComponent(p.key), value: decodeURIComponent((p.value || "").replace(/\+/g, " "))}))).toObject()}),
	"postman-collection": () => ({Url, Request, Response, RequestBody, PropertyList, HeaderList, Header: property, QueryParam: property, Cookie, CookieList,
		Property: {replaceSubstitutions: (text) => $.replace(String(text)), replaceSubstitutionsIn: (o) => pm.variables.replaceIn(o)},
		Variable: property, VariableScope: Scope}),
	"assert": () => assert, "buffer": () => ({Buffer}),
};
const uuid = {v4: () => $.uuid(), v1: () => $.uuid()};
function require(name) {
	const m = modules[name];
	if (m === undefined) throw new Error("module " + JSON.stringify(String(name)) + " is not there; these are: " + Object.keys(modules).join(", "));
	return m();
}
