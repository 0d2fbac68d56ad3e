package scan

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/parley-project/parley/archive"
	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/exchange"
)

// Mask takes secrets out of a result: out of the exchanges of its proofs, and
// out of its texts. Whoever writes or keeps a result masks it first.
func (r *Result) Mask(masked func(*exchange.Exchange) *exchange.Exchange, text func(string) string) {
	had := map[*exchange.Exchange]*exchange.Exchange{}
	for _, f := range r.Findings {
		for i := range f.Proof {
			p := &f.Proof[i]
			p.Request = text(p.Request)
			if p.x == nil {
				continue
			}
			if had[p.x] == nil {
				had[p.x] = masked(p.x)
			}
			p.x = had[p.x]
		}
		f.Evidence = slices.Clone(f.Evidence)
		for i := range f.Evidence {
			e := &f.Evidence[i]
			e.Name, e.Says = text(e.Name), text(e.Says)
		}
		f.Marks = texts(f.Marks, text)
		f.Parameter, f.Missing = text(f.Parameter), text(f.Missing)
	}
	for i := range r.People {
		r.People[i].Subject = text(r.People[i].Subject)
	}
	r.Left, r.Notes = texts(r.Left, text), texts(r.Notes, text)
	r.Title, r.Incomplete = text(r.Title), text(r.Incomplete)
	for _, f := range r.Findings {
		for i := range f.Proof {
			f.Proof[i].Curl = f.Proof[i].curl()
		}
	}
}

func texts(ls []string, text func(string) string) []string {
	ls = slices.Clone(ls)
	for i := range ls {
		ls[i] = text(ls[i])
	}
	return ls
}

// Exchanges are the exchanges of a finding's proof, in their order. A result
// that was read from a file has none.
func (f *Finding) Exchanges() (xs []*exchange.Exchange) {
	for _, p := range f.Proof {
		if p.x != nil {
			xs = append(xs, p.x)
		}
	}
	return xs
}

// maxCurl bounds a command line: nobody pastes more.
const maxCurl = 8 << 10

// curl is the command that sends the request again. In the place of the
// credential of somebody with a name stands a variable of the shell.
func (p *Shown) curl() string {
	if p.x == nil || len(p.x.Request.Body.Data) > maxCurl {
		return ""
	}
	var b strings.Builder
	c := archive.FromExchanges("", []*exchange.Exchange{p.x})
	if archive.FormatNamed("curl").Write(&b, c) != nil || b.Len() > 2*maxCurl {
		return ""
	}
	line := strings.TrimSpace(b.String())
	if caller := p.x.Server.Caller; caller != nil && caller.Name != "" {
		v := shellName(caller.Name)
		line = credentialArgument.ReplaceAllString(line, `-H "${1}$$`+v+`"`)
		line = cookieArgument.ReplaceAllString(line, `-b "${1}$$`+v+`"`)
	}
	return line
}

// What curl is given a masked credential in.
var (
	credentialArgument = regexp.MustCompile(`-H '((?i:authorization: (?:\w+ )?|x-api-key: |x-[a-z-]*(?:key|token): ))secret:[^' ]+'`)
	cookieArgument     = regexp.MustCompile(`-b '([A-Za-z0-9_.-]+=)secret:[^'; ]+'`)
)

// shellName makes a variable's name of somebody's.
func shellName(name string) string {
	up := strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToUpper(name))
	return "TOKEN_" + up
}

// Says is a finding in one sentence: who got what of whom.
func (f *Finding) Says() string {
	status := ""
	method, path, _ := strings.Cut(f.Operation, " ")
	for _, p := range f.Proof { // what is read afterwards tells, and is not the deed
		if p.Status != 0 && !p.Control && (p.As == f.By || f.By == "nobody") && strings.HasPrefix(p.Request, method+" ") {
			status = " (" + strconv.Itoa(p.Status) + ")"
		}
	}
	if f.Of == "" || f.Of == f.By || f.By == "" || f.By == "nobody" && strings.HasPrefix(f.Check, "authn-") && method == "POST" {
		if f.By == "" || f.By == "nobody" || !strings.HasPrefix(f.Check, "auth") {
			return f.Title
		}
		return f.Title + ", as " + f.By + status
	}
	did := map[string]string{"GET": "read", "HEAD": "read", "PUT": "changed", "PATCH": "changed", "DELETE": "deleted"}[method]
	if did == "" {
		did = "used"
	}
	return f.By + " " + did + " " + f.Of + "'s " + thing(path) + status
}

// thing is what a path is about, as one of it: "order" of /v1/orders/{id}.
func thing(path string) string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	for _, p := range slices.Backward(parts) {
		if strings.Contains(p, "{") || p == "" || len(p) > 1 && p[0] == 'v' && strings.Trim(p[1:], "0123456789.") == "" {
			continue
		}
		switch {
		case p == "me":
			return "account"
		case strings.HasSuffix(p, "ies"):
			return p[:len(p)-3] + "y"
		case strings.HasSuffix(p, "ses"), strings.HasSuffix(p, "ss"):
			return strings.TrimSuffix(p, "es")
		}
		return strings.TrimSuffix(p, "s")
	}
	return "data"
}

// Doc is what the catalogue says of the finding's check.
func (f *Finding) Doc() *check.Check { return check.ByID(f.Check) }
