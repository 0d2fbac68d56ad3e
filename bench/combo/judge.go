package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

const maxBody = 1 << 20

// A judge decides on requests and on answers.
type judge struct {
	tokens          *tokens
	newOrder, order *jsonschema.Schema
	keep            *members // of an order, as declared
	onRequest       cel.Program
	onResponse      cel.Program
	pool            sync.Pool // of *bytes.Buffer
}

// A refusal is an answer of ours.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string { return r.text }

type callerKey struct{}

func newJudge(api, jwks, issuer, audience string) (*judge, error) {
	data, err := os.ReadFile(api)
	if err != nil {
		return nil, err
	}
	var doc any
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, err
	}
	// The compiler wants what encoding/json would make of it.
	if data, err = json.Marshal(doc); err != nil {
		return nil, err
	}
	if doc, err = jsonschema.UnmarshalJSON(bytes.NewReader(data)); err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("api.json", doc); err != nil {
		return nil, err
	}
	j := &judge{pool: sync.Pool{New: func() any { return new(bytes.Buffer) }}}
	if j.newOrder, err = c.Compile("api.json#/components/schemas/NewOrder"); err != nil {
		return nil, err
	}
	if j.order, err = c.Compile("api.json#/components/schemas/Order"); err != nil {
		return nil, err
	}
	j.keep = declared(j.order)
	if j.tokens, err = newTokens(jwks, issuer, audience); err != nil {
		return nil, err
	}
	env, err := cel.NewEnv(cel.Variable("caller", cel.IntType), cel.Variable("user_id", cel.IntType))
	if err != nil {
		return nil, err
	}
	program := func(text string) (cel.Program, error) {
		ast, issues := env.Compile(text)
		if issues.Err() != nil {
			return nil, issues.Err()
		}
		return env.Program(ast)
	}
	if j.onRequest, err = program("user_id == caller"); err != nil {
		return nil, err
	}
	j.onResponse, err = program("user_id == caller")
	return j, err
}

// admit judges a request before it is passed on.
func (j *judge) admit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, err := j.tokens.verify(r.Header.Get("Authorization"))
		if err != nil {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "unauthorized", http.StatusUnauthorized)
			return
		}
		id, isObject := strings.CutPrefix(r.URL.Path, "/v1/orders/")
		switch {
		case isObject && r.Method == http.MethodGet:
			if n, err := strconv.ParseInt(id, 10, 64); err != nil || n < 1 {
				http.Error(w, "not found", http.StatusNotFound)
				return
			}
		case r.URL.Path == "/v1/orders" && r.Method == http.MethodPost:
			body, err := j.admitOrder(r, caller)
			if err != nil {
				j.failed(w, r, err)
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
		default:
			http.Error(w, "not found", http.StatusNotFound)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, caller)))
	})
}

// admitOrder returns the request's body. It is not from the pool, because the
// transport may still be reading it when the answer is on its way.
func (j *judge) admitOrder(r *http.Request, caller int64) ([]byte, error) {
	if r.Header.Get("Content-Type") != "application/json" {
		return nil, &refusal{http.StatusUnsupportedMediaType, "content type"}
	}
	if r.ContentLength < 0 {
		return nil, &refusal{http.StatusLengthRequired, "length required"}
	}
	if r.ContentLength > maxBody {
		return nil, &refusal{http.StatusRequestEntityTooLarge, "too large"}
	}
	raw := make([]byte, r.ContentLength)
	if _, err := io.ReadFull(r.Body, raw); err != nil {
		return nil, err
	}
	body, err := decode(raw)
	if err != nil {
		return nil, &refusal{http.StatusBadRequest, "malformed"}
	}
	if err := j.newOrder.Validate(body); err != nil {
		return nil, &refusal{http.StatusBadRequest, "invalid"}
	}
	if !allows(j.onRequest, caller, body) {
		return nil, &refusal{http.StatusForbidden, "forbidden"}
	}
	return raw, nil
}

// release judges an answer before it leaves.
func (j *judge) release(r *http.Response) error {
	if r.StatusCode/100 != 2 {
		return nil
	}
	buf := j.buffer()
	defer j.pool.Put(buf)
	_, err := buf.ReadFrom(io.LimitReader(r.Body, maxBody+1))
	r.Body.Close()
	if err != nil {
		return err
	}
	if buf.Len() > maxBody {
		return &refusal{http.StatusBadGateway, "too large"}
	}
	body, err := decode(buf.Bytes())
	if err != nil {
		return &refusal{http.StatusBadGateway, "malformed answer"}
	}
	j.keep.filter(body)
	if err := j.order.Validate(body); err != nil {
		return &refusal{http.StatusBadGateway, "invalid answer"}
	}
	caller, ok := r.Request.Context().Value(callerKey{}).(int64)
	if r.Request.Method == http.MethodGet && (!ok || !allows(j.onResponse, caller, body)) {
		return &refusal{http.StatusForbidden, "forbidden"}
	}
	out, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(out))
	r.ContentLength = int64(len(out))
	r.Header.Set("Content-Length", strconv.Itoa(len(out)))
	return nil
}

func (j *judge) failed(w http.ResponseWriter, _ *http.Request, err error) {
	var ref *refusal
	if errors.As(err, &ref) {
		http.Error(w, ref.text, ref.status)
		return
	}
	http.Error(w, "bad gateway", http.StatusBadGateway)
}

func (j *judge) buffer() *bytes.Buffer {
	b := j.pool.Get().(*bytes.Buffer)
	b.Reset()
	return b
}

// decode keeps numbers as they are written, or they would be changed when
// they are written again.
func decode(data []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("data after the value")
	}
	return v, nil
}

func allows(p cel.Program, caller int64, body any) bool {
	object, _ := body.(map[string]any)
	number, _ := object["user_id"].(json.Number)
	owner, err := number.Int64()
	if err != nil {
		return false
	}
	v, _, err := p.Eval(map[string]any{"caller": caller, "user_id": owner})
	if err != nil {
		return false
	}
	ok, _ := v.Value().(bool)
	return ok
}

// members are those that a schema declares, with what they hold.
type members struct {
	of    map[string]*members
	items *members
}

// declared reads them off a compiled schema.
func declared(s *jsonschema.Schema) *members {
	for s != nil && s.Ref != nil {
		s = s.Ref
	}
	if s == nil {
		return nil
	}
	m := &members{}
	if s.Items2020 != nil {
		m.items = declared(s.Items2020)
	}
	if len(s.Properties) > 0 {
		m.of = map[string]*members{}
		for name, sub := range s.Properties {
			m.of[name] = declared(sub)
		}
	}
	return m
}

// filter drops the members that are not declared.
func (m *members) filter(v any) {
	switch v := v.(type) {
	case map[string]any:
		if m == nil || m.of == nil {
			return
		}
		for name, value := range v {
			sub, ok := m.of[name]
			if !ok {
				delete(v, name)
				continue
			}
			sub.filter(value)
		}
	case []any:
		if m == nil || m.items == nil {
			return
		}
		for _, value := range v {
			m.items.filter(value)
		}
	}
}
