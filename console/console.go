// Package console shows it all in a browser; it returns one http.Handler.
//
// The console is a target: what it shows was sent by strangers, and who can
// read it can read other people's calls. The rules, all in this package:
//
//   - A request is answered only when its Host is a loopback name or address
//     with the listener's own port (rebinding), and a session was opened with
//     the one-time token of the start address.
//   - GET and HEAD change nothing; what changes something is a POST whose
//     Origin and Sec-Fetch-Site are ours.
//   - What was captured leaves as JSON and is put on the page as text. The
//     Content-Security-Policy allows no inline script or style and, by
//     Trusted Types without any policy, no markup made from strings.
//   - Everything has a limit: rows, bodies, filters, streams, sessions.
//
// The web client is in web (TypeScript), built into dist by
// internal/webbuild (`make ui`), and embedded from there.
package console

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/store"
)

// Options say what a console shows.
type Options struct {
	// Store is what is shown. It stays its owner's, who closes it.
	Store *store.Store
	// Contract is what the API promises. Nil: the page on it says how to
	// give one.
	Contract *contract.Contract
	// Attacks returns the before-and-after table. Nil: there is none, and
	// the console opens on the traffic.
	Attacks func() []Attack
	// Mode is guard's mode; empty when no guard is running.
	Mode contract.Mode
	// Since is where the store stood when guard was started: what guard did
	// is counted from there. Zero counts everything ever recorded.
	Since store.Cursor
	// Open and Guarded are the addresses of the API without and with guard,
	// such as "http://127.0.0.1:9000". Either may be empty.
	Open, Guarded string
	// CA is the certificate file that clients of Guarded need, as the lines
	// to paste name it. Empty when they need none.
	CA string
	// Title names what is looked at. Empty means the contract's title.
	Title string
	// Version of the program, shown in the corner.
	Version string
	// Hosts are further values that Host may have, port included. They are
	// needed only for a listener that is not on loopback, and are then
	// accepted over TLS only. Nil: the loopback names and addresses.
	Hosts []string
	// Client lets the pages Trace and Compose make calls. Nil: the console only
	// shows what others made.
	Client *Client
	// Scans are the addresses that are, or can be, scanned. None: the pages
	// Findings and Access show how to.
	Scans []Scan
	// Learnt is what was learnt of the API. Nil: the page Learn shows how to.
	Learnt *Learnt
	// Collections is the folder that Compose keeps collections in; it is made
	// when the first one is saved. Empty keeps none.
	Collections string

	source source // instead of Store, in tests
}

// A Console is the handler. It holds sessions in memory: they end with it.
type Console struct {
	o       Options
	source  source
	explain func(string) *Explanation
	mux     *http.ServeMux
	doors   doors
	counts  *counts       // nil: the store's own, of everything
	streams chan struct{} // one place per open event stream
	busy    chan struct{} // one place per query that the store works on
	calling chan struct{} // the one place for calls of the console's own
	saving  sync.Mutex

	scanning scanning
	observed observed

	key     []byte // for the placeholders of a collection's secrets
	closing context.Context
	close   context.CancelFunc
}

// Limits of what one console does at a time.
const (
	maxStreams  = 16
	maxQueries  = 8
	maxTarget   = 8 << 10 // bytes of path and query
	maxFilter   = 2 << 10
	maxRows     = 1000
	bodyShown   = 256 << 10 // bytes of a body that are sent unless asked for more
	bodyMost    = 8 << 20
	maxLinked   = 20
	queryPeriod = 15 * time.Second
)

// posts are the paths that change something, or make calls, each with how many
// bytes it takes. All others are for reading.
var posts = map[string]int64{
	"/api/logout":         1 << 10,
	"/api/trace":          16 << 10,
	"/api/scan/start":     1 << 10,
	"/api/scan/stop":      1 << 10,
	"/api/compose/save":   maxCollection,
	"/api/compose/import": 2 * maxCollection,
	"/api/compose/curl":   maxCollection,
	"/api/compose/send":   maxCollection,
	"/api/compose/run":    maxCollection,
}

