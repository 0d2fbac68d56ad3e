// The objects that a script sees. Everything outside is asked for through $,
// which the program around gives: the event, its variables, its response.
let event = null; // what $.enter was given

class Scope {
	constructor(which) { Object.defineProperty(this, "which", {value: which, enumerable: false}); }
	get name() { return $.scopeName(this.which); }
	has(name) { return $.has(this.which, String(name)); }
	get(name) {
		const v = decode($.get(this.which, String(name)));
		return v === null && event.undefined && event.undefined.has(this.which + " " + name) ? undefined : v;
	}
	set(name, value) {
		// undefined is null to later scripts, and itself to this one.
		if (value === undefined) (event.undefined = event.undefined || new Set()).add(this.which + " " + name);
		else if (event.undefined) event.undefined.delete(this.which + " " + name);
		$.set(this.which, String(name), encode(value));
	}
	unset(name) { $.unset(this.which, String(name)); }
	clear() { $.clear(this.which); }
	toObject() { return JSON.parse($.all(this.which)); }
	toJSON() { return this.toObject(); }
	get values() { const o = this.toObject(); return new PropertyList(Object.keys(o).map((key) => ({key, value: o[key]}))); }
	replaceIn(v) {
		if (typeof v === "string") return $.replace(v);
		return v === null || typeof v !== "object" ? v : JSON.parse($.replace(JSON.stringify(v)));
	}
}
// Values cross as JSON: nothing of one run lives on in another.
function decode(text) { return text === null || text === undefined ? undefined : JSON.parse(text); }
function encode(v) {
	if (typeof v === "function") return "null";
	const s = JSON.stringify(v);
	return s === undefined ? "null" : s;
}

// A Body is the content of a request.
class RequestBody {
	constructor(b) { this.update(b || {}); }
	update(b) {
		if (typeof b === "string") b = {mode: "raw", raw: b};
		this.mode = b.mode;
		this.raw = b.raw;
		this.urlencoded = b.urlencoded === undefined ? undefined : new PropertyList(typeof b.urlencoded === "string" ? b.urlencoded.split("&").map(parameter) : b.urlencoded);
		this.formdata = b.formdata === undefined ? undefined : new PropertyList(b.formdata);
		this.graphql = b.graphql;
		this.file = b.file;
		this.options = b.options;
	}
	isEmpty() { const v = this[this.mode]; return v === undefined || v === null || v === "" || v instanceof PropertyList && v.count() === 0; }
	toString() {
		switch (this.mode) {
		case "raw": return String(this.raw === undefined || this.raw === null ? "" : this.raw);
		case "urlencoded": return this.urlencoded ? this.urlencoded.toString() : "";
		case "formdata": return this.formdata ? this.formdata.toString() : "";
		case "graphql": return JSON.stringify(this.graphql);
		}
		return "";
	}
	toJSON() {
		const o = {mode: this.mode};
		for (const k of ["raw", "graphql", "file", "options"]) if (this[k] !== undefined) o[k] = this[k];
		for (const k of ["urlencoded", "formdata"]) if (this[k] !== undefined) o[k] = this[k].toJSON();
		return o;
	}
}

class Request {
	constructor(r) {
		if (typeof r === "string") r = {url: r};
		r = r || {};
		this.id = r.id;
		this.name = r.name;
		this.method = String(r.method || "GET").toUpperCase();
		this.url = new Url(r.url);
		const h = r.header || r.headers || [];
		this.headers = new HeaderList(Array.isArray(h) ? h : typeof h === "string" ? h.split(/\r?\n/).filter((l) => l.includes(":"))
			: h instanceof PropertyList ? h.members : Object.keys(h).map((key) => ({key, value: h[key]})));
		this.body = r.body === undefined || r.body === null ? undefined : new RequestBody(r.body);
		this.auth = r.auth;
		this.description = r.description;
	}
	update(r) { Object.assign(this, new Request(r)); }
	addHeader(h) { this.headers.add(h); }
	upsertHeader(h) { this.headers.upsert(h); }
	removeHeader(n) { this.headers.remove(n); }
	forEachHeader(f) { this.headers.each(f); }
	getHeaders(o) { return this.headers.toObject(o && o.enabled); }
	addQueryParams(p) { this.url.addQueryParams(p); }
	removeQueryParams(p) { this.url.removeQueryParams(p); }
	clone() { return new Request(this.toJSON()); }
	toJSON() {
		return {id: this.id, name: this.name, method: this.method, url: this.url instanceof Url ? this.url.toString() : String(this.url), header: this.headers.toJSON(),
			body: this.body === undefined || this.body === null ? undefined : this.body instanceof RequestBody ? this.body.toJSON() : new RequestBody(this.body).toJSON(), auth: this.auth};
	}
}

class Cookie {
	constructor(c) { Object.assign(this, c); }
	toString() { return this.name + "=" + this.value; }
}

class CookieList extends PropertyList {
	constructor(cookies, url) {
		super((cookies || []).map((c) => Object.assign({key: c.name}, c)));
		Object.defineProperty(this, "url", {value: url});
	}
	jar() { return jar; }
}

