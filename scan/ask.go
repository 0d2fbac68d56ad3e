package scan

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
)

// ask sends a request of a trial, has what can be seen in the answer judged,
// and writes down who got what.
func (s *scanner) ask(a *check.Ask) *exchange.Exchange {
	name := ""
	if a.Endpoint != nil {
		name = a.Endpoint.Name
	}
	if why := s.mayNot(a); why != "" {
		return &exchange.Exchange{Source: exchange.FromScan, Start: time.Now(), Failure: why,
			Request: exchange.Request{Method: a.Method, Target: a.Target}, Server: exchange.Server{Operation: name}}
	}
	if s.o.Pause > 0 {
		select {
		case <-time.After(s.o.Pause):
		case <-s.ctx.Done():
		}
	}
	s.intend(a)
	s.progress.Requests++
	s.progress.Asking = a.Method + " " + pathOf(a.Target) + " as " + a.As.String()
	s.o.Progress(s.progress)
	x := s.send(s.ctx, a, name)
	if check.StatusOf(x) == 428 && !a.Header.Has("If-Match") { // RFC 6585, 3
		if a.Endpoint != nil {
			s.versioned[a.Endpoint] = true
		}
		s.progress.Requests++
		x = s.send(s.ctx, a.Set("If-Match", s.version(pathOf(a.Target))), name)
	}
	if e := a.Endpoint; check.StatusOf(x) == 415 && e != nil && a.Method == e.Method && s.media[e] == "" && a.Header.Get("Content-Type") == s.mediaType(e) {
		if mt := s.otherMedia(e); mt != "" { // RFC 9110, 15.5.16
			s.progress.Requests++
			if y := s.send(s.ctx, a.Set("Content-Type", mt), name); check.StatusOf(y) != 415 {
				s.media[e] = mt
				x = y
			}
		}
	}
	s.stray(a, x)
	return x
}

// send is ask without its limits.
func (s *scanner) send(ctx context.Context, a *check.Ask, name string) *exchange.Exchange {
	if s.imagined != nil {
		return s.imagined(a, name)
	}
	if !strings.HasPrefix(a.Target, "/") { // "@elsewhere/" would be another host
		return &exchange.Exchange{Source: exchange.FromScan, Start: time.Now(), Failure: "its target is no path",
			Request: exchange.Request{Method: a.Method, Target: a.Target}, Server: exchange.Server{Operation: name}}
	}
	stream := s.endless(a.Endpoint)
	if stream {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, 250*time.Millisecond)
		defer cancel()
	}
	r := &call.Request{Method: a.Method, URL: s.base + a.Target, Header: s.fields(a), Body: a.Body}
	if a.As != nil && !a.Bare && !a.ByCookie {
		r.Auth = s.auth[a.As]
	}
	client := s.client
	if a.Header.Has("Upgrade") { // there is none in HTTP/2 (RFC 9113, 8.2.2)
		client = s.upgrades
	}
	xs := client.Do(ctx, r)
	x := xs[len(xs)-1]
	if a.Endpoint != nil && x.Failure != "" && x.Response != nil && x.Response.Header.MediaType() == "text/event-stream" {
		stream, s.streams[a.Endpoint] = true, true
	}
	if stream && x.Response != nil {
		x.Failure, x.FailedAt = "", 0 // it has no end; we stopped listening
	}
	if s.silent++; x.Response != nil {
		s.silent = 0
	}
	if s.silent >= maxSilent {
		s.stop("the API no longer answers: " + x.Failure)
	}
	x.Server.Operation = name
	honest := a.As != nil && !a.Bare
	if honest {
		x.Server.Caller = &exchange.Caller{Subject: exchange.Subject(a.As.Subject), Roles: a.As.Roles, Name: a.As.Name}
	}
	if a.Bare && a.As != nil {
		s.forged[x.ID] = a.As.Name
	}
	if a.Control {
		x.Links = append(x.Links, exchange.Link{Kind: exchange.Control})
	}
	if tag := tagOf(x); tag != "" {
		s.tags[pathOf(a.Target)] = tag
	}
	s.inspect(x, a, honest || a.As == nil)
	s.cell(a, x)
	s.hold(x)
	s.res.Requests++
	if a.Endpoint != nil {
		s.res.asked(a.Endpoint.Name)
	}
	s.record(x)
	return x
}

// tagOf is the version of what an answer shows.
func tagOf(x *exchange.Exchange) string {
	if !check.Succeeded(x) {
		return ""
	}
	return x.Response.Header.Get("ETag")
}

// maxSilent is how many requests in a row may get no answer: an API may cut off
// one that it does not like, and hangs if it answers none.
const maxSilent = 6

// hold bounds the memory that answers take: an API may send as much as it likes.
func (s *scanner) hold(x *exchange.Exchange) {
	if x.Response == nil {
		return
	}
	if s.held > maxHeld && len(x.Response.Body.Data) > maxShort {
		x.Response.Body.Data = slices.Clone(x.Response.Body.Data[:maxShort])
		s.note("the API sends so much that of the last answers only the beginning was looked at")
	}
	s.held += int64(len(x.Response.Body.Data))
}

// streamWords are what ends the paths of answers without an end.
var streamWords = []string{"events", "stream", "sse", "live", "watch", "subscribe", "tail"}

// endless reports whether an endpoint's answers have no end: it says so, was
// seen to, or is called so while nothing is known of its answers.
func (s *scanner) endless(e *check.Endpoint) bool {
	return e != nil && (slices.Contains(e.Produces, "text/event-stream") || s.streams[e] ||
		len(e.Produces) == 0 && e.Method == "GET" && slices.Contains(streamWords, lastWord(e.Path)))
}

