package call

import (
	"bytes"
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
)

// prove lets auth put its credential into a request, and notes where it went.
func (c *Client) prove(ctx context.Context, auth identity.Auth, x *exchange.Exchange) error {
	q := &x.Request
	had, target := slices.Clone(q.Header), q.Target
	if err := auth.Apply(ctx, q); err != nil {
		if ctx.Err() != nil {
			return brokeAt(exchange.StepRequest, ended(ctx, "getting a credential"), err)
		}
		return brokeAt(exchange.StepRequest, "there is no credential to send: "+err.Error(), err)
	}
	carrier, name := applied(had, target, q)
	if name == "" {
		return nil
	}
	x.Server.Credential = &exchange.Credential{Scheme: auth.Scheme(), Carrier: carrier, Field: name}
	return nil
}

// applied returns where in a request the first thing is that was not there
// before.
func applied(had exchange.Header, target string, q *exchange.Request) (carrier, name string) {
	for _, f := range q.Header {
		if !slices.Contains(had, f) && (carrier == "" || strings.EqualFold(f.Name, "Authorization")) {
			carrier, name = "header", f.Name
			if strings.EqualFold(f.Name, "Cookie") {
				carrier = "cookie"
			}
		}
	}
	if carrier == "" && q.Target != target {
		before := exchange.Request{Target: target}
		for pair := range strings.SplitSeq(q.Query(), "&") {
			if !slices.Contains(strings.Split(before.Query(), "&"), pair) {
				n, _, _ := strings.Cut(pair, "=")
				return "query", n
			}
		}
	}
	return carrier, name
}

// withhold takes the credentials out of a request and returns their names: for
// a channel that was not verified. What r.Auth would have added is only named.
func (c *Client) withhold(ctx context.Context, r *Request, q *exchange.Request) []string {
	names := strip(q)
	if r.Auth == nil {
		return names
	}
	name := "Authorization"
	if n, ok := r.Auth.(*renewed); ok {
		name = n.field // nobody is asked for what will not be sent
	} else if s := r.Auth.Scheme(); s == "api-key" || s == "cookie" {
		// Only these put it elsewhere, and neither asks anybody for it.
		try := exchange.Request{Method: q.Method, Scheme: q.Scheme, Authority: q.Authority, Target: q.Target}
		if r.Auth.Apply(ctx, &try) == nil {
			if _, n := applied(nil, q.Target, &try); n != "" {
				name = n
			}
		}
	}
	return append(names, name)
}

// strip takes out what proves who somebody is, or would let another person
// pass for them: credentials in fields and query, and a body with secrets.
// What masking would hide is such: what may not be shown may not be sent.
func strip(q *exchange.Request) (names []string) {
	masked := exchange.Exchange{Request: *q}
	masked.Request.Header = slices.Clone(q.Header)
	identity.Mask(&masked, []byte("withhold"))
	kept := make(exchange.Header, 0, len(q.Header))
	for i, f := range q.Header {
		if f.Value != "" && (credentialField(f.Name) || masked.Request.Header[i] != f) {
			names = append(names, f.Name)
		} else {
			kept = append(kept, f)
		}
	}
	q.Header = kept
	q.Target = stripQuery(q.Target, &names)
	if !bytes.Equal(masked.Request.Body.Data, q.Body.Data) {
		names = append(names, "body")
		q.Body = exchange.Body{}
		q.Header = unlike(q.Header, bodyFields...)
	}
	return names
}

// stripQuery takes the secret parameters out of a target.
func stripQuery(target string, names *[]string) string {
	path, query, ok := strings.Cut(target, "?")
	if !ok {
		return target
	}
	var kept []string
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name = queryUnescape(name)
		masked := exchange.Exchange{Request: exchange.Request{Target: "/?" + pair}}
		identity.Mask(&masked, []byte("withhold"))
		if identity.SecretParameter(name, queryUnescape(value)) || masked.Request.Target != "/?"+pair {
			*names = append(*names, name)
			continue
		}
		kept = append(kept, pair)
	}
	if len(kept) == 0 {
		return path
	}
	return path + "?" + strings.Join(kept, "&")
}

// bodyFields speak of a body that is not sent.
var bodyFields = []string{"Content-Length", "Content-Type", "Content-Encoding", "Content-Language", "Content-Location", "Transfer-Encoding", "Content-MD5", "Digest", "Content-Digest", "Expect", "Trailer"}

// credentialField reports whether a field carries a credential by its name.
func credentialField(name string) bool {
	for _, n := range []string{"Authorization", "Proxy-Authorization", "Cookie"} {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return identity.SecretName(name)
}

// unlike returns the fields with other names than these.
func unlike(h exchange.Header, names ...string) exchange.Header {
	return slices.DeleteFunc(slices.Clone(h), func(f exchange.Field) bool {
		return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, f.Name) })
	})
}

func queryUnescape(s string) string {
	if d, err := url.QueryUnescape(s); err == nil {
		return d
	}
	return s
}
