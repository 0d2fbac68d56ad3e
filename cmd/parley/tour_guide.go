package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/parley-project/parley/example/play"
	"github.com/parley-project/parley/example/shop"
	"github.com/parley-project/parley/exchange"
)

// tourWidth is how wide the tour is written.
const tourWidth = 80

// A guide tells what happens, in lines of at most tourWidth columns.
type guide struct {
	w      io.Writer
	colour bool
	keys   *bufio.Reader // nil: it does not stop
}

func (g *guide) heading(n int, s tourStop) {
	fmt.Fprintf(g.w, "%s\n\n", g.in(bold, fmt.Sprintf("%d. %s", n, s.title)))
}

func (g *guide) why(s tourStop) {
	g.wrap("", s.why)
	var ns []string
	for _, n := range s.facts {
		ns = append(ns, strconv.Itoa(n))
	}
	g.wrap("", "("+strings.Join(ns, ", ")+" of the conversation; parley explain "+s.checks[0]+")")
	fmt.Fprintln(g.w)
}

func (g *guide) end() {
	fmt.Fprint(g.w, "All of it in the browser, request by request, on both sides:\n\n  parley up\n")
}

// visit asks one request on both sides and tells what came of it.
func (g *guide) visit(ctx context.Context, s *scenery, r tourRequest) error {
	open, _, err := s.ask(ctx, s.open, "http://"+localhost(s.staged.at.Addr()), r)
	if err != nil {
		return err
	}
	g.request(r, open)
	g.side("open", red, "", open, nil, r.tell)
	versions := []string{""}
	if r.versions {
		versions = []string{"HTTP/1.1", "HTTP/2", "HTTP/3"}
	}
	for _, v := range versions {
		client, base := s.guarded[v], s.stand.url()
		if r.plain {
			client, base = s.open, s.plainURL()
		}
		answer, x, err := s.ask(ctx, client, base, r)
		if err != nil {
			return err
		}
		g.side("guarded", green, v, answer, x, r.tell)
	}
	fmt.Fprintln(g.w)
	return nil
}

// ask plays a request on one side. What guard did is returned with the answer
// if guard was asked.
func (s *scenery) ask(ctx context.Context, client *http.Client, base string, r tourRequest) (play.Response, *exchange.Exchange, error) {
	var name string
	runner, err := play.NewRunner(client, base, s.staged.keys, func(q *http.Request) {
		name = "tour-" + string(exchange.NewID(startOf()))
		q.Header.Set("X-Request-Id", name)
		s.seen.expect(name)
	})
	if err != nil {
		return play.Response{}, nil, err
	}
	for _, step := range r.before {
		answer, err := runner.Send(ctx, step)
		if err != nil {
			return answer, nil, err
		}
		if step.Want != 0 && answer.Status != step.Want {
			return answer, nil, fmt.Errorf("%s %s answered %d, want %d", step.Method, step.Path, answer.Status, step.Want)
		}
	}
	var answer play.Response
	for range max(1, r.times) {
		if answer, err = runner.Send(ctx, r.step); err != nil {
			return answer, nil, err
		}
	}
	if !strings.HasPrefix(base, "https:") && base != s.plainURL() {
		return answer, nil, nil
	}
	x, err := s.seen.wait(ctx, name)
	return answer, x, err
}

// request writes a request as a person would.
func (g *guide) request(r tourRequest, sent play.Response) {
	line := r.step.Method + " " + sent.Step.Path
	switch {
	case r.step.By == shop.InQuery:
		line += "?access_token=" + r.step.As + "'s token"
	case r.plain:
		line = r.step.Method + " http://…" + sent.Step.Path
	}
	if r.note != "" {
		line += "   (" + r.note + ")"
	}
	g.line("  ", line)
	if h := r.step.Host; h != "" {
		g.line("  ", "Host: "+h)
	}
	switch s := r.step; {
	case s.As == "", s.By == shop.InQuery:
	case s.By == shop.Cookie:
		g.line("  ", "Cookie: session="+s.As+"'s token")
	case s.By == shop.Unsigned:
		g.line("  ", "Authorization: Bearer "+s.As+"'s token, alg none, no signature")
	default:
		g.line("  ", "Authorization: Bearer "+s.As+"'s token")
	}
	names := make([]string, 0, len(r.step.Header))
	for name := range r.step.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		g.line("  ", name+": "+r.step.Header[name])
	}
	if r.step.Body != "" {
		g.wrap("  ", strings.ReplaceAll(strings.ReplaceAll(r.step.Body, "{run}", "mallory"), `,"`, `, "`))
	}
	fmt.Fprintln(g.w)
}

