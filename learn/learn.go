// Package learn writes a contract from what was seen.
//
// A Learner is shown exchanges, in any order, and keeps counts of them, never
// the exchanges themselves: what stood in paths, which members bodies had and
// of what types, who asked and what became of it. From the counts it writes an
// OpenAPI description, a policy that would have let all of it pass, and an
// inventory. Memory is bounded; what there was no room for is said.
package learn

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
)

// Options says how a Learner works. The zero Options is good.
type Options struct {
	// API is the description that exists already. Nil means none: then all
	// that was seen is new.
	API *contract.Contract
	// Title is what the description calls the API. Empty means the host's name.
	Title string
	// Examples keeps values of parameters and bodies in the description, so
	// that requests can be made of it. Secrets never become examples.
	Examples bool
	// File is what the policy calls the description. Empty means
	// "openapi.yaml".
	File string
}

// A Learner learns. It is safe for concurrent use.
type Learner struct {
	o  Options
	mu sync.Mutex

	root    *node
	misses  *least[*miss] // paths without success
	shapes  shapes
	nodes   int
	cells   int
	values  *least[*least[bool]] // words in answers and tokens: the members they stood in
	links   *least[bool]         // paths named in pages and scripts
	hosts   *least[bool]
	tokens  tokensSeen
	keySets keySets
	strays  *least[*Change] // what broke the description that exists
	left    leftOut
	seen    int
}

// A miss is a method and a path that only failed so far: perhaps an operation
// that refuses, perhaps nothing.
type miss struct {
	method   string
	segments []string
	path     []step
	cell     *cell
}

// leftOut counts what there was no room for.
type leftOut struct{ paths, bodies, odd int }

// tokensSeen is what tokens that were accepted said of themselves.
type tokensSeen struct {
	issuers, audiences, algorithms, rolesClaims, cookies, bearers *least[bool]
	subjects, textSubjects                                        int
}

// New makes a Learner that has seen nothing.
func New(o Options) *Learner {
	set := func(n int) *least[bool] { return newLeast[bool](n) }
	return &Learner{
		o: o, root: newNode(), misses: newLeast[*miss](1000), values: newLeast[*least[bool]](20_000),
		links: set(2000), hosts: set(20), strays: newLeast[*Change](500),
		tokens: tokensSeen{set(4), set(8), set(8), set(4), set(4), set(4), 0, 0},
	}
}

// Add learns from an exchange, which it neither keeps nor changes.
func (l *Learner) Add(x *exchange.Exchange) {
	if x == nil || !learnable(x) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen++
	r := &x.Request
	segments, ok := split(r.Path())
	method := strings.ToUpper(r.Method)
	if method == "OPTIONS" || method == "TRACE" || method == "CONNECT" {
		return // they ask about the API, not for something of it
	}
	if !ok || method != "HEAD" && !slices.Contains(methods, method) {
		l.left.odd++
		return
	}
	status := written
	if x.Response != nil {
		status = x.Response.Status
	}
	l.hosts.at(host(r), yes)
	c, segments := l.cellFor(method, segments, r.Path(), status)
	if c == nil {
		return
	}
	w := speaker(x)
	l.note(c, w, x, status, segments)
	l.judge(x, method)
}

func yes() bool { return true }

// learnable leaves out what clients of the API did not send, or did not say:
// what a scan asked, what was changed on its way, what guard answered itself or
// asked for itself, and the upstream's side of what was seen on the client's.
func learnable(x *exchange.Exchange) bool {
	if x.Source == exchange.FromScan || x.Side == exchange.UpstreamSide {
		return false
	}
	for i := range x.Actions {
		if x.Actions[i].Kind == exchange.Refused && x.Actions[i].Enforced {
			return false // guard answered, not the API
		}
	}
	for _, k := range x.Links {
		switch k.Kind {
		case exchange.Probe, exchange.Control, exchange.Edited:
			return false
		}
	}
	return x.Response != nil || x.Failure == ""
}

func host(r *exchange.Request) string {
	h := strings.ToLower(r.Authority)
	if len(h) > 253 || h == "" || strings.Contains(h, "{") {
		return ""
	}
	return h
}

