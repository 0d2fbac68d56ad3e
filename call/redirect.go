package call

import (
	"errors"
	"net/url"

	"github.com/parley-project/parley/exchange"
)

// redirect changes a request into the one that its answer points to, and
// reports whether there is one (RFC 9110, 15.4). Another origin gets none of
// the credentials.
func redirect(r *Request, x *exchange.Exchange) (bool, error) {
	status := x.Response.Status
	switch status {
	case 301, 302, 303, 307, 308:
	default:
		return false, nil
	}
	to := x.Response.Header.Get("Location")
	if to == "" {
		return false, nil
	}
	from := place{scheme: x.Request.Scheme, authority: x.Request.Authority, target: x.Request.Target}
	ref, err := url.Parse(to)
	if err != nil {
		return false, errors.New("its Location is no URL")
	}
	next := from.url().ResolveReference(ref)
	before, err := placeOf(r.URL)
	if err != nil {
		return false, err
	}
	p, err := placeOf(next.String())
	if err != nil {
		return false, err
	}
	get := status == 303 && r.Method != "HEAD" || (status == 301 || status == 302) && r.Method == "POST"
	if get && !r.KeepMethod {
		r.Method, r.Body = "GET", nil
		r.Header = unlike(r.Header, bodyFields...)
	}
	r.URL = next.String()
	if p.origin() == before.origin() {
		if p.user == nil && before.user != nil { // who asks stays the same
			next.User = before.user
			r.URL = next.String()
		}
		return true, nil
	}
	if p.user != nil { // nobody but the person says who asks
		next.User = nil
	}
	q := exchange.Request{Target: p.target, Header: unlike(r.Header, "Host"), Body: exchange.Body{Size: int64(len(r.Body)), Data: r.Body}}
	strip(&q)
	r.Header, r.Body, r.Auth = q.Header, q.Body.Data, nil
	r.URL = next.String()
	return true, nil
}
