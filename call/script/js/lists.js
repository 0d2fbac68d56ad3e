// Lists of named things: header fields, parameters, cookies. Names of header
// fields compare without case.
class PropertyList {
	constructor(items, fold) {
		this.members = [];
		Object.defineProperty(this, "fold", {value: !!fold, enumerable: false});
		for (const i of items || []) this.add(i);
	}
	same(a, b) {
		return this.fold ? String(a).toLowerCase() === String(b).toLowerCase() : a === b;
	}
	all() { return this.members.slice(); }
	count() { return this.members.length; }
	idx(n) { return this.members[n]; }
	indexOf(x) { return this.members.findIndex((m) => m === x || this.same(m.key, x)); }
	one(key) {
		for (let i = this.members.length - 1; i >= 0; i--) if (this.same(this.members[i].key, key)) return this.members[i];
	}
	get(key) {
		const m = this.one(key);
		return m === undefined ? undefined : m.value;
	}
	has(key, value) {
		const name = key !== null && typeof key === "object" ? key.key : key;
		return this.members.some((m) => this.same(m.key, name) && (value === undefined || m.value === value));
	}
	each(f, self) { this.members.slice().forEach(f, self); }
	forEach(f, self) { this.each(f, self); }
	map(f, self) { return this.members.map(f, self); }
	filter(f, self) { return this.members.filter(f, self); }
	find(f, self) { return this.members.find(f, self); }
	reduce(f, first) { return arguments.length > 1 ? this.members.reduce(f, first) : this.members.reduce(f); }
	add(item) { if (item !== undefined && item !== null) this.members.push(property(item)); }
	append(item) { this.add(item); }
	prepend(item) { this.members.unshift(property(item)); }
	insert(item, before) {
		const at = before === undefined ? -1 : this.indexOf(before);
		this.members.splice(at < 0 ? this.members.length : at, 0, property(item));
	}
	upsert(item) {
		const p = property(item), m = this.one(p.key);
		if (!m) { this.members.push(p); return true; }
		Object.assign(m, p);
		return false;
	}
	remove(which) {
		const gone = typeof which === "function" ? which
			: which !== null && typeof which === "object" ? (m) => m === which || this.same(m.key, which.key)
			: (m) => this.same(m.key, which);
		this.members = this.members.filter((m) => !gone(m));
	}
	clear() { this.members = []; }
	populate(items) { for (const i of items instanceof PropertyList ? items.members : items || []) this.add(i); }
	repopulate(items) { this.clear(); this.populate(items); }
	assimilate(items) { for (const i of items instanceof PropertyList ? items.members : items || []) this.upsert(i); }
	toObject(enabledOnly) {
		const o = {};
		for (const m of this.members) {
			if (enabledOnly && m.disabled) continue;
			const key = this.fold ? String(m.key).toLowerCase() : m.key;
			o[key] = key in o ? [].concat(o[key], m.value) : m.value;
		}
		return o;
	}
	toJSON() { return this.members.map((m) => Object.assign({}, m)); }
	toString() { return this.members.filter((m) => !m.disabled).map((m) => m.value === null || m.value === undefined ? m.key : m.key + "=" + m.value).join("&"); }
	[Symbol.iterator]() { return this.members[Symbol.iterator](); }
}

// property takes an object with key and value, "name: value" or "name=value".
function property(item) {
	if (typeof item === "string") {
		const at = item.search(/[:=]/);
		return at < 0 ? {key: item, value: null} : {key: item.slice(0, at).trim(), value: item.slice(at + 1).trim()};
	}
	const p = Object.assign({}, item);
	if (p.key === undefined && p.name !== undefined) p.key = p.name;
	return p;
}

class HeaderList extends PropertyList {
	constructor(items) { super(items, true); }
	toString() { return this.members.filter((m) => !m.disabled).map((m) => m.key + ": " + m.value).join("\r\n"); }
}