// New makes a console. Its first token is already valid; see StartPath.
func New(o Options) (*Console, error) {
	c := &Console{o: o, source: o.source, explain: explain}
	if o.Store != nil {
		c.source = o.Store
	}
	if c.source == nil {
		return nil, errors.New("console: no store to show")
	}
	c.streams = make(chan struct{}, maxStreams)
	c.busy = make(chan struct{}, maxQueries)
	c.calling = make(chan struct{}, 1)
	c.observed = observed{turn: make(chan struct{}, 1), follow: follower{filter: observedFilter, most: maxObserved}}
	c.key = make([]byte, 32)
	rand.Read(c.key)
	c.closing, c.close = context.WithCancel(context.Background())
	if o.Since > 0 {
		c.counts = newCounts(o.Since)
	}

	m := http.NewServeMux()
	m.HandleFunc("GET /api/about", c.about)
	m.HandleFunc("GET /api/rows", c.rows)
	m.HandleFunc("GET /api/exchanges/{id}", c.exchange)
	m.HandleFunc("GET /api/actions", c.actions)
	m.HandleFunc("GET /api/attacks", c.attacks)
	m.HandleFunc("GET /api/stats", c.stats)
	m.HandleFunc("GET /api/contract", c.contract)
	m.HandleFunc("GET /api/checks", c.checks)
	m.HandleFunc("GET /api/filter", c.readable)
	m.HandleFunc("GET /api/report", c.report)
	m.HandleFunc("GET /api/live", c.live)
	m.HandleFunc("GET /api/scan", c.scans)
	m.HandleFunc("GET /api/scan/findings", c.findings)
	m.HandleFunc("GET /api/scan/access", c.matrix)
	m.HandleFunc("GET /api/scan/live", c.scanLive)
	m.HandleFunc("POST /api/scan/start", c.startScan)
	m.HandleFunc("POST /api/scan/stop", c.stopScan)
	m.HandleFunc("GET /api/observed", c.observedFindings)
	m.HandleFunc("GET /api/learnt", c.learnt)
	m.HandleFunc("GET /api/example", c.example)
	m.HandleFunc("GET /api/learnt/openapi", c.learntDescription)
	m.HandleFunc("GET /api/trace/{id}", c.traced)
	m.HandleFunc("POST /api/trace", c.traceNow)
	m.HandleFunc("GET /api/collections", c.collections)
	m.HandleFunc("GET /api/collections/{file}", c.collection)
	m.HandleFunc("GET /api/compose/from/{id}", c.fromExchange)
	m.HandleFunc("POST /api/compose/save", c.save)
	m.HandleFunc("POST /api/compose/import", c.importFile)
	m.HandleFunc("POST /api/compose/curl", c.curl)
	m.HandleFunc("POST /api/compose/send", c.send)
	m.HandleFunc("POST /api/compose/run", c.runAll)
	m.HandleFunc("POST /api/logout", c.logout)
	m.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		problem(w, http.StatusNotFound, "there is nothing at this address")
	})
	c.mux = m
	return c, nil
}

// Close ends the event streams, and the scan that runs; see WaitScans. Requests after it are still answered.
func (c *Console) Close() { c.close() }

// StartPath returns the path of the start address with a token that opens one
// session, such as "/?token=…". Every call makes a new token; those that were
// not used yet stay valid, at most eight.
func (c *Console) StartPath() string { return "/?token=" + c.doors.newToken() }

// ServeHTTP answers one request.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	head(w.Header())
	if len(r.RequestURI) > maxTarget {
		problem(w, http.StatusRequestURITooLong, "the address is too long")
		return
	}
	if why := c.misdirected(r); why != "" {
		problem(w, http.StatusForbidden, why)
		return
	}
	if why := foreign(r); why != "" {
		problem(w, http.StatusForbidden, why)
		return
	}
	if _, ok := assets()[r.URL.Path]; ok || r.URL.Path == "/" {
		c.page(w, r)
		return
	}
	if !strings.HasPrefix(r.URL.Path, "/api/") {
		problem(w, http.StatusNotFound, "there is nothing at this address")
		return
	}
	allow := "GET, HEAD"
	most, post := posts[r.URL.Path]
	if post {
		allow = "POST"
	}
	if !slices.Contains(strings.Split(allow, ", "), r.Method) {
		w.Header().Set("Allow", allow)
		problem(w, http.StatusMethodNotAllowed, "this address does not offer that method")
		return
	}
	if !c.doors.known(r) {
		problem(w, http.StatusUnauthorized, "no session: open the console by its one-time address")
		return
	}
	if r.Method == http.MethodPost {
		if why := notOurs(r); why != "" {
			problem(w, http.StatusForbidden, why)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, most)
	}
	c.mux.ServeHTTP(w, r)
}

// query runs f with a deadline when the store has a place free.
func (c *Console) query(w http.ResponseWriter, r *http.Request, f func(context.Context) error) bool {
	ctx, cancel := context.WithTimeout(r.Context(), queryPeriod)
	defer cancel()
	select {
	case c.busy <- struct{}{}:
		defer func() { <-c.busy }()
	case <-ctx.Done():
		problem(w, http.StatusServiceUnavailable, "the store is busy with other questions")
		return false
	}
	err := f(ctx)
	switch {
	case err == nil:
		return true
	case errors.Is(err, store.ErrNotFound):
		problem(w, http.StatusNotFound, "no such exchange: it may have been deleted")
	case errors.Is(err, context.DeadlineExceeded):
		problem(w, http.StatusServiceUnavailable, "the store did not answer in time; a narrower filter may help")
	default:
		problem(w, http.StatusInternalServerError, err.Error())
	}
	return false
}

// An Attack is one line of the before-and-after table: the same request on the
// open address and on the guarded one.
type Attack struct {
	// Name says what the attacker wants: "read another's order".
	Name string `json:"name"`
	// Check is the ID of the check for it.
	Check string `json:"check"`
	// Request is its request line: "GET /v1/orders/887".
	Request string `json:"request"`
	// As is who sends it; empty for nobody.
	As string `json:"as,omitempty"`
	// Why says in one sentence what is wrong with it.
	Why string `json:"why"`
	// Conversation are the numbers of the facts that it breaks.
	Conversation []int `json:"conversation,omitempty"`

	Open    Played `json:"open"`
	Guarded Played `json:"guarded"`
}

// Played is what came of an attack on one address.
type Played struct {
	// ID is the exchange, on the client's side.
	ID     exchange.ID `json:"id,omitempty"`
	Status int         `json:"status,omitempty"`
	// Outcome is "worked", "refused", "filtered", "repaired" or "failed";
	// empty while it has not been played yet.
	Outcome string `json:"outcome"`
	// Says is the outcome in a word or two: "gone", "2 members removed".
	Says string `json:"says,omitempty"`
}