// cellFor finds where a request is counted. What succeeded, or was written down
// as a request to send, is in the tree; all else waits until it is known
// whether there is such an operation.
func (l *Learner) cellFor(method string, segments []string, raw string, status int) (*cell, []string) {
	path := steps(segments)
	if a := l.o.API; a != nil {
		if o := declaredAt(a, method, raw); o != nil {
			path = declaredSteps(o.Path, path)
		}
	}
	if !(status == written || status == 101 || status >= 200 && status < 400) {
		var key strings.Builder
		key.WriteString(method)
		for _, s := range path {
			key.WriteByte('/')
			if s.value {
				key.WriteString("\x01")
			} else {
				key.WriteString(s.word)
			}
		}
		m, ok := l.misses.at(key.String(), func() *miss { return &miss{method, segments, path, newCell()} })
		if !ok {
			return nil, nil
		}
		return m.cell, segments
	}
	n := l.at(path)
	if n == nil {
		return nil, nil
	}
	if n.cells == nil {
		n.cells = map[string]*cell{}
	}
	c := n.cells[method]
	if c == nil {
		if l.cells >= maxCells {
			l.left.paths++
			return nil, nil
		}
		l.cells++
		c = newCell()
		n.cells[method] = c
	}
	return c, segments
}

// declaredAt is the operation that a description has for a path: of the method,
// or of another, which shares its template.
func declaredAt(a *contract.Contract, method, raw string) *contract.Operation {
	m := a.Match(method, raw)
	if m.Operation == nil && m.Known {
		for other := range strings.SplitSeq(m.Allow, ",") {
			if m := a.Match(strings.TrimSpace(other), raw); m.Operation != nil {
				return m.Operation
			}
		}
	}
	return m.Operation
}

// declaredSteps takes from a template which segments are values.
func declaredSteps(template string, path []step) []step {
	parts := strings.Split(strings.TrimPrefix(template, "/"), "/")
	if len(parts) != len(path) {
		return path
	}
	for i, p := range parts {
		if strings.Contains(p, "{") {
			name, _ := placeholder(p)
			path[i] = step{word: path[i].word, value: true, hint: name}
		} else {
			path[i] = step{word: p, fixed: true}
		}
	}
	return path
}

// note counts an exchange in its cell.
func (l *Learner) note(c *cell, w *who, x *exchange.Exchange, status int, segments []string) {
	c.count++
	c.statuses[status]++
	ok := status == written || status == 101 || status >= 200 && status < 400
	l.noteCaller(c, w, status, ok)
	c.login = c.login || givesTokens(segments)
	switch {
	case status == 403:
		countGroup(c.barred, w.group())
	case ok && status != written:
		countGroup(c.groups, w.group())
	}
	if ok {
		for i, s := range segments {
			for len(c.places) <= i {
				c.places = append(c.places, &shape{min: math.Inf(1), formats: allFormats})
			}
			if _, is := placeholder(s); !is {
				l.shapes.add(c.places[i], lexical(s), 0)
			}
		}
	}

	query := queryOf(x.Request.Query())
	body, fields := l.requestBody(c, x, status)
	if sound(status) {
		c.taken++
		l.noteQuery(c, query)
		l.noteHeaders(c, x.Request.Header)
	}
	var reply any
	if x.Response != nil {
		reply = l.reply(c, x.Response, x.Request.Method, status)
		l.publishes(x, status, reply)
	}
	if ok && status != written {
		if o, isObject := body.(map[string]any); isObject {
			countGroup(c.writers, w.group())
			for name := range o {
				if m, kept := c.setters.at(name, func() map[string]int { return map[string]int{} }); kept {
					countGroup(m, w.group())
				}
			}
		}
		for claim, v := range w.claims {
			l.value(v, claim)
			if claim == "id" {
				l.value(v, "sub")
			}
		}
	}
	c.relate(w, status, segments, query, body, reply)
	switch mt := x.Request.Header.MediaType(); {
	case !l.o.Examples:
	case ok:
		c.keepExample(status, segments, query, mt, body, fields)
	case (status == 400 || status == 422) && contract.IsJSON(mt) && x.Request.Body.Complete() && len(x.Request.Body.Data) <= maxExample:
		// Where nothing better is seen it shows at least what is sent.
		if v, isJSON := parse(x.Request.Body.Data); isJSON {
			c.keepExample(status, segments, query, mt, v, nil)
		}
	}
}

// sound reports whether a status means that the request was well formed: it
// was done, or could not be for reasons that lie elsewhere.
func sound(status int) bool {
	switch status {
	case written, 101, 404, 409, 410, 412, 428, 429, 304:
		return true
	}
	return status >= 200 && status < 400
}

