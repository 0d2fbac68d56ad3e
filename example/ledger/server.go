package ledger

import (
	"fmt"
	"mime"
	"net"
	"net/http"
	"path"
	"slices"
	"strings"
)

// A request is what a handler gets.
type request struct {
	*http.Request
	caller *caller
	base   string // "/api" or "/ledger/api"
}

// bases are the paths that the API stands under: its own, and the one that it
// has behind the company's gateway.
var bases = []string{"/api", "/ledger/api"}

// A route is one operation.
type route struct {
	method, path string
	// roles that may use it; none is anybody, "*" any role of the tenant.
	roles []string
	// forgets names the flaw that drops the roles.
	forgets string
	handle  func(http.ResponseWriter, *request) error
}

var (
	anybody []string
	member  = []string{"*"}
	readers = []string{"owner", "clerk", "auditor", "till"}
	writers = []string{"owner", "clerk", "till"}
	owner   = []string{"owner"}
)

const (
	oneTenant = "/tenants/{tenant}"
	oneBook   = oneTenant + "/books/{book}"
	oneEntry  = oneBook + "/entries/{entry}"
)

// table lists what the ledger offers.
func (l *Ledger) table() []route {
	table := []route{
		{"GET", "/status", anybody, "", l.status},
		{"GET", "/signing-keys", anybody, "", l.signingKeys},
		{"POST", "/sessions", anybody, "", l.openSession},
		{"GET", "/sessions/current", member, "", l.getSession},
		{"DELETE", "/sessions/current", member, "", l.closeSession},
		{"GET", "/balances", readers, "", l.balances},
		{"GET", "/profile", member, "", l.getProfile},
		{"PUT", "/profile", member, "", l.putProfile},
		{"GET", "/notices", member, "", l.listNotices},
		{"GET", "/notices/{notice}", member, "", l.getNotice},
		{"GET", "/rates", anybody, "", l.rates},
		{"GET", "/iban-checks/{iban}", anybody, "", l.checkIBAN},

		{"GET", oneTenant, readers, "", l.getTenant},
		{"PATCH", oneTenant, owner, "", l.patchTenant},
		{"GET", oneTenant + "/members", []string{"owner", "auditor"}, "authz-function", l.listMembers},
		{"POST", oneTenant + "/members", owner, "", l.addMember},
		{"DELETE", oneTenant + "/members/{member}", owner, "", l.removeMember},
		{"GET", oneTenant + "/jobs/{job}", readers, "", l.getJob},

		{"GET", oneTenant + "/books", readers, "", l.listBooks},
		{"POST", oneTenant + "/books", owner, "", l.addBook},
		{"GET", oneBook, readers, "", l.getBook},
		{"PUT", oneBook, owner, "authz-method", l.putBook},
		{"DELETE", oneBook, owner, "authz-method", l.deleteBook},
		{"POST", oneBook + "/closings", owner, "", l.closeBook},

		{"GET", oneBook + "/entries", readers, "authn-missing", l.listEntries},
		{"POST", oneBook + "/entries", writers, "", l.addEntry},
		{"GET", oneEntry, readers, "authn-missing", l.getEntry},
		{"PUT", oneEntry, writers, "", l.putEntry},
		{"PATCH", oneEntry, writers, "", l.patchEntry},
		{"DELETE", oneEntry, writers, "", l.deleteEntry},
	}
	if l.flawed("request-method") {
		table = append(table, route{"DELETE", oneTenant, member, "", l.dropTenant})
	}
	if l.flawed("request-undeclared-endpoint") {
		table = append(table, route{"GET", "/internal/users", anybody, "", l.dumpUsers})
	}
	return table
}

