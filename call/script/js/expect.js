// Expectations in sentences, as testers of JavaScript write them. Words that
// only make a sentence do nothing; flags change what the next assertion means.
class AssertionError extends Error {
	constructor(message) { super(message); this.name = "AssertionError"; }
}

function kindOf(v) {
	if (v === null) return "null";
	if (v === undefined) return "undefined";
	if (v !== null && typeof v === "object" && typeof v[Symbol.toStringTag] === "string") return v[Symbol.toStringTag].toLowerCase();
	return Object.prototype.toString.call(v).slice(8, -1).toLowerCase();
}

function shown(v) {
	if (typeof v === "string") return "'" + v + "'";
	if (typeof v === "function") return "[Function" + (v.name ? ": " + v.name : "") + "]";
	if (v instanceof RegExp || v instanceof Error || typeof v === "symbol") return String(v);
	let s;
	try { s = JSON.stringify(v); } catch (e) { s = undefined; }
	if (s === undefined) s = String(v);
	return s.length > 200 ? s.slice(0, 200) + "…" : s;
}

function same(a, b, seen) {
	if (a === b) return a !== 0 || 1 / a === 1 / b;
	if (a !== a && b !== b) return true;
	if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return false;
	if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b) && kindOf(a) !== kindOf(b)) return false;
	if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime();
	if (a instanceof RegExp && b instanceof RegExp) return String(a) === String(b);
	if (Array.isArray(a) !== Array.isArray(b)) return false;
	seen = seen || [];
	if (seen.some((p) => p[0] === a && p[1] === b)) return true;
	seen = seen.concat([[a, b]]);
	if (a instanceof Map || a instanceof Set) {
		return kindOf(a) === kindOf(b) && a.size === b.size && same([...a], [...b], seen);
	}
	const ka = Object.keys(a), kb = Object.keys(b);
	return ka.length === kb.length && ka.every((k) => Object.prototype.hasOwnProperty.call(b, k) && same(a[k], b[k], seen));
}

function lengthOf(v) { return v instanceof Map || v instanceof Set ? v.size : v.length; }

