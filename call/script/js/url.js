// A URL as people write it in a collection: its parts may hold {{names}}, so it
// is cut at its marks and not judged.
class Url {
	constructor(text) { this.update(text); }
	update(text) {
		if (text instanceof Url) text = text.toString();
		if (text !== null && typeof text === "object") text = text.raw || urlText(text);
		let rest = String(text === undefined || text === null ? "" : text);
		this.protocol = this.auth = this.port = this.hash = undefined;
		let at = rest.indexOf("#");
		if (at >= 0) { this.hash = rest.slice(at + 1); rest = rest.slice(0, at); }
		at = rest.indexOf("?");
		this.query = new PropertyList(at < 0 ? [] : rest.slice(at + 1).split("&").map(parameter));
		if (at >= 0) rest = rest.slice(0, at);
		at = rest.indexOf("://");
		if (at >= 0) { this.protocol = rest.slice(0, at); rest = rest.slice(at + 3); }
		at = rest.search(/[\/\\]/);
		this.path = at < 0 ? undefined : rest.slice(at + 1).split(/[\/\\]/);
		if (at >= 0) rest = rest.slice(0, at);
		at = rest.lastIndexOf("@");
		if (at >= 0) {
			const [user, ...password] = rest.slice(0, at).split(":");
			this.auth = {user, password: password.join(":")};
			rest = rest.slice(at + 1);
		}
		const port = /:(\d*|\{\{[^}]*\}\})$/.exec(rest);
		if (port) { this.port = port[1]; rest = rest.slice(0, port.index); }
		this.host = rest === "" ? undefined : rest.startsWith("[") ? [rest] : splitHost(rest);
		this.variables = this.variables || new PropertyList();
	}
	getHost() { return this.host === undefined ? "" : this.host.join("."); }
	getPath() { return "/" + (this.path || []).join("/"); }
	getQueryString() { return this.query.toString(); }
	getPathWithQuery() { const q = this.getQueryString(); return this.getPath() + (q ? "?" + q : ""); }
	getRemote() { return this.getHost() + (this.port === undefined ? "" : ":" + this.port); }
	addQueryParams(params) {
		if (typeof params === "string") params = params.split("&").map(parameter);
		this.query.populate(params);
	}
	removeQueryParams(names) {
		for (const n of [].concat(names)) this.query.remove(n !== null && typeof n === "object" ? n.key : n);
	}
	toString() { return urlText(this, this.getQueryString()); }
	toJSON() {
		return {protocol: this.protocol, host: this.host, port: this.port, path: this.path, query: this.query.toJSON(), hash: this.hash, variable: []};
	}
	get raw() { return this.toString(); }
}

// splitHost cuts at the dots that are not in a {{name}}.
function splitHost(host) { return host.match(/(\{\{[^}]*\}\}|[^.])+|(?=\.\.)/g) || [host]; }

function parameter(pair) {
	const at = pair.indexOf("=");
	return at < 0 ? {key: pair, value: null} : {key: pair.slice(0, at), value: pair.slice(at + 1)};
}

function urlText(u, query) {
	let s = "";
	if (u.protocol) s += String(u.protocol).replace(/:?(\/\/)?$/, "") + "://";
	if (u.auth) s += u.auth.user + (u.auth.password ? ":" + u.auth.password : "") + "@";
	if (u.host) s += Array.isArray(u.host) ? u.host.join(".") : u.host;
	if (u.port !== undefined) s += ":" + u.port;
	if (u.path !== undefined) s += "/" + (Array.isArray(u.path) ? u.path.map((p) => (p !== null && typeof p === "object" ? p.value : p)).join("/") : String(u.path).replace(/^\//, ""));
	if (query === undefined && u.query) query = (u.query instanceof PropertyList ? u.query : new PropertyList(u.query)).toString();
	if (query) s += "?" + query;
	if (u.hash !== undefined) s += "#" + u.hash;
	return s;
}
