package learn

import (
	"maps"
	"math"
	"slices"
	"strings"
)

// Bounds of one operation.
const (
	maxPath      = 2000
	maxSegments  = 24
	maxValue     = 100 // bytes of a value that is compared
	maxParams    = 60
	maxCallers   = 24
	maxGroups    = 16
	maxRelations = 200
	maxMedia     = 8
)

// A cell is what was seen of one method on one path, or on several that turned
// out to be one. Cells can be added to each other in any order.
type cell struct {
	count    int
	statuses map[int]int
	carriers map[carrier]*tally
	callers  *least[*callerSeen]
	query    *least[*param]
	headers  *least[*param]
	requests *least[*content]         // by media type
	replies  map[int]*least[*content] // by status, then media type
	bodies   int                      // accepted requests with a body
	taken    int                      // accepted requests
	unread   int                      // bodies that were too large or cut off
	objects  map[string]int           // successful JSON answers with an object, by group of callers
	relation *least[*relation]        // what was compared with the caller
	setters  *least[map[string]int]   // member of a request body: group, times taken
	writers  map[string]int           // group: successful requests with a JSON object
	groups   map[string]int           // of callers whose requests succeeded
	barred   map[string]int           // of callers who were answered 403
	example  *example
	sent     []*example // of bodies, one of each form, the best first
	places   []*shape   // what stood in each segment of the path
	login    bool       // a password was sent, or the path says that tokens are given out
}

// tally counts what became of requests.
type tally struct{ ok, refused, failed int }

type callerSeen struct {
	id    string // the subject
	name  string
	roles []string
	tally
}

type param struct {
	count  int
	repeat bool
	shape  *shape
	value  string // the least that was seen, for an example
	secret bool
}

type content struct {
	count int
	shape *shape // nil when it is not JSON
}

func newCell() *cell {
	return &cell{
		statuses: map[int]int{}, carriers: map[carrier]*tally{}, callers: newLeast[*callerSeen](maxCallers),
		query: newLeast[*param](maxParams), headers: newLeast[*param](maxParams),
		requests: newLeast[*content](maxMedia), replies: map[int]*least[*content]{}, objects: map[string]int{},
		relation: newLeast[*relation](maxRelations), setters: newLeast[map[string]int](maxParams), writers: map[string]int{}, groups: map[string]int{}, barred: map[string]int{},
	}
}

func (t *tally) add(o *tally) { t.ok += o.ok; t.refused += o.refused; t.failed += o.failed }

// merge adds what o holds; o is not changed.
func (b *shapes) mergeCell(c, o *cell) {
	c.count += o.count
	c.bodies += o.bodies
	c.taken += o.taken
	c.unread += o.unread
	c.login = c.login || o.login
	addCounts(c.statuses, o.statuses)
	addCounts(c.objects, o.objects)
	addCounts(c.writers, o.writers)
	addCounts(c.groups, o.groups)
	addCounts(c.barred, o.barred)
	for i, p := range o.places {
		if len(c.places) <= i {
			c.places = append(c.places, &shape{min: math.Inf(1), formats: allFormats})
		}
		b.merge(c.places[i], p)
	}
	for k, t := range o.carriers {
		if c.carriers[k] == nil {
			c.carriers[k] = &tally{}
		}
		c.carriers[k].add(t)
	}
	joinLeast(c.callers, o.callers, func() *callerSeen { return &callerSeen{} }, func(to, from *callerSeen) {
		to.id, to.name, to.roles = from.id, from.name, from.roles
		to.tally.add(&from.tally)
	})
	joinParam := func(to, from *param) {
		to.count += from.count
		to.repeat = to.repeat || from.repeat
		to.secret = to.secret || from.secret
		to.value = lesser(to.value, from.value)
		b.merge(to.shape, from.shape)
	}
	joinLeast(c.query, o.query, b.freshParam, joinParam)
	joinLeast(c.headers, o.headers, b.freshParam, joinParam)
	joinLeast(c.requests, o.requests, func() *content { return &content{} }, b.joinContent)
	for status, m := range o.replies {
		if c.replies[status] == nil {
			c.replies[status] = newLeast[*content](maxMedia)
		}
		joinLeast(c.replies[status], m, func() *content { return &content{} }, b.joinContent)
	}
	joinLeast(c.relation, o.relation, newRelation, func(to, from *relation) { to.merge(from) })
	joinLeast(c.setters, o.setters, func() map[string]int { return map[string]int{} }, addCounts[string])
	if o.example != nil && (c.example == nil || o.example.before(c.example)) {
		c.example = o.example
	}
	for _, e := range o.sent {
		c.sent = keepForm(c.sent, e)
	}
}

func (b *shapes) joinContent(to, from *content) {
	to.count += from.count
	if from.shape != nil {
		if to.shape == nil {
			to.shape = b.fresh()
		}
		b.merge(to.shape, from.shape)
	}
}

func (b *shapes) freshParam() *param { return &param{shape: b.fresh()} }

func addCounts[K comparable](to, from map[K]int) {
	for k, n := range from {
		to[k] += n
	}
}

func joinLeast[V any](to, from *least[V], fresh func() V, join func(to, from V)) {
	to.over = to.over || from.over
	for _, k := range slices.Sorted(maps.Keys(from.m)) {
		if v, ok := to.at(k, fresh); ok {
			join(v, from.m[k])
		}
	}
}

// lesser is the text that comes first, the shorter one, or the one that is
// there.
func lesser(a, b string) string {
	switch {
	case a == "", b != "" && (len(b) < len(a) || len(b) == len(a) && b < a):
		return b
	}
	return a
}

// count adds to a map of groups, of which there are not to be too many.
func countGroup(m map[string]int, group string) {
	if _, there := m[group]; there || len(m) < maxGroups {
		m[group]++
	} else {
		m[stranger]++
	}
}

// succeeded reports whether any request was answered with success, or was never
// sent, only written down.
func (c *cell) succeeded() bool {
	for s := range c.statuses {
		if s == written || s >= 200 && s < 400 || s == 101 {
			return true
		}
	}
	return false
}

// written stands for the status of a request that nobody answered: it is from
// a collection.
const written = 0

// givesTokens reports whether an operation's path is one where tokens are what
// is asked for.
func givesTokens(segments []string) bool {
	for _, s := range segments {
		l := strings.ToLower(s)
		for _, w := range []string{"login", "signin", "session", "token", "oauth", "auth", "refresh", "apikey", "api-key", "api_key", "jwks"} {
			if strings.Contains(l, w) {
				return true
			}
		}
	}
	return false
}