func (l *Learner) noteCaller(c *cell, w *who, status int, ok bool) {
	t := c.carriers[w.carrier]
	if t == nil {
		if len(c.carriers) >= 8 {
			return
		}
		t = &tally{}
		c.carriers[w.carrier] = t
	}
	count := func(t *tally) {
		switch {
		case ok:
			t.ok++
		case status == 401 || status == 403:
			t.refused++
		default:
			t.failed++
		}
	}
	count(t)
	if w.known && w.name != "" && !masked(w.name) {
		s, kept := c.callers.at(w.name, func() *callerSeen { return &callerSeen{name: w.name, id: w.claims["id"]} })
		if kept {
			if strings.Join(w.roles, ",") > strings.Join(s.roles, ",") {
				s.roles = w.roles
			}
			count(&s.tally)
		}
	}
	if !ok || w.token == nil && !w.known || status == written {
		return
	}
	if id := w.claims["id"]; id != "" {
		l.tokens.subjects++
		if !digits.MatchString(id) {
			l.tokens.textSubjects++
		}
	}
	if t := w.token; t != nil && t.alg != "" {
		l.tokens.issuers.at(t.issuer, yes)
		l.tokens.algorithms.at(t.alg, yes)
		for _, a := range t.audience {
			l.tokens.audiences.at(a, yes)
		}
		if t.rolesClaim != "" {
			l.tokens.rolesClaims.at(t.rolesClaim, yes)
		}
		if name, isCookie := strings.CutPrefix(string(w.carrier), "cookie:"); isCookie {
			l.tokens.cookies.at(name, yes)
		} else {
			l.tokens.bearers.at(string(w.carrier), yes)
		}
	}
}

func (l *Learner) noteQuery(c *cell, query []parameter) {
	times := map[string]int{}
	for _, p := range query {
		if p.secret {
			continue // it is a credential, not a parameter
		}
		q, kept := c.query.at(p.name, l.shapes.freshParam)
		if !kept {
			continue
		}
		if times[p.name]++; times[p.name] == 1 {
			q.count++
		} else {
			q.repeat = true
		}
		l.shapes.add(q.shape, lexical(p.value), 0)
		if l.o.Examples && plainValue(p.value) {
			q.value = lesser(q.value, p.value)
		}
	}
}

// lexical is the value that a text outside of JSON is written for.
func lexical(s string) any {
	switch {
	case s == "true" || s == "false":
		return s == "true"
	case decimal.MatchString(s):
		return json.Number(s)
	}
	return s
}

func (l *Learner) noteHeaders(c *cell, h exchange.Header) {
	for i := range h {
		name := h[i].Name
		if !caredFor(name) {
			continue
		}
		p, kept := c.headers.at(headerName(name), l.shapes.freshParam)
		if !kept {
			continue
		}
		p.count++
		p.secret = p.secret || identity.SecretName(name)
		l.shapes.add(p.shape, h[i].Value, 0)
		if l.o.Examples && !p.secret && plainValue(h[i].Value) {
			p.value = lesser(p.value, h[i].Value)
		}
	}
}

// caredFor reports whether an API decides by a header field, rather than
// programs on the way or browsers.
func caredFor(name string) bool {
	l := strings.ToLower(name)
	switch l {
	case "if-match", "if-none-match", "if-unmodified-since", "if-modified-since", "idempotency-key", "prefer":
		return true
	}
	if !strings.HasPrefix(l, "x-") || keyHeader(name) || len(l) > 60 || !headerWord.MatchString(name) {
		return false
	}
	for _, p := range []string{"x-forwarded", "x-real-", "x-request", "x-correlation", "x-b3-", "x-amz", "x-amzn", "x-client-data", "x-http-method", "x-original", "x-parley", "x-cloud", "x-envoy", "x-datadog", "x-trace", "x-vercel", "x-azure", "x-original-"} {
		if strings.HasPrefix(l, p) {
			return false
		}
	}
	return true
}

// requestBody notes a request's body and returns it decoded.
func (l *Learner) requestBody(c *cell, x *exchange.Exchange, status int) (body any, form []parameter) {
	b := &x.Request.Body
	if b.IsZero() || len(b.Data) == 0 && b.Size == 0 {
		return nil, nil
	}
	mt := x.Request.Header.MediaType()
	if mt == "" {
		mt = "application/octet-stream"
		if t := bytes.TrimLeft(b.Data, " \t\r\n"); len(t) > 0 && (t[0] == '{' || t[0] == '[') {
			mt = "application/json"
		}
	}
	if len(mt) > 100 || strings.Count(mt, "/") != 1 {
		return nil, nil
	}
	if !sound(status) {
		// Of a body with a mistake only its type is believed.
		if known := contract.IsJSON(mt) || mt == "application/x-www-form-urlencoded"; known && (status == 400 || status == 422) {
			c.requests.at(mt, newContent)
		}
		return nil, nil
	}
	c.bodies++
	content, kept := c.requests.at(mt, newContent)
	if !kept {
		return nil, nil
	}
	content.count++
	switch {
	case !b.Complete() || len(b.Data) > maxBody:
		c.unread++
		l.left.bodies++
	case contract.IsJSON(mt):
		if v, ok := parse(b.Data); ok {
			l.shapeOf(content, v)
			c.login = c.login || hasPassword(v)
			return v, nil
		}
	case mt == "application/x-www-form-urlencoded":
		form = queryOf(string(b.Data))
		o := map[string]any{}
		for _, p := range form {
			if p.value == "" {
				o[p.name] = "" // masked or not, there is nothing to keep
			} else {
				o[p.name] = lexical(p.value)
			}
		}
		l.shapeOf(content, o)
		c.login = c.login || hasPassword(o)
	}
	return nil, form
}