// jar has the run's cookies, not only those of the response.
const answer = (f, give) => {
	let result, failed = null;
	try { result = give(); } catch (e) { failed = e; }
	if (typeof f === "function") { $.later(() => f(failed, result), 0); return undefined; }
	return failed ? Promise.reject(failed) : Promise.resolve(result);
};
const jar = {
	set(url, name, value, f) {
		if (name !== null && typeof name === "object") { f = value; value = name.value; name = name.name || name.key; } else if (typeof value === "function") {
			f = value;
			const c = property(name);
			name = c.key; value = c.value;
		}
		return answer(f, () => { $.setCookie(String(url), name + "=" + value); return new Cookie({name, value}); });
	},
	get(url, name, f) { return answer(f, () => { const c = $.cookies(String(url)).find((c) => c.name === name); return c ? c.value : null; }); },
	getAll(url, options, f) { return answer(typeof options === "function" ? options : f, () => new CookieList($.cookies(String(url)), url)); },
	unset(url, name, f) { return answer(f, () => { $.setCookie(String(url), name + "=; Max-Age=0"); }); },
	clear(url, f) { return answer(f, () => { for (const c of $.cookies(String(url))) $.setCookie(String(url), c.name + "=; Max-Age=0"); }); },
};

class Response {
	constructor(r) {
		this.id = r.id;
		this.code = r.code;
		this.status = r.status;
		this.headers = new HeaderList(r.headers);
		this.responseTime = r.responseTime;
		this.responseSize = r.responseSize;
		Object.defineProperty(this, "$body", {value: r.body});
		this.cookies = new CookieList(r.cookies, r.url);
	}
	text() { return this.$body(); }
	json(reviver) {
		const text = this.text().replace(/^\uFEFF/, "");
		try { return JSON.parse(text, reviver); } catch (e) {
			throw new (class JSONError extends Error { get name() { return "JSONError"; } })(text.trim() === "" ? "No data, empty input at 1:1" : "the response is no JSON: " + e.message);
		}
	}
	reason() { return this.status; }
	details() { return {name: this.status, code: this.code}; }
	mime() { const v = this.headers.get("Content-Type") || "text/plain"; return {type: v.split(";")[0].split("/")[0], format: v.split(";")[0].trim(), contentType: v}; }
	contentInfo() { const m = this.mime(); return {mimeType: m.type, mimeFormat: m.format.split("/")[1], contentType: m.contentType}; }
	dataURI() { return "data:" + (this.headers.get("Content-Type") || "text/plain") + ";base64," + btoa(this.text()); }
	size() { return {body: this.responseSize, header: this.headers.toString().length, total: this.responseSize + this.headers.toString().length}; }
	get stream() { return this.text(); }
	get to() { return expect(this).to; }
	toJSON() { return {id: this.id, code: this.code, status: this.status, header: this.headers.toJSON(), responseTime: this.responseTime, body: this.text()}; }
	get [Symbol.toStringTag]() { return "PostmanResponse"; }
}