// side writes what one side answered: the status, what guard did, and the
// places that tell.
func (g *guide) side(name, colour, version string, a play.Response, x *exchange.Exchange, tell []string) {
	status := fmt.Sprintf("%d %s", a.Status, http.StatusText(a.Status))
	if version != "" {
		status = fmt.Sprintf("%-8s  %s", version, status)
	}
	fmt.Fprintf(g.w, "  %s  %s\n", g.in(colour, fmt.Sprintf("%-7s", name)), status)
	const indent = "           "
	for _, t := range tell {
		if strings.HasPrefix(t, "/") {
			if a.Has(t) {
				g.line(indent, strings.ReplaceAll(t[1:], "/", ".")+": "+shorten(firstLine(a.Text(t)), 48))
			}
			continue
		}
		for _, v := range a.Header.Values(t) {
			if t == "Set-Cookie" { // its attributes matter; its value is a secret
				name, rest, _ := strings.Cut(v, "=")
				_, attributes, _ := strings.Cut(rest, ";")
				v = name + "=…;" + attributes
			}
			g.wrap(indent, t+": "+v)
		}
	}
	if x != nil {
		for _, did := range deeds(x) {
			g.wrap(indent, did)
		}
	}
}

// deeds says what guard did to an exchange, one line each kind.
func deeds(x *exchange.Exchange) []string {
	var out, added, removed []string
	for _, a := range x.Actions {
		switch {
		case a.Kind == exchange.Refused:
			word := "refused by "
			if a.Status < 400 {
				word = "redirected by "
			}
			line := word + a.Check + ": " + a.Evidence.String()
			if a.Rule != "" {
				line += " (" + path.Base(a.Rule) + ")"
			}
			out = append(out, line)
		case a.Kind == exchange.Repaired && a.Where == "header" && a.Says == "added":
			added = append(added, a.Name)
		case a.Kind == exchange.Stripped && a.Where == "response body":
			removed = append(removed, strings.TrimPrefix(a.Name, "/"))
		default:
			out = append(out, map[exchange.ActionKind]string{exchange.Repaired: "repaired", exchange.Stripped: "removed"}[a.Kind]+" by "+a.Check+": "+a.Evidence.String())
		}
	}
	slices.Sort(added)
	slices.Sort(removed)
	if len(removed) > 0 {
		out = append(out, "members removed: "+strings.Join(removed, ", "))
	}
	if len(added) > 0 {
		out = append(out, "headers added: "+strings.Join(added, ", "))
	}
	return out
}

func firstLine(s string) string {
	line, _, more := strings.Cut(s, "\n")
	if more {
		line += " …"
	}
	return line
}

// line writes one line, cut to the width.
func (g *guide) line(indent, text string) {
	fmt.Fprintln(g.w, indent+shorten(text, tourWidth-len(indent)))
}

// wrap writes a text in as many lines as it takes.
func (g *guide) wrap(indent, text string) {
	line := indent
	for word := range strings.FieldsSeq(text) {
		if line != indent && len([]rune(line))+1+len([]rune(word)) > tourWidth {
			fmt.Fprintln(g.w, line)
			line = indent
		}
		if line != indent {
			line += " "
		}
		line += word
	}
	fmt.Fprintln(g.w, line)
}

const bold, red, green = "1", "31", "32"

// in colours a text on a terminal.
func (g *guide) in(colour, text string) string {
	if !g.colour {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// An onlooker keeps the exchanges that somebody waits for, by the X-Request-Id
// of their request.
type onlooker struct {
	mu      sync.Mutex
	waiting map[string]chan *exchange.Exchange
}

func newOnlooker() *onlooker { return &onlooker{waiting: map[string]chan *exchange.Exchange{}} }

func (o *onlooker) expect(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waiting[name] = make(chan *exchange.Exchange, 1)
}

// Record takes the client's side of an exchange that is waited for.
func (o *onlooker) Record(x *exchange.Exchange) {
	if x.Side != exchange.ClientSide {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if c := o.waiting[x.Request.Header.Get("X-Request-Id")]; c != nil {
		select {
		case c <- x:
		default: // one request is one exchange; a second has nothing to add
		}
	}
}

// wait returns the exchange of a request that was expected, once.
func (o *onlooker) wait(ctx context.Context, name string) (*exchange.Exchange, error) {
	o.mu.Lock()
	c := o.waiting[name]
	o.mu.Unlock()
	defer func() {
		o.mu.Lock()
		delete(o.waiting, name)
		o.mu.Unlock()
	}()
	select {
	case x := <-c:
		return x, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