func (l *Ledger) routes() http.Handler {
	mux := http.NewServeMux()
	for _, base := range bases {
		paths := map[string]map[string]route{}
		for _, rt := range l.table() {
			if paths[rt.path] == nil {
				paths[rt.path] = map[string]route{}
			}
			paths[rt.path][rt.method] = rt
		}
		for at, methods := range paths {
			mux.Handle(base+at, l.atPath(base, methods))
		}
	}
	nothing := l.with(func(http.ResponseWriter, *http.Request) error { return notFound() })
	mux.Handle("/", nothing)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := r.URL.Path; p != path.Clean(p) { // the mux would redirect, without our headers
			nothing.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// atPath answers for one path: it picks the method, or says which there are.
func (l *Ledger) atPath(base string, methods map[string]route) http.Handler {
	allow := []string{"OPTIONS"}
	for m := range methods {
		allow = append(allow, m)
		if m == "GET" {
			allow = append(allow, "HEAD")
		}
	}
	slices.Sort(allow)
	return l.with(func(w http.ResponseWriter, r *http.Request) error {
		method := r.Method
		if method == http.MethodHead {
			method = http.MethodGet
		}
		if rt, ok := methods[method]; ok {
			return l.serve(w, &request{Request: r, base: base}, rt)
		}
		w.Header().Set("Allow", strings.Join(allow, ", "))
		if method == http.MethodOptions {
			return noContent(w)
		}
		return refuse(http.StatusMethodNotAllowed, "method", "this path does not offer that method")
	})
}

// serve asks for everything that a route needs before its handler runs: who
// speaks, for which tenant, in which role.
func (l *Ledger) serve(w http.ResponseWriter, r *request, rt route) error {
	who, err := l.identify(r.Request)
	open := rt.forgets == "authn-missing" && l.flawed(rt.forgets)
	tenant := r.PathValue("tenant")
	switch {
	case len(rt.roles) == 0 && err != nil:
		who = nil // a stale cookie must not keep anybody from logging in
	case err != nil:
		return err
	case len(rt.roles) == 0, who == nil && open:
	case who == nil:
		return unauthorized(challenge)
	case tenant != "" && who.tenant != tenant && !l.anyTenant(rt):
		return notFound()
	case !slices.Contains(rt.roles, "*") && !who.is(rt.roles...) && !(rt.forgets != "" && l.flawed(rt.forgets)):
		return forbidden("your role may not do this")
	}
	if err := l.fromElsewhere(r.Request, who); err != nil {
		return err
	}
	if !acceptsJSON(r.Header.Values("Accept")) {
		return refuse(http.StatusNotAcceptable, "accept", "this is only available as application/json")
	}
	r.caller = who
	return rt.handle(w, r)
}

// objectFlaw is the flaw that opens other tenants' entries to a method.
func objectFlaw(method string) string {
	switch method {
	case http.MethodGet:
		return "authz-object"
	case http.MethodDelete:
		return "authz-object-delete"
	}
	return "authz-object-write"
}

// anyTenant is true where a flaw lets a caller into another tenant's entries.
func (l *Ledger) anyTenant(rt route) bool {
	return strings.HasPrefix(rt.path, oneBook+"/entries") && l.flawed(objectFlaw(rt.method))
}

// with adds what every answer has, and turns errors and panics into answers.
func (l *Ledger) with(f func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.protect(w.Header(), r)
		defer func() {
			if v := recover(); v == http.ErrAbortHandler {
				panic(v)
			} else if v != nil {
				l.fail(w, r, fmt.Errorf("panic: %v", v))
			}
		}()
		if err := f(w, r); err != nil {
			l.fail(w, r, err)
		}
	})
}

// protect sets the security headers.
func (l *Ledger) protect(h http.Header, r *http.Request) {
	set := func(flaw, name, value string) {
		if !l.flawed(flaw) {
			h.Set(name, value)
		}
	}
	set("response-csp", "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	set("response-nosniff", "X-Content-Type-Options", "nosniff")
	set("response-frame-options", "X-Frame-Options", "DENY")
	set("response-cache-control", "Cache-Control", "no-store")
	if !localName(r.Host) {
		set("response-hsts", "Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	}
	if l.flawed("response-content-type") {
		h.Set("Content-Type", "text/html; charset=utf-8")
	}
}

// localName reports whether a host is this machine's, or no name at all.
func localName(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.Trim(strings.ToLower(host), "[].")
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || net.ParseIP(host) != nil
}

// acceptsJSON reports whether the Accept fields allow application/json
// (RFC 9110, 12.5.1): the most specific range that fits decides.
func acceptsJSON(fields []string) bool {
	if len(fields) == 0 {
		return true
	}
	best, good := -1, false
	for field := range strings.SplitSeq(strings.Join(fields, ","), ",") {
		name, params, err := mime.ParseMediaType(field)
		if specific := slices.Index([]string{"*/*", "application/*", "application/json"}, name); err == nil && specific > best {
			best, good = specific, strings.Trim(params["q"], "0.") != "" || params["q"] == ""
		}
	}
	return good
}

func (l *Ledger) status(w http.ResponseWriter, r *request) error {
	return reply(w, http.StatusOK, map[string]string{"state": "up"}, nil)
}

func (l *Ledger) signingKeys(w http.ResponseWriter, r *request) error {
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	_, err := w.Write(l.tokens.jwks)
	return err
}