// What can be expected of responses and requests.
function target(a, what) {
	const t = a.$.target;
	if (t === null || typeof t !== "object" || what && !(what in t)) a.fail("expected " + shown(t) + " to be a response or a request");
	return t;
}
define("status", method(function (want) {
	const t = target(this, "code");
	if (typeof want === "string") return this.says(t.status === want, "response to have status reason " + shown(want) + " but got " + shown(t.status), "response to not have status reason " + shown(want));
	return this.says(t.code === want, "response to have status code " + want + " but got " + t.code, "response to not have status code " + want);
}));
Assertion.prototype.says = function (ok, text, contrary) {
	if (!!ok !== this.$.not) return this;
	throw new AssertionError((this.$.message ? this.$.message + ": " : "") + "expected " + (this.$.not ? contrary || text : text));
};
define("header", method(function (name, value) {
	const h = target(this, "headers").headers;
	if (arguments.length < 2) return this.says(h.has(name), "to have header with key " + shown(name), "to not have header with key " + shown(name));
	return this.says(h.members.some((m) => h.same(m.key, name) && m.value === value), "header " + shown(name) + " to be " + shown(value) + " but got " + shown(h.get(name)), "header " + shown(name) + " to not be " + shown(value));
}));
define("body", method(function (want) {
	const t = target(this), text = t instanceof Response ? t.text() : String(t.body || "");
	if (arguments.length === 0) return this.says(text !== "", "to have content in the body", "to have no content in the body");
	if (want instanceof RegExp) return this.says(want.test(text), "body to match " + want, "body to not match " + want);
	if (want !== null && typeof want === "object") return this.says(same(jsonOf(t), want), "body to equal " + shown(want), "body to not equal " + shown(want));
	return this.says(text === want, "body to equal " + shown(want) + " but got " + shown(text), "body to not equal " + shown(want));
}));
function jsonOf(t) { try { return t instanceof Response ? t.json() : JSON.parse(String(t.body)); } catch (e) { return undefined; } }
define("jsonBody", method(function (path, value) {
	const body = jsonOf(target(this));
	if (arguments.length === 0) return this.says(body !== undefined, "the body to be JSON", "the body to not be JSON");
	if (path !== null && typeof path === "object") return this.says(same(body, path), "the JSON body to equal " + shown(path), "the JSON body to not equal " + shown(path));
	const at = body === undefined || body === null ? {found: false} : atPath(body, path);
	if (arguments.length === 1) return this.says(at.found, "the JSON body to have " + shown(path), "the JSON body to not have " + shown(path));
	return this.says(at.found && same(at.value, value), shown(path) + " in the JSON body to be " + shown(value) + " but got " + shown(at.value), shown(path) + " in the JSON body to not be " + shown(value));
}));
define("jsonSchema", method(function (schema) {
	const t = this.$.target, problem = $.schema(JSON.stringify(schema), JSON.stringify(t instanceof Response || t instanceof Request ? jsonOf(t) : t));
	return this.says(problem === "", "data to satisfy the schema but found: " + problem, "data to not satisfy the schema");
}));
define("responseTime", both(function () { this.$.target = target(this, "responseTime").responseTime; }, function (n) {
	return this.check(this.$.target === n, "to be " + n);
}));
define("responseSize", both(function () { this.$.target = target(this, "responseSize").responseSize; }, function (n) {
	return this.check(this.$.target === n, "to be " + n);
}));
const statusIs = {
	info: [100, 199], success: [200, 299], redirection: [300, 399], clientError: [400, 499], serverError: [500, 599], error: [400, 599],
	accepted: [202, 202], badRequest: [400, 400], unauthorized: [401, 401], forbidden: [403, 403], notFound: [404, 404], rateLimited: [429, 429],
};
for (const [word, [from, to]] of Object.entries(statusIs)) {
	define(word, getter(function () {
		const code = target(this, "code").code;
		return this.says(code >= from && code <= to, "response code to be " + (from === to ? from : from + ".." + to) + " (" + word + ") but found " + code, "response code to not be " + word);
	}));
}
// ok is a word of both: a response is ok when its status is 200.
define("ok", getter(function () {
	const t = this.$.target;
	if (t instanceof Response) return this.says(t.code === 200, "response to have status reason 'OK' but got " + shown(t.status), "response to not be OK");
	return this.check(t, "to be truthy", "to be falsy");
}));
define("json", getter(function () { return this.says(jsonOf(target(this)) !== undefined, "the body to be JSON", "the body to not be JSON"); }));
define("withBody", getter(function () { return this.body(); }));

// tests are numbered in the order in which they were begun.
let pending = 0;
function test(name, f) {
	const index = $.assertion(String(name));
	const end = (e) => { $.judged(index, e === undefined || e === null ? "" : messageOf(e)); };
	if (typeof f !== "function") { end(); return pm; }
	if (f.length > 0) { // it says itself when it is done
		let called = false;
		pending++;
		const done = (e) => { if (!called) { called = true; pending--; end(e); } };
		$.waiting(index);
		try { f(done); } catch (e) { done(e); }
		return pm;
	}
	try {
		const v = f();
		if (v && typeof v.then === "function") {
			$.waiting(index);
			v.then(() => end(), end);
		} else end();
	} catch (e) { end(e); }
	return pm;
}
test.skip = function (name) { $.skipped(String(name)); return pm; };
test.index = () => $.count();
function messageOf(e) {
	if (e instanceof Error) return (e.name || "Error") === "AssertionError" ? e.message : e.name + ": " + e.message;
	return String(e && e.message || e || "failed");
}

function sendRequest(r, f) {
	const give = (resolve, reject) => $.later(() => {
		let got;
		try {
			got = $.send(JSON.stringify(new Request(r)));
		} catch (e) { return reject(new Error(String(e.message || e).replace(/^GoError: /, ""))); }
		resolve(new Response(got));
	}, 0);
	if (typeof f === "function") return give((v) => f(null, v, {cookies: v.cookies}), (e) => f(e, undefined));
	return new Promise(give);
}

const pm = {
	globals: new Scope("globals"), environment: new Scope("environment"), collectionVariables: new Scope("collection"), variables: new Scope("all"),
	iterationData: new Scope("data"),
	test, expect, sendRequest,
	get request() { return event.request || (event.request = new Request($.request())); },
	get response() { return response(); },
	get cookies() { return event.cookies || (event.cookies = new CookieList($.cookies(event.url), event.url)); },
	get info() { return {eventName: event.when, iteration: event.iteration, iterationCount: event.iterations, requestName: event.item, requestId: event.id}; },
	setNextRequest: (n) => $.next(n === null || n === undefined ? null : String(n)),
	execution: {
		setNextRequest: (n) => $.next(n === null || n === undefined ? null : String(n)),
		skipRequest: () => { $.skip(); throw skipped; },
		get location() { const l = event.path.concat(event.item); l.current = event.item; return l; },
	},
	visualizer: {set: (text) => $.visual(String(text)), clear: () => $.visual("")},
	require: (name) => require(name),
};
const skipped = new Error("the request is skipped");
function response() {
	if (event.response === undefined) {
		const r = $.response();
		event.response = r === null ? null : new Response(r);
	}
	return event.response === null ? undefined : event.response;
}
