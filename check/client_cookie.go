package check

import "strings"

// ClientCookie flags cookies that a browser sends or shows too freely.
var ClientCookie = &Check{
	ID:    "client-cookie",
	Title: "a cookie without its attributes",
	Doc: `Without Secure a cookie travels in clear, without HttpOnly any script reads
it, without SameSite it goes along with requests that other sites make.`,
	Fix:  "Set Secure, HttpOnly and SameSite=Lax or Strict on every cookie that carries a session.",
	Step: StepClient, Severity: Medium, OWASP: "API8:2023", CWE: 1275, Conversation: []int{16, 18, 45},
	Needs: SawResponse,

	Inspect: func(p *Pass) {
		for _, f := range p.Response.Header {
			if name, lacks, bad := cookieLacks(p, f.Name, f.Value); bad {
				p.Find(Cookie(name, "lacks "+strings.Join(lacks, ", ")))
			}
		}
	},
	Release: func(p *Pass) {
		for i, f := range p.Response.Header {
			if name, lacks, bad := cookieLacks(p, f.Name, f.Value); bad {
				p.Repair(FieldLine(i, f.Value+"; "+strings.Join(lacks, "; "), Cookie(name, "gets "+strings.Join(lacks, ", "))))
			}
		}
	},
	Probe: logInSpares, // Inspect sees what comes of it
}

// cookieLacks returns the attributes that a Set-Cookie line ought to have.
// What the API set stays: SameSite=None with Secure is a decision.
func cookieLacks(p *Pass, field, value string) (name string, lacks []string, bad bool) {
	if !strings.EqualFold(field, "Set-Cookie") {
		return "", nil, false
	}
	pair, rest, _ := strings.Cut(value, ";")
	name, _, _ = strings.Cut(pair, "=")
	name = strings.TrimSpace(name)
	var secure, httpOnly, sameSite bool
	for a := range strings.SplitSeq(rest, ";") {
		key, _, _ := strings.Cut(strings.TrimSpace(a), "=")
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "secure":
			secure = true
		case "httponly":
			httpOnly = true
		case "samesite":
			sameSite = true
		}
	}
	if !secure && p.Encrypted() {
		lacks = append(lacks, "Secure")
	}
	if !httpOnly && carriesSession(p, name) {
		lacks = append(lacks, "HttpOnly")
	}
	if !sameSite {
		lacks = append(lacks, "SameSite=Lax")
	}
	return name, lacks, len(lacks) > 0
}

// carriesSession reports whether a cookie of this name is one that scripts
// have no business to read. A token against CSRF is one that they must.
func carriesSession(p *Pass, name string) bool {
	if name == p.SessionCookie && name != "" {
		return true
	}
	n := strings.ToLower(name)
	if strings.Contains(n, "csrf") || strings.Contains(n, "xsrf") {
		return false
	}
	for _, w := range []string{"sess", "token", "auth", "jwt", "sid"} {
		if strings.Contains(n, w) {
			return true
		}
	}
	return false
}