// atPath follows a.b[0].c.
function atPath(o, path) {
	const parts = String(path).match(/[^.[\]]+/g) || [];
	for (const p of parts) {
		if (o === null || o === undefined) return {found: false};
		const at = p.replace(/^["']|["']$/g, "");
		if (!(at in Object(o))) return {found: false};
		o = o[at];
	}
	return {found: true, value: o};
}

class Assertion {
	constructor(target, message) {
		const hidden = {target, message, not: false, deep: false, nested: false, own: false, ordered: false, any: false, all: false, length: false, contains: false};
		Object.defineProperty(this, "$", {value: hidden});
	}
	check(ok, says, contrary) {
		const f = this.$;
		if (!!ok !== f.not) return this;
		const text = "expected " + shown(f.target) + " " + (f.not ? contrary || says.replace(/^to /, "to not ") : says);
		throw new AssertionError(f.message ? f.message + ": " + text : text);
	}
	fail(text) { throw new AssertionError((this.$.message ? this.$.message + ": " : "") + text); }
	about(target) {
		const a = new Assertion(target, this.$.message);
		Object.assign(a.$, this.$, {target, not: false});
		return a;
	}
	number(n) {
		const v = this.$.length ? lengthOf(this.$.target) : this.$.target;
		if (!this.$.not && kindOf(v) !== "number" && kindOf(v) !== "date") this.fail("expected " + shown(v) + " to be a number or a date");
		if (kindOf(n) !== "number" && kindOf(n) !== "date") this.fail("the argument must be a number or a date");
		return v;
	}
}

function define(names, make) {
	for (const n of names.split(" ")) Object.defineProperty(Assertion.prototype, n, make(n));
}
const method = (f) => () => ({value: f, writable: true, configurable: true});
const getter = (f) => () => ({get: f, configurable: true});
// both is a word that can be called and that sentences go through.
const both = (enter, f) => () => ({configurable: true, get() {
	const a = this;
	enter.call(a);
	const call = function (...args) { return f.apply(a, args); };
	return new Proxy(call, {get(t, name) { return name in Assertion.prototype || name === "$" ? Reflect.get(a, name, a) : t[name]; }});
}});

define("to be been is that which and has have with at of same but does still also", getter(function () { return this; }));
define("not", getter(function () { this.$.not = !this.$.not; return this; }));
for (const flag of ["deep", "nested", "own", "ordered"]) define(flag, getter(function () { this.$[flag] = true; return this; }));
define("any", getter(function () { this.$.any = true; this.$.all = false; return this; }));
define("all", getter(function () { this.$.all = true; this.$.any = false; return this; }));

define("a an", both(function () {}, function (kind) {
	const want = String(kind).toLowerCase(), is = kindOf(this.$.target);
	return this.check(is === want || want === "function" && typeof this.$.target === "function", "to be " + (/^[aeiou]/.test(want) ? "an " : "a ") + kind);
}));

define("ok", getter(function () { return this.check(this.$.target, "to be truthy", "to be falsy"); }));
define("true", getter(function () { return this.check(this.$.target === true, "to be true"); }));
define("false", getter(function () { return this.check(this.$.target === false, "to be false"); }));
define("null", getter(function () { return this.check(this.$.target === null, "to be null"); }));
define("undefined", getter(function () { return this.check(this.$.target === undefined, "to be undefined"); }));
define("NaN", getter(function () { return this.check(this.$.target !== this.$.target, "to be NaN"); }));
define("exist exists", getter(function () { return this.check(this.$.target !== null && this.$.target !== undefined, "to exist"); }));
define("finite", getter(function () { return this.check(typeof this.$.target === "number" && isFinite(this.$.target), "to be a finite number"); }));
define("sealed", getter(function () { return this.check(Object.isSealed(this.$.target), "to be sealed"); }));
define("frozen", getter(function () { return this.check(Object.isFrozen(this.$.target), "to be frozen"); }));
define("extensible", getter(function () { return this.check(Object.isExtensible(this.$.target), "to be extensible"); }));
define("arguments Arguments", getter(function () { return this.check(kindOf(this.$.target) === "arguments", "to be arguments"); }));
define("iterable", getter(function () { return this.check(this.$.target != null && typeof this.$.target[Symbol.iterator] === "function", "to be iterable"); }));
define("empty", getter(function () {
	const v = this.$.target, k = kindOf(v);
	if (k === "null" || k === "undefined" || k === "number" || k === "boolean" || k === "function") this.fail(".empty was asked of " + shown(v));
	return this.check((k === "array" || k === "string" || k === "map" || k === "set" ? lengthOf(v) : Object.keys(v).length) === 0, "to be empty");
}));

define("equal equals eq", method(function (v) {
	return this.check(this.$.deep ? same(this.$.target, v) : this.$.target === v, "to " + (this.$.deep ? "deeply " : "") + "equal " + shown(v));
}));
define("eql eqls", method(function (v) { return this.check(same(this.$.target, v), "to deeply equal " + shown(v)); }));
define("above gt greaterThan", method(function (n) { return this.check(this.number(n) > n, "to be above " + shown(n)); }));
define("least gte greaterThanOrEqual", method(function (n) { return this.check(this.number(n) >= n, "to be at least " + shown(n)); }));
define("below lt lessThan", method(function (n) { return this.check(this.number(n) < n, "to be below " + shown(n)); }));
define("most lte lessThanOrEqual", method(function (n) { return this.check(this.number(n) <= n, "to be at most " + shown(n)); }));
define("within", method(function (a, b) { const v = this.number(a); return this.check(v >= a && v <= b, "to be within " + a + ".." + b); }));
define("closeTo approximately", method(function (n, by) { return this.check(Math.abs(this.number(n) - n) <= by, "to be close to " + n + " +/- " + by); }));
define("instanceof instanceOf", method(function (c) { return this.check(this.$.target instanceof c, "to be an instance of " + (c.name || shown(c))); }));
define("match matches", method(function (re) { return this.check(new RegExp(re).test(this.$.target), "to match " + re); }));
define("string", method(function (s) { return this.check(typeof this.$.target === "string" && this.$.target.includes(s), "to contain " + shown(s)); }));
define("satisfy satisfies", method(function (f) { return this.check(f(this.$.target), "to satisfy " + shown(f)); }));
define("respondTo respondsTo", method(function (name) {
	const t = this.$.target, holder = typeof t === "function" ? t.prototype || t : t;
	return this.check(holder && typeof holder[name] === "function", "to respond to " + shown(name));
}));
define("oneOf", method(function (list) {
	const t = this.$.target;
	const has = (v) => list.some((x) => (this.$.deep ? same(v, x) : v === x));
	return this.check(this.$.contains ? list.some((x) => (typeof t === "string" ? t.includes(x) : [].concat(t).includes(x))) : has(t), "to be one of " + shown(list));
}));

define("length lengthOf", both(function () { this.$.length = true; }, function (n) {
	const t = this.$.target;
	if (t === null || t === undefined || lengthOf(t) === undefined) this.fail("expected " + shown(t) + " to have property 'length'");
	return this.check(lengthOf(t) === n, "to have a length of " + n + " but got " + lengthOf(t), "to not have a length of " + n);
}));

define("property", method(function (name, value) {
	const t = this.$.target;
	if (t === null || t === undefined) this.fail("Target cannot be null or undefined.");
	const at = this.$.nested ? atPath(t, name)
		: this.$.own ? {found: Object.prototype.hasOwnProperty.call(t, name), value: t[name]}
		: {found: name in Object(t), value: t[name]};
	if (arguments.length < 2) {
		this.check(at.found, "to have property " + shown(name));
	} else if (!this.$.not || at.found) {
		this.check(at.found && (this.$.deep ? same(at.value, value) : at.value === value), "to have property " + shown(name) + " of " + shown(value) + (at.found ? ", but got " + shown(at.value) : ""));
	}
	return this.about(at.value);
}));
define("ownProperty haveOwnProperty", method(function (...args) { this.$.own = true; return this.property(...args); }));

define("include includes contain contains", both(function () { this.$.contains = true; }, function (v) {
	const t = this.$.target, eq = this.$.deep ? same : (a, b) => a === b || a !== a && b !== b;
	const says = "to " + (this.$.deep ? "deep " : "") + "include " + shown(v);
	if (typeof t === "string") return this.check(t.includes(v), says);
	if (t instanceof Map || t instanceof Set) return this.check([...t.values()].some((x) => eq(x, v)), says);
	if (Array.isArray(t)) return this.check(t.some((x) => eq(x, v)), says);
	if (t instanceof PropertyList) return this.check(t.has(v), says);
	if (t === null || t === undefined || typeof t !== "object" && typeof t !== "function") this.fail("object tested must be an array, a map, an object, a set or a string, but " + kindOf(t) + " given");
	if (v === null || typeof v !== "object") this.fail("the given combination of arguments (object and " + kindOf(v) + ") is invalid for this assertion");
	return this.check(Object.keys(v).every((k) => {
		const at = this.$.nested ? atPath(t, k) : {found: k in t, value: t[k]};
		return at.found && eq(at.value, v[k]);
	}), says);
}));

define("keys key", method(function (...args) {
	const t = this.$.target;
	let want = args.length === 1 && args[0] !== null && typeof args[0] === "object" ? (Array.isArray(args[0]) ? args[0] : Object.keys(args[0])) : args;
	if (t === null || t === undefined || typeof t !== "object" && typeof t !== "function") this.fail("expected " + shown(t) + " to be an object");
	const have = t instanceof Map || t instanceof Set ? [...t.keys()] : Object.keys(t);
	if (!(t instanceof Map || t instanceof Set)) want = want.map(String);
	const in_ = (k) => have.includes(k);
	const ok = this.$.any ? want.some(in_) : want.every(in_) && (this.$.contains || want.length === have.length);
	return this.check(ok, "to have " + (this.$.any ? "any of " : "") + "keys " + shown(want));
}));

define("members", method(function (list) {
	const t = this.$.target, eq = this.$.deep ? same : (a, b) => a === b;
	if (!Array.isArray(t)) this.fail("expected " + shown(t) + " to be an array");
	let ok;
	if (this.$.ordered) {
		ok = (this.$.contains || t.length === list.length) && list.every((x, i) => i < t.length && eq(t[i], x));
	} else {
		const rest = t.slice();
		ok = list.every((x) => { const i = rest.findIndex((y) => eq(y, x)); return i >= 0 && (this.$.contains || rest.splice(i, 1)); })
			&& (this.$.contains || rest.length === 0);
	}
	return this.check(ok, "to have members " + shown(list));
}));

define("throw throws Throw", method(function (kind, text) {
	let thrown = false, e;
	try { this.$.target(); } catch (x) { thrown = true; e = x; }
	if (typeof kind === "string" || kind instanceof RegExp) { text = kind; kind = undefined; }
	let ok = thrown;
	if (ok && kind !== undefined) ok = typeof kind === "function" ? e instanceof kind : e === kind;
	if (ok && text !== undefined) ok = text instanceof RegExp ? text.test(e && e.message) : String(e && e.message).includes(text);
	this.check(ok, "to throw " + (kind ? kind.name || shown(kind) : text === undefined ? "an error" : shown(text)));
	return this.about(e);
}));

function valueOfMember(args) { return args.length > 1 ? args[0][args[1]] : args[0](); }
for (const [names, ok] of [["change changes", (a, b) => a !== b], ["increase increases", (a, b) => b > a], ["decrease decreases", (a, b) => b < a]]) {
	define(names, method(function (...args) {
		const before = valueOfMember(args);
		this.$.target();
		return this.check(ok(before, valueOfMember(args)), "to " + names.split(" ")[0]);
	}));
}

function expect(target, message) { return new Assertion(target, message); }
expect.fail = function (a, b, message) {
	throw new AssertionError(arguments.length < 2 ? a || "expect.fail()" : message || "expected " + shown(a) + " to equal " + shown(b));
};

// assert is the same in another form, for those who write it so.
function assert(ok, message) { if (!ok) throw new AssertionError(message || "Unspecified AssertionError"); }
for (const [name, f] of Object.entries({
	equal: (a, b, m) => assert(a == b, m || "expected " + shown(a) + " to equal " + shown(b)),
	notEqual: (a, b, m) => assert(a != b, m || "expected " + shown(a) + " to not equal " + shown(b)),
	strictEqual: (a, b, m) => expect(a, m).to.equal(b),
	notStrictEqual: (a, b, m) => expect(a, m).to.not.equal(b),
	deepEqual: (a, b, m) => expect(a, m).to.eql(b),
	notDeepEqual: (a, b, m) => expect(a, m).to.not.eql(b),
	ok: (a, m) => expect(a, m).to.be.ok, isOk: (a, m) => expect(a, m).to.be.ok, isTrue: (a, m) => expect(a, m).to.be.true,
	isFalse: (a, m) => expect(a, m).to.be.false, isNull: (a, m) => expect(a, m).to.be.null, isNotNull: (a, m) => expect(a, m).to.not.be.null,
	isDefined: (a, m) => expect(a, m).to.not.be.undefined, isUndefined: (a, m) => expect(a, m).to.be.undefined, exists: (a, m) => expect(a, m).to.exist,
	isString: (a, m) => expect(a, m).to.be.a("string"), isNumber: (a, m) => expect(a, m).to.be.a("number"), isObject: (a, m) => expect(a, m).to.be.an("object"),
	isArray: (a, m) => expect(a, m).to.be.an("array"), isBoolean: (a, m) => expect(a, m).to.be.a("boolean"), isFunction: (a, m) => expect(a, m).to.be.a("function"),
	typeOf: (a, k, m) => expect(a, m).to.be.a(k), include: (a, b, m) => expect(a, m).to.include(b), notInclude: (a, b, m) => expect(a, m).to.not.include(b),
	match: (a, b, m) => expect(a, m).to.match(b), property: (a, b, m) => expect(a, m).to.have.property(b), lengthOf: (a, n, m) => expect(a, m).to.have.lengthOf(n),
	isAbove: (a, n, m) => expect(a, m).to.be.above(n), isBelow: (a, n, m) => expect(a, m).to.be.below(n), isAtLeast: (a, n, m) => expect(a, m).to.be.at.least(n),
	isAtMost: (a, n, m) => expect(a, m).to.be.at.most(n), isEmpty: (a, m) => expect(a, m).to.be.empty, isNotEmpty: (a, m) => expect(a, m).to.not.be.empty,
	oneOf: (a, l, m) => expect(a, m).to.be.oneOf(l), throws: (f, ...args) => expect(f).to.throw(...args), fail: (...args) => expect.fail(...args),
})) assert[name] = f;
