package shop

import (
	"fmt"
	"mime"
	"net"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A need is what a caller must be.
type need int

const (
	anyone  need = iota
	user         // a bearer token or a session cookie
	admin        // a user with the role admin
	partner      // an API key
)

// A request is what a handler gets: the HTTP request and who was proved to have
// sent it, nil for nobody.
type request struct {
	*http.Request
	caller *caller
}

type handler func(http.ResponseWriter, *request) error

// A route is one operation.
type route struct {
	method, path string
	needs        need
	// forgets names the flaw that drops this need: admin becomes user, user
	// becomes anyone.
	forgets string
	handle  handler
	// sends is the media type of the answer; empty means application/json.
	sends string
}

// table lists what the shop offers.
func (s *Shop) table() []route {
	table := []route{
		{"GET", "/healthz", anyone, "", s.health, ""},
		{"GET", "/.well-known/jwks.json", anyone, "", s.keySet, ""},

		{"POST", "/v1/login", anyone, "", s.login, ""},
		{"POST", "/v1/session", anyone, "", s.openSession, ""},
		{"GET", "/v1/session", user, "", s.getSession, ""},
		{"DELETE", "/v1/session", user, "", s.closeSession, ""},

		{"GET", "/v1/me", user, "", s.me, ""},
		{"GET", "/v1/users", admin, "authz-function", s.listUsers, ""},
		{"POST", "/v1/users", anyone, "", s.register, ""},
		{"GET", "/v1/users/{id}", user, "", s.getUser, ""},
		{"PUT", "/v1/users/{id}", user, "", s.putUser, ""},
		{"PATCH", "/v1/users/{id}", user, "", s.patchUser, ""},
		{"DELETE", "/v1/users/{id}", admin, "", s.deleteUser, ""},

		{"GET", "/v1/products", anyone, "", s.listProducts, ""},
		{"POST", "/v1/products", admin, "", s.addProduct, ""},
		{"GET", "/v1/products/{id}", anyone, "", s.getProduct, ""},
		{"PUT", "/v1/products/{id}", admin, "authz-method", s.putProduct, ""},
		{"PATCH", "/v1/products/{id}", admin, "", s.patchProduct, ""},
		{"DELETE", "/v1/products/{id}", admin, "authz-method", s.deleteProduct, ""},
		{"GET", "/v1/products/{id}/photo", anyone, "", s.photo, "image/png"},
		{"GET", "/v1/feeds/products", partner, "", s.productFeed, "text/csv"},

		{"GET", "/v1/orders", user, "authn-missing", s.listOrders, ""},
		{"POST", "/v1/orders", user, "", s.placeOrder, ""},
		{"GET", "/v1/orders/{id}", user, "", s.getOrder, ""},
		{"PUT", "/v1/orders/{id}", user, "", s.putOrder, ""},
		{"PATCH", "/v1/orders/{id}", user, "", s.patchOrder, ""},
		{"DELETE", "/v1/orders/{id}", user, "", s.deleteOrder, ""},
		{"GET", "/v1/orders/{id}/events", user, "", s.orderEvents, "text/event-stream"},
		{"POST", "/v1/orders/{id}/notify", user, "", s.notify, ""},
		{"GET", "/v1/orders/{id}/status", partner, "", s.orderStatus, ""},

		{"GET", "/v1/account", user, "authn-missing", s.getAccount, ""},
		{"GET", "/v1/account/live", user, "", s.live, ""},
		{"GET", "/v1/account/statement", user, "", s.statement, "text/csv"},
		{"POST", "/v1/account/freeze", user, "", s.freeze, ""},
		{"DELETE", "/v1/account/freeze", user, "", s.unfreeze, ""},
		{"GET", "/v1/account/transfers", user, "", s.listTransfers, ""},
		{"POST", "/v1/account/transfers", user, "", s.transfer, ""},
		{"GET", "/v1/account/transfers/{id}", user, "", s.getTransfer, ""},

		{"GET", "/v1/admin/reports", admin, "authz-function", s.report, ""},

		{"GET", "/v1/reviews", anyone, "", s.listReviews, ""},
		{"POST", "/v1/reviews", user, "", s.addReview, ""},
		{"GET", "/v1/reviews/{id}", anyone, "", s.getReview, ""},
		{"PATCH", "/v1/reviews/{id}", user, "", s.patchReview, ""},
		{"DELETE", "/v1/reviews/{id}", user, "", s.deleteReview, ""},
		{"GET", "/v1/questions", user, "", s.listQuestions, ""},
		{"POST", "/v1/questions", user, "", s.ask, ""},
		{"GET", "/v1/questions/{id}", user, "", s.getQuestion, ""},
		{"PATCH", "/v1/questions/{id}", user, "", s.patchQuestion, ""},
		{"DELETE", "/v1/questions/{id}", user, "", s.deleteQuestion, ""},

		{"GET", "/v1/wishlists", user, "", s.listWishlists, ""},
		{"POST", "/v1/wishlists", user, "", s.addWishlist, ""},
		{"GET", "/v1/wishlists/{id}", user, "", s.getWishlist, ""},
		{"PATCH", "/v1/wishlists/{id}", user, "", s.patchWishlist, ""},
		{"DELETE", "/v1/wishlists/{id}", user, "", s.deleteWishlist, ""},
		{"POST", "/v1/wishlists/{id}/readers", user, "", s.shareWishlist, ""},
		{"GET", "/v1/alerts", user, "", s.listAlerts, ""},
		{"POST", "/v1/alerts", user, "", s.addAlert, ""},
		{"GET", "/v1/alerts/{id}", user, "", s.getAlert, ""},
		{"DELETE", "/v1/alerts/{id}", user, "", s.deleteAlert, ""},
		{"GET", "/v1/cart", user, "", s.getCart, ""},
		{"PUT", "/v1/cart", user, "", s.putCart, ""},

		{"GET", "/v1/profiles/{id}", user, "", s.getProfile, ""},
		{"GET", "/v1/users/{id}/settings", user, "", s.getSettings, ""},
		{"GET", "/v1/preferences", user, "", s.getSettings, ""},
		{"PUT", "/v1/preferences", user, "", s.putPreferences, ""},

		{"GET", "/v1/home", anyone, "", s.home, ""},
		{"GET", "/v1/coupons/{code}", anyone, "", s.coupon, ""},
		{"GET", "/v1/tips/today", anyone, "", s.tip, ""},
		{"GET", "/v1/time", anyone, "", s.clock, ""},
		{"GET", "/v1/meta", anyone, "", s.meta, ""},
		{"POST", "/v1/echo", user, "", s.echo, ""},
		{"GET", "/app/{page}", anyone, "", s.page, "text/html"},
	}
	if s.flawed("request-method") {
		table = append(table, route{"PATCH", "/v1/account", user, "", s.setBalance, ""})
	}
	if s.flawed("request-undeclared-endpoint") {
		table = append(table, route{"GET", "/v1/debug/users", anyone, "", s.dump, ""})
	}
	if s.flawed("request-old-version") {
		table = append(table, route{"GET", "/v0/users/{id}", anyone, "", s.oldUser, ""})
	}
	return table
}

func (s *Shop) routes() http.Handler {
	paths := map[string]map[string]route{}
	for _, rt := range s.table() {
		if paths[rt.path] == nil {
			paths[rt.path] = map[string]route{}
		}
		paths[rt.path][rt.method] = rt
	}
	mux := http.NewServeMux()
	for at, methods := range paths {
		mux.Handle(at, s.atPath(methods))
	}
	nothing := s.with(func(http.ResponseWriter, *http.Request) error { return notFound() })
	mux.Handle("/", nothing)
	mux.Handle("/app/", s.atPath(map[string]route{"GET": {needs: anyone, handle: s.page, sends: "text/html"}}))
	mux.Handle("/v0/", s.with(s.versionBefore))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The mux would send //v1/users and /v1/x/../users elsewhere with an
		// answer of its own, which has none of our headers.
		if p := r.URL.Path; p != path.Clean(p) {
			nothing.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// atPath answers for one path: it picks the method, or says which there are.
func (s *Shop) atPath(methods map[string]route) http.Handler {
	allow := []string{"OPTIONS"}
	for m := range methods {
		allow = append(allow, m)
		if m == "GET" {
			allow = append(allow, "HEAD")
		}
	}
	slices.Sort(allow)
	return s.with(func(w http.ResponseWriter, r *http.Request) error {
		method := r.Method
		if method == http.MethodHead {
			method = http.MethodGet
		}
		if rt, ok := methods[method]; ok {
			if other, ok := methods[r.Header.Get("X-HTTP-Method-Override")]; ok && s.flawed("request-method-override") {
				rt.handle = other.handle // what rt needs is asked for, and something else done
			}
			return s.serve(w, r, rt)
		}
		if method == http.MethodOptions {
			w.Header().Set("Allow", strings.Join(allow, ", "))
			return noContent(w)
		}
		p := refuse(http.StatusMethodNotAllowed, "this path does not offer that method")
		if !s.flawed("status-405-allow") {
			p.header = http.Header{"Allow": {strings.Join(allow, ", ")}}
		}
		return p
	})
}

// serve asks for everything that a route needs before its handler runs.
func (s *Shop) serve(w http.ResponseWriter, r *http.Request, rt route) error {
	needs := rt.needs
	if rt.forgets != "" && s.flawed(rt.forgets) {
		needs--
	}
	who, err := s.identify(r)
	switch {
	case needs == anyone && err != nil:
		who = nil // a stale cookie must not keep anybody from logging in
	case err != nil:
		return err
	case needs == partner && who == nil:
		return unauthorized(challengePartner, "this needs an API key")
	case needs == partner && !who.Partner:
		return forbidden("this is for partners")
	case needs != anyone && who == nil:
		return unauthorized(challenge, "log in first")
	case needs != anyone && needs != partner && who.Partner:
		return forbidden("this is not for partners")
	case needs == admin && !who.admin():
		return forbidden("this is for administrators")
	}
	if err := s.fromElsewhere(r, who); err != nil {
		return err
	}
	sends := rt.sends
	if sends == "" {
		sends = "application/json"
	}
	if !accepts(r.Header.Values("Accept"), sends) && !s.flawed("request-accept") {
		return refuse(http.StatusNotAcceptable, "this is only available as "+sends)
	}
	if id, err := strconv.ParseInt(r.Header.Get("X-User-Id"), 10, 64); err == nil && who != nil && s.flawed("authz-header-owner") {
		other := *who
		other.ID = id
		who = &other
	}
	return rt.handle(w, &request{r, who})
}

// with adds what every answer has, and turns errors and panics into answers.
func (s *Shop) with(f func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.protect(w.Header(), r)
		defer func() {
			if v := recover(); v != nil && v != http.ErrAbortHandler {
				s.fail(w, r, fmt.Errorf("panic: %v", v))
			} else if v != nil {
				panic(v)
			}
		}()
		if err := f(w, r); err != nil {
			s.fail(w, r, err)
		}
	})
}

// protect sets the security headers. Content-Type comes with each body.
func (s *Shop) protect(h http.Header, r *http.Request) {
	set := func(flaw, name, value string) {
		if !s.flawed(flaw) {
			h.Set(name, value)
		}
	}
	set("response-csp", "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	set("response-nosniff", "X-Content-Type-Options", "nosniff")
	set("response-frame-options", "X-Frame-Options", "DENY")
	set("response-cache-control", "Cache-Control", "no-store")
	// A browser that was once told so for localhost would refuse every other
	// plain server of its developer for a year.
	if !localName(r.Host) {
		set("response-hsts", "Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	}
	if s.flawed("response-banner") {
		h.Set("Server", "ShopServer/2.3.1 (Linux)")
		h.Set("X-Powered-By", "PHP/7.4.3")
	}
	if origin := r.Header.Get("Origin"); origin != "" && s.flawed("client-cors") {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true")
		h.Add("Vary", "Origin")
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

// accepts reports whether the Accept fields allow a media type (RFC 9110, 12.5.1).
func accepts(fields []string, mediaType string) bool {
	if len(fields) == 0 {
		return true
	}
	kind, _, _ := strings.Cut(mediaType, "/")
	best, quality := -1, 1.0 // the most specific range decides
	for field := range strings.SplitSeq(strings.Join(fields, ","), ",") {
		name, params, err := mime.ParseMediaType(field)
		if err != nil {
			continue
		}
		specific := slices.Index([]string{"*/*", kind + "/*", mediaType}, name)
		if specific <= best {
			continue
		}
		best, quality = specific, 1.0
		if q, err := strconv.ParseFloat(params["q"], 64); err == nil {
			quality = q
		}
	}
	return best >= 0 && quality > 0
}

func (s *Shop) health(w http.ResponseWriter, r *request) error {
	return reply(w, http.StatusOK, map[string]string{"status": "ok"})
}

func (s *Shop) keySet(w http.ResponseWriter, r *request) error {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "public, max-age=300")
	_, err := w.Write(s.tokens.jwks)
	return err
}
