// Package stage is what every peer of the benchmark is given: the same API,
// messages, people, keys, certificates and upstream.
package stage

import (
	"bytes"
	"fmt"
	"strings"
)

// The sizes of what travels. BodySize is the size of an order that is posted,
// ObjectSize of one that is answered, before anything is filtered out of it.
const (
	BodySize   = 929
	ObjectSize = 1024
)

// People is how many subjects there are, each with a token of its own. All
// have six digits, so that all messages have one size.
const (
	People    = 1000
	firstID   = 100000
	Issuer    = "https://login.example"
	Audience  = "orders"
	ServerTLS = "localhost"
)

// Subject is the i-th person's number. The order that belongs to them has the
// same number, so that the upstream can say whose an order is without a
// database: ownership differs from token to token and really holds.
func Subject(i int) int { return firstID + i%People }

// Undeclared are members that the upstream answers and the contract does not
// name. Whoever filters must drop them; whoever does not must pass them.
var Undeclared = []string{`"internal_notes"`, `"fraud_score"`, `"supplier_cost"`}

// Body is an order as the i-th person posts it; extra goes in as one more
// member when it is not empty.
func Body(i int, extra string) []byte {
	address := func(name string) string {
		return `{"name":"` + name + `","street":"14 Residency Road","city":"Bengaluru","postcode":"560025","country":"IN","phone":"+918041234567"}`
	}
	s := fmt.Sprintf(`{"user_id":%d,"currency":"INR","reference":"PO-2026-000117","priority":"standard",`, Subject(i)) +
		`"shipping":` + address("Priya Sharma") + `,"billing":` + address("Rajan Sharma") + `,"items":[` +
		`{"product_id":1201,"sku":"KB-75-BROWN","quantity":1,"unit_price":749900,"gift":false},` +
		`{"product_id":1377,"sku":"MOUSE-02","quantity":2,"unit_price":129900,"gift":false},` +
		`{"product_id":2004,"sku":"CABLE-USB-C","quantity":3,"unit_price":49900,"gift":true},` +
		`{"product_id":2093,"sku":"DESK-MAT-L","quantity":1,"unit_price":89900,"gift":false}],` +
		`"tags":["office","q4"],"comment":"`
	const end = `"}`
	s += pad(BodySize-len(s)-len(end)) + end
	if extra != "" {
		s = strings.TrimSuffix(s, "}") + "," + extra + "}"
	}
	return []byte(s)
}

// object is an answered order, with what stands for its number.
func object(id string) string {
	s := `{"id":` + id + `,"user_id":` + id + `,"status":"pending","currency":"INR","reference":"PO-2026-000117",` +
		`"total":1249300,"created_at":"2026-11-20T09:30:00Z","internal_notes":"customer called twice, offer 10 percent",` +
		`"fraud_score":0.07,"shipping":{"name":"Priya Sharma","street":"14 Residency Road","city":"Bengaluru","postcode":"560025","country":"IN","phone":"+918041234567"},` +
		`"items":[{"product_id":1201,"sku":"KB-75-BROWN","quantity":1,"unit_price":749900,"name":"Keyboard","supplier_cost":512000},` +
		`{"product_id":1377,"sku":"MOUSE-02","quantity":2,"unit_price":129900,"name":"Mouse"},` +
		`{"product_id":2004,"sku":"CABLE-USB-C","quantity":3,"unit_price":49900,"name":"Cable"},` +
		`{"product_id":2093,"sku":"DESK-MAT-L","quantity":1,"unit_price":89900,"name":"Desk mat"}],` +
		`"tags":["office","q4"],"comment":"`
	const end = `"}`
	size := len(s) + 2*(len("100000")-len(id))
	return s + pad(ObjectSize-size-len(end)) + end
}

// pad is n bytes of the kind of text that people write.
func pad(n int) string {
	const text = "Please ring at the side gate and leave it with the guard if nobody answers. "
	return strings.Repeat(text, n/len(text)+1)[:n]
}

// An Exchange is a request, ready to be written, and what must come back.
type Exchange struct {
	Request []byte
	Status  int
	// Has must be in the body.
	Has []byte
}

// Get is the i-th person reading their order with a token.
func Get(i int, token string) Exchange {
	return get(Subject(i), token)
}

func get(id int, token string) Exchange {
	var b bytes.Buffer
	fmt.Fprintf(&b, "GET /v1/orders/%d HTTP/1.1\r\nHost: %s\r\nUser-Agent: parley-bench/1\r\nAccept: application/json\r\n", id, ServerTLS)
	if token != "" {
		fmt.Fprintf(&b, "Authorization: Bearer %s\r\n", token)
	}
	b.WriteString("\r\n")
	return Exchange{Request: b.Bytes(), Status: 200, Has: fmt.Appendf(nil, `"user_id":%d`, id)}
}

// Post is the i-th person posting an order with a token.
func Post(i int, token string) Exchange { return post(Body(i, ""), token) }

func post(body []byte, token string) Exchange {
	var b bytes.Buffer
	fmt.Fprintf(&b, "POST /v1/orders HTTP/1.1\r\nHost: %s\r\nUser-Agent: parley-bench/1\r\nAccept: application/json\r\n"+
		"Authorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", ServerTLS, token, len(body))
	b.Write(body)
	return Exchange{Request: b.Bytes(), Status: 201, Has: fmt.Appendf(nil, `"user_id":%d`, firstID)}
}

// Hostile are the requests that a peer with all checks must refuse, by name.
// It is asked of each before it is measured: a fast peer that does not check
// is no peer.
func Hostile(tokens []string) map[string]Exchange {
	broken := []byte(tokens[0])
	at := len(broken) - 20
	if broken[at]++; broken[at] == '{' || broken[at] == '[' || broken[at] == ':' || broken[at] == '`' || broken[at] == '.' {
		broken[at] = 'A'
	}
	return map[string]Exchange{
		"no token":           get(Subject(0), ""),
		"broken token":       get(Subject(0), string(broken)),
		"undeclared member":  post(Body(0, `"role":"admin"`), tokens[0]),
		"somebody else's id": get(Subject(1), tokens[0]),
		"for somebody else":  post(Body(1, ""), tokens[0]),
	}
}