// mayNot says why a request is not sent: the scan is over, or it would change
// what was there before.
func (s *scanner) mayNot(a *check.Ask) string {
	switch {
	case s.ctx.Err() != nil:
		s.stop("it was interrupted")
	case s.progress.Requests >= s.o.MaxRequests:
		s.stop("the budget of requests is used up")
	case time.Now().After(s.deadline):
		s.stop("the time for it is over")
	}
	if s.stopped != "" {
		return s.stopped
	}
	if p := a.As; p != nil && s.dead[p] != "" && !a.Bare {
		return "the credential of " + p.Name + " no longer works"
	}
	if p := a.As; p != nil && !p.Spare && endsSomething(pathOf(a.Target)) { // many do so whatever the method is
		return "it would end what " + p.Name + " has"
	}
	switch a.Method {
	case "GET", "HEAD", "OPTIONS", "TRACE":
		return ""
	}
	path := pathOf(a.Target)
	if e := a.Endpoint; e != nil && e.Resource != nil && slices.Contains(e.Resource.Others, e) {
		// What is done below an object is done to it.
		path = strings.Join(strings.Split(path, "/")[:strings.Count(e.Resource.Item, "/")+1], "/")
	}
	if s.existing[path] {
		return "it would change what was there before"
	}
	if slices.ContainsFunc(strings.Split(path, "/"), func(part string) bool { return part != "" && !plainID(part) }) {
		return "it could change something else: a program in between may read the path in another way"
	}
	return ""
}

// endings are words of paths at which APIs end a session or more, and some of
// them on GET.
var endings = []string{"logout", "logoff", "signout", "endsession", "endsessions", "revoke", "revocation", "deactivate", "unsubscribe", "deleteaccount", "closeaccount"}

func endsSomething(path string) bool {
	for part := range strings.SplitSeq(strings.ToLower(path), "/") {
		if slices.Contains(endings, strings.NewReplacer("-", "", "_", "", ".", "").Replace(part)) {
			return true
		}
	}
	return false
}

func (s *scanner) stop(why string) {
	if s.stopped == "" {
		s.stopped = why
		s.res.Incomplete = why
	}
}

// fields are the header fields of a request: those of the ask, and what a
// browser adds for those who have only a session cookie.
func (s *scanner) fields(a *check.Ask) exchange.Header {
	h := slices.Clone(a.Header)
	if a.As == nil || a.Bare {
		return h
	}
	if a.ByCookie {
		return append(h, exchange.Field{Name: "Cookie", Value: string(a.As.Cookies)})
	}
	if strings.EqualFold(a.As.Field, "Cookie") && a.Method != "GET" && a.Method != "HEAD" {
		for _, f := range append(a.As.CSRF[:len(a.As.CSRF):len(a.As.CSRF)], exchange.Field{Name: "Origin", Value: s.base}) {
			if !h.Has(f.Name) && !strings.EqualFold(f.Name, "Cookie") {
				h = append(h, f)
			}
		}
		// The cookie against CSRF goes beside the one that the credential is.
		if extra := a.As.CSRF.Get("Cookie"); extra != "" {
			h = append(h, exchange.Field{Name: "Cookie", Value: extra})
		}
	}
	return h
}

// record hands a copy on: the scan still reads its own.
func (s *scanner) record(x *exchange.Exchange) {
	if s.o.Recorder == nil {
		return
	}
	own := *x
	own.Request.Header = slices.Clone(x.Request.Header)
	own.Links = slices.DeleteFunc(slices.Clone(x.Links), func(l exchange.Link) bool { return l.ID == "" })
	if x.Response != nil {
		r := *x.Response
		r.Header, r.Trailer = slices.Clone(r.Header), slices.Clone(r.Trailer)
		own.Response = &r
	}
	s.o.Recorder.Record(&own)
}

// isAlive reports whether a person's credential still works.
func (s *scanner) isAlive(p *check.Person) bool {
	if p == nil || s.stopped != "" {
		return true
	}
	if s.dead[p] != "" {
		return false
	}
	if s.alive == nil || !s.alive.Answered(p) {
		return true // there is nothing to ask
	}
	a, ok := s.request(s.alive, nil, p)
	if !ok {
		return true
	}
	a.Control = true
	if x := s.ask(a); check.StatusOf(x) == 401 || check.StatusOf(x) == 403 {
		if p.Spare && s.logIn(p) && check.Succeeded(s.ask(a)) {
			return true
		}
		s.dead[p] = "no longer works"
		s.note("the credential of %s no longer works since %s", p.Name, s.progress.Phase)
		return false
	}
	return true
}

// tokenOf is what an Auth puts into a request.
func tokenOf(ctx context.Context, auth identity.Auth) (field string, value identity.Secret) {
	q := exchange.Request{Method: "GET", Scheme: "https", Authority: "api.invalid", Target: "/"}
	if auth.Apply(ctx, &q) != nil {
		return "", ""
	}
	if len(q.Header) == 0 {
		return "", ""
	}
	f := q.Header[0]
	v := f.Value
	switch {
	case strings.EqualFold(f.Name, "Authorization"):
		if scheme, rest, ok := strings.Cut(v, " "); ok && strings.EqualFold(scheme, "Bearer") {
			v = rest
		}
	case strings.EqualFold(f.Name, "Cookie"):
		_, v, _ = strings.Cut(v, "=")
	}
	return f.Name, identity.Secret(v)
}

func pathOf(target string) string {
	p, _, _ := strings.Cut(target, "?")
	return p
}

func escapePath(s string) string { return strings.ReplaceAll(url.PathEscape(s), "+", "%2B") }