func newContent() *content { return &content{} }

func hasPassword(v any) bool {
	o, _ := v.(map[string]any)
	for name := range o {
		if strings.Contains(strings.ToLower(name), "password") || strings.EqualFold(name, "client_secret") || strings.EqualFold(name, "refresh_token") {
			return len(o) <= 6
		}
	}
	return false
}

func (l *Learner) shapeOf(c *content, v any) {
	if c.shape == nil {
		if l.shapes.full() {
			l.shapes.left++
			return
		}
		c.shape = l.shapes.fresh()
	}
	l.shapes.add(c.shape, v, 0)
}

// reply notes a response's body and returns it decoded, if it was a success.
func (l *Learner) reply(c *cell, r *exchange.Response, method string, status int) any {
	media := c.replies[status]
	if media == nil {
		if status < 100 || status > 599 {
			return nil
		}
		media = newLeast[*content](maxMedia)
		c.replies[status] = media
	}
	mt := r.Header.MediaType()
	if method == "HEAD" || status == 204 || status == 304 || mt == "" || len(mt) > 100 || strings.Count(mt, "/") != 1 || r.Body.IsZero() && !strings.HasPrefix(mt, "text/event-stream") {
		return nil
	}
	content, kept := media.at(mt, newContent)
	if !kept {
		return nil
	}
	content.count++
	data, ok := plainBody(r)
	if !ok {
		c.unread++
		l.left.bodies++
		return nil
	}
	switch {
	case contract.IsJSON(mt):
		v, ok := parse(data)
		if !ok {
			return nil
		}
		l.shapeOf(content, v)
		if status < 300 {
			l.harvest(v, 0)
			return v
		}
	case strings.Contains(mt, "html") || strings.Contains(mt, "javascript") || strings.Contains(mt, "ecmascript"):
		if status < 300 {
			l.readLinks(string(data))
		}
	}
	return nil
}

// harvest notes words of an answer that may stand in paths, with the members
// that they stood in.
func (l *Learner) harvest(v any, depth int) {
	if depth > 6 {
		return
	}
	switch v := v.(type) {
	case []any:
		for i, e := range v {
			if i == 1000 {
				return
			}
			l.harvest(e, depth+1)
		}
	case map[string]any:
		for name, e := range v {
			if s, ok := e.(string); ok {
				l.value(s, name)
			} else {
				l.harvest(e, depth+1)
			}
		}
	}
}

func (l *Learner) value(v, member string) {
	if len(v) > 64 || !slug.MatchString(v) || digits.MatchString(v) || len(member) > 60 {
		return
	}
	if in, kept := l.values.at(v, func() *least[bool] { return newLeast[bool](12) }); kept {
		in.at(plainWord(member), yes)
	}
}

// Left says in one line what was not learnt for want of room; empty when
// nothing was left out.
func (l *Learner) Left() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var parts []string
	say := func(n int, what string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, what))
		}
	}
	say(l.left.paths, "requests on paths beyond the first 4,000")
	say(l.left.bodies, "bodies that were cut off or larger than 1 MiB")
	say(l.left.odd, "requests with unknown methods, or ambiguous or overlong paths")
	say(l.shapes.left, "places too deep in bodies or beyond the first 60,000")
	if l.misses.over {
		parts = append(parts, "failures on paths beyond 1,000")
	}
	if len(parts) == 0 {
		return ""
	}
	return "left out: " + strings.Join(parts, ", ")
}

// Empty reports whether nothing was learnt yet.
func (l *Learner) Empty() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen == 0
}

// Hosts are the hosts that were asked, sorted, up to 20.
func (l *Learner) Hosts() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Sorted(maps.Keys(l.hosts.m)), func(h string) bool { return h == "" })
}
