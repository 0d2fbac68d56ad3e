package main

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf16"
)

// An ask is one request, with what the oracle says of it.
type ask struct {
	what                string
	who                 *person // whose credential it carries, if any
	method, path, query string  // as on the wire
	header              []string
	body                []byte
	res                 *resource
	row                 object // what it is about, if that exists
	members             object // of the body
	// want is the status that must come; 0 says that only harm is judged, -1
	// that it must be refused.
	want     int
	wantBody any
}

// raw is the request as it is sent.
func (a *ask) raw(host string) []byte {
	var b bytes.Buffer
	target := a.path
	if a.query != "" {
		target += "?" + a.query
	}
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", a.method, target, host)
	for i := 0; i+1 < len(a.header); i += 2 {
		fmt.Fprintf(&b, "%s: %s\r\n", a.header[i], a.header[i+1])
	}
	if a.body != nil {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(a.body))
	}
	b.WriteString("\r\n")
	b.Write(a.body)
	return b.Bytes()
}

func (w *world) anyone() *person { return w.people[w.r.IntN(len(w.people))] }

func (res *resource) exempt(p *person) bool { return res.except && p.has("admin") }

// may says whether a person may read and change what somebody owns.
func (res *resource) may(p *person, owner string) bool {
	return res.public || p != nil && (res.exempt(p) || owner == p.subject)
}

// refusal is the status for a request that breaks a rule on an object.
func (res *resource) refusal(p *person) int {
	switch {
	case p == nil:
		return 401
	case res.hide:
		return 404
	}
	return 403
}

// ask makes a plain request, and says what must come of it.
func (w *world) ask(q quirk) *ask {
	a := &ask{who: w.anyone(), method: "GET"}
	if w.coin(8) {
		a.who = nil
	}
	if w.coin(12) {
		w.askFunction(a)
	} else {
		w.askResource(a, q)
	}
	if a.want == 200 && q == unusualStatus {
		a.want = 203
	}
	if q == strangeType {
		a.want, a.wantBody = 0, nil // it cannot be filtered; see judge
	}
	w.credential(a)
	w.dress(a)
	return a
}

func (w *world) askFunction(a *ask) {
	if w.coin(2) {
		a.what, a.path, a.want = "report", "/v1/admin/report", 403
		a.wantBody = []any{"OWNED-by-everybody;", "the report"}
		if a.who.has("admin") {
			a.want = 200
		}
	} else {
		from := w.anyone()
		if a.who != nil && w.coin(2) {
			from = a.who
		}
		a.what, a.method, a.path, a.want = "transfer", "POST", "/v1/transfers", 403
		a.members = object{"from": w.number(from.subject), "to": w.number(w.anyone().subject), "amount": json.Number("5")}
		a.wantBody = a.members
		if from == a.who {
			a.want = 201
		}
	}
	if a.who == nil {
		a.want = 401
	}
}

func (w *world) askResource(a *ask, q quirk) {
	res := w.resources[w.r.IntN(len(w.resources))]
	a.res = res
	i := w.r.IntN(len(res.keys))
	if a.who != nil && w.coin(2) { // one of their own
		for res.keys[i] == "" || !res.public && w.people[i%len(w.people)] != a.who {
			i = w.r.IntN(len(res.keys))
		}
	}
	key := res.keys[i]
	a.row = w.api.rows[res.name][i]
	owner := res.ownerOf(a.row)
	uid := owner
	if a.who != nil && w.coin(2) {
		uid = a.who.subject
	}
	base := strings.Replace(res.base(), "{uid}", uid, 1)
	inside := !res.nested || a.who != nil && uid == a.who.subject // of their own folder
	allowed := res.may(a.who, owner) && (inside || res.exempt(a.who))
	if w.coin(12) {
		key, a.row = map[string]string{"integer": "77777", "uuid": "00000000-0000-4000-8000-0000000000ff", "slug": "nothing"}[res.key], nil
	}
	kinds := []string{"get", "get", "head", "list", "query", "header", "put", "patch", "delete", "post"}
	if res.public {
		kinds = kinds[:6]
	}
	a.what, a.path = kinds[w.r.IntN(len(kinds))], base+"/"+key
	switch a.what {
	case "query":
		a.path, a.query = "/v1/"+res.name+"-by-query", "id="+key
		allowed = res.may(a.who, owner)
	case "header":
		a.path = "/v1/" + res.name + "-by-header"
		a.header = append(a.header, "X-Object-Id", key)
		allowed = res.may(a.who, owner)
	case "list":
		w.askList(a, base, inside)
		return
	case "post":
		w.askPost(a, base, inside)
		return
	case "put", "patch":
		a.method = strings.ToUpper(a.what)
		a.members = w.members(res, a.who)
	case "delete", "head":
		a.method = strings.ToUpper(a.what)
	}
	switch {
	case a.who == nil && !res.public:
		a.want = 401
	case a.row == nil && (inside || res.exempt(a.who) || a.what == "query" || a.what == "header"):
		a.want = 404
	case a.row == nil || !allowed:
		a.want = res.refusal(a.who)
	case a.what == "delete":
		a.want = 204
	default:
		a.want = 200
		o := a.row
		if a.members != nil {
			o = merge(o, a.members)
		}
		a.wantBody = res.promised(res.project(o, a.who))
	}
}

func (w *world) askList(a *ask, base string, inside bool) {
	res := a.res
	a.path, a.row = base, nil
	filter := ""
	switch w.r.IntN(4) {
	case 0:
	case 1:
		filter = w.anyone().subject
	default:
		if a.who != nil {
			filter = a.who.subject
		}
	}
	if filter != "" {
		a.query = "user_id=" + filter
	}
	items := []any{}
	ok := res.public || a.who != nil && (inside && (filter == "" || filter == a.who.subject) || res.exempt(a.who))
	for _, o := range w.api.rows[res.name] {
		if filter == "" || res.public || res.ownerOf(o) == filter {
			ok = ok && res.may(a.who, res.ownerOf(o))
			items = append(items, res.project(o, a.who))
		}
	}
	switch {
	case !ok:
		a.want = res.refusal(a.who)
	case res.bare:
		a.want, a.wantBody = 200, items
	default:
		a.want, a.wantBody = 200, res.promised(object{"items": items, "next": ""})
	}
}

func (w *world) askPost(a *ask, base string, inside bool) {
	res := a.res
	a.method, a.path, a.row = "POST", base, nil
	owner := w.anyone()
	if a.who != nil && w.coin(2) {
		owner = a.who
	}
	a.members = w.members(res, a.who)
	setPath(a.members, res.owner, w.number(owner.subject))
	if a.who == nil || !res.exempt(a.who) && !(inside && owner == a.who) {
		a.want = res.refusal(a.who)
		return
	}
	made := merge(a.members, nil)
	made["id"] = res.number(map[string]string{"integer": "9001", "uuid": "ffffffff-0000-4000-8000-000000000001", "slug": "made"}[res.key])
	a.want, a.wantBody = 201, res.promised(res.project(made, a.who))
}

// promised is an answer without what is beside it.
func (res *resource) promised(v any) any {
	return wrap(res.envelope, v, func(o object) object { return o })
}

// project is what a person may see of a row.
func (res *resource) project(o object, p *person) object {
	out := object{"id": o["id"]}
	if !res.public {
		setPath(out, res.owner, getPath(o, res.owner))
	}
	from, ok := o["detail"].(object)
	if ok {
		out["detail"] = object{}
	}
	for _, m := range res.members {
		switch {
		case !m.readableBy(p):
		case m.detail:
			if v, ok := from[m.name]; ok {
				out["detail"].(object)[m.name] = v
			}
		default:
			if v, ok := o[m.name]; ok {
				out[m.name] = v
			}
		}
	}
	return out
}

// members are some that a person may write.
func (w *world) members(res *resource, p *person) object {
	o := object{}
	for _, m := range res.members {
		if !m.writableBy(p) || w.coin(3) {
			continue
		}
		into := o
		if m.detail {
			if o["detail"] == nil {
				o["detail"] = object{}
			}
			into = o["detail"].(object)
		}
		into[m.name] = w.value(m.kind)
	}
	return o
}

func (w *world) value(kind string) any {
	switch kind {
	case "integer":
		return json.Number(fmt.Sprint(w.r.IntN(9000)))
	case "map":
		return object{"k/ey~": "a", `q"uote`: "b"}
	}
	return []string{"new", "", "ünïcödé \u2028", `\ and "`, "{}", "null"}[w.r.IntN(6)]
}

func (w *world) credential(a *ask) {
	if a.who == nil {
		return
	}
	switch w.r.IntN(3) {
	case 0:
		a.header = append(a.header, "X-API-Key", a.who.key)
	case 1:
		a.header = append(a.header, "Authorization", "Bearer "+a.who.token)
	default:
		a.header = append(a.header, "Cookie", "theme=dark; session="+a.who.token, "Sec-Fetch-Site", "same-origin")
	}
}

// dress writes the body, and varies what has no meaning.
func (w *world) dress(a *ask) {
	if a.members != nil {
		a.body, _ = json.Marshal(a.members)
		if w.coin(3) {
			var b bytes.Buffer
			json.Indent(&b, a.body, "\r", "\t ")
			a.body = b.Bytes()
		}
		a.header = append(a.header, "Content-Type", []string{"application/json", "application/json; charset=utf-8", "Application/JSON"}[w.r.IntN(3)])
	}
	if w.coin(6) {
		i := strings.LastIndexByte(a.path, '/') + 1
		a.path = a.path[:i] + fmt.Sprintf("%%%02X", a.path[i]) + a.path[i+1:]
	}
	if w.coin(4) {
		a.header = append(a.header, [][]string{{"Accept", "application/json"}, {"Accept-Encoding", "gzip"}, {"If-None-Match", `"a"`},
			{"Range", "bytes=0-9"}, {"User-Agent", "x"}, {"Connection", "keep-alive"}}[w.r.IntN(6)]...)
	}
}

// twist makes a request hostile. What comes of it is not foretold; that it
// does no harm is.
func (w *world) twist(a *ask) {
	a.want, a.wantBody = 0, nil
	other := w.anyone().subject
	key := "11"
	if a.res != nil {
		key = a.res.keys[w.r.IntN(len(a.res.keys))]
	}
	pick := func(s ...string) string { return s[w.r.IntN(len(s))] }
	switch w.r.IntN(9) {
	case 0: // other carriers of the same
		extra := pick("id="+key, "user_id="+other, "user_id[]="+other, "ID="+key, "user_id="+other+"&user_id="+key, "user_id=&user_id="+other,
			"user_id="+other+";user_id=1", "%75ser_id="+other, "user_id%00="+other, "id="+url.QueryEscape(" "+key), "user_id=null", "id=")
		if a.query == "" || w.coin(3) {
			a.query = extra
		} else if w.coin(2) {
			a.query += "&" + extra
		} else {
			a.query = extra + "&" + a.query
		}
	case 1: // a body where none belongs, or another
		a.body = []byte(pick(`{"id":"`+key+`"}`, `{"id":`+key+`}`, "id="+key, `{"user_id":`+other+`}`, "user_id="+other))
		if w.coin(2) {
			a.header = append(a.header, "Content-Type", pick("application/json", "application/x-www-form-urlencoded", "text/plain", "", "*/*"))
		}
	case 2:
		i := strings.LastIndexByte(a.path, '/')
		last := a.path[i+1:]
		a.path = pick(a.path+"/", a.path+"%2f", a.path[:i]+"//"+last, a.path+";id="+key, a.path+"/../"+key, a.path+"/%2e%2e/"+key, a.path[:i]+"/%2e/"+last,
			a.path+"%00", a.path+"%20", a.path+".0", a.path[:i]+"/0"+last, a.path[:i]+"/+"+last, a.path[:i]+`\`+last, a.path+"%3fid="+key, a.path+"%26id="+key,
			strings.ToUpper(a.path), a.path[:i]+"/%2575"+last, "/v1/public/.."+a.path[3:], a.path+"%", a.path[:i]+"/"+last+","+key, a.path[:i]+"/*", a.path[:i]+"/"+key,
			a.path+"?", "http://else.example"+a.path)
	case 3:
		w.twistBody(a)
	case 4:
		w.twistCredential(a)
	case 5:
		a.method = pick("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "Delete", "PROPFIND", "QUERY")
	case 6:
		a.header = append(a.header, pick("X-HTTP-Method-Override", "X-HTTP-Method", "X-Original-URL", "X-Rewrite-URL", "X-User-Id", "X-Forwarded-User", "X-Object-Id"),
			pick("DELETE", "/v1/admin/report", other, key))
	case 7:
		a.header = append(a.header, pick("Accept", "Range", "Accept-Encoding", "If-Modified-Since", "Content-Encoding", "Expect", "TE", "Prefer"),
			pick("text/html", "bytes=0-5", "gzip", "identity;q=0", "trailers", "return=representation", "*/*"))
	default: // another's, plainly
		if a.res != nil {
			for _, k := range a.res.keys {
				a.path = strings.Replace(a.path, k, key, 1)
			}
			a.query = strings.NewReplacer(a.res.keys[0], key, a.res.keys[1], key).Replace(a.query)
		}
	}
}

// twistBody adds to a body what the caller may not set, or writes it such that
// it might be read in two ways.
func (w *world) twistBody(a *ask) {
	if a.members == nil {
		a.method, a.members = []string{"PUT", "PATCH", "POST", "GET", "DELETE"}[w.r.IntN(5)], object{}
		a.header = append(a.header, "Content-Type", "application/json")
	}
	names := []string{"id", "owner", "user_id", "meta", "password_hash", "role", "ID", "__proto__"}
	if a.res != nil {
		for _, m := range a.res.members {
			names = append(names, m.name, strings.ToUpper(m.name), strings.Replace(m.name, "m", `\u006d`, 1))
		}
	}
	name := names[w.r.IntN(len(names))]
	value := []string{`"x"`, "1", "null", `{"owner":101,"by":{"id":"asha"}}`, "[]", "true", "101", `"asha"`, `{"a":"b"}`}[w.r.IntN(9)]
	text, _ := json.Marshal(a.members)
	inner := `"` + name + `":` + value
	switch w.r.IntN(4) {
	case 0:
		inner = `"detail":{` + inner + `}`
	case 1:
		if a.res != nil && !a.res.public && len(a.res.owner) > 1 {
			inner = `"` + a.res.owner[0] + `":{` + inner + `}`
		}
	}
	body := "{" + inner
	if string(text) != "{}" {
		if w.coin(2) {
			body += "," + string(text[1:])
		} else {
			body = string(text[:len(text)-1]) + "," + inner + "}"
		}
	} else {
		body += "}"
	}
	a.body = []byte(body)
	switch w.r.IntN(12) {
	case 0:
		a.body = append([]byte("\ufeff"), a.body...)
	case 1:
		a.body = append(text, a.body...)
	case 2:
		var z bytes.Buffer
		gz := gzip.NewWriter(&z)
		gz.Write(a.body)
		gz.Close()
		a.body = z.Bytes()
		a.header = append(a.header, "Content-Encoding", "gzip")
	case 3:
		var b []byte
		for _, u := range utf16.Encode([]rune(body)) {
			b = append(b, byte(u), byte(u>>8))
		}
		a.body = b
		a.header = append(a.header, "Content-Type", "application/json; charset=utf-16le")
	case 4:
		for i := range a.header {
			if a.header[i] == "Content-Type" {
				a.header[i+1] = []string{"text/plain", "application/x-www-form-urlencoded", "application/json-patch+json", "", "application/json,text/plain"}[w.r.IntN(5)]
			}
		}
	case 5:
		a.body = a.body[:len(a.body)-1]
	}
}

// twistCredential presents none, a forged one, or several.
func (w *world) twistCredential(a *ask) {
	victim := w.anyone()
	claims := base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"https://login.example","aud":"api","sub":"` + victim.subject + `","roles":["admin"],"exp":9999999999}`))
	parts := strings.Split(victim.token, ".")
	enc := base64.RawURLEncoding.EncodeToString
	forged := []string{
		enc([]byte(`{"alg":"none"}`)) + "." + claims + ".",
		enc([]byte(`{"alg":"None","kid":"k1"}`)) + "." + claims + "." + parts[2],
		parts[0] + "." + claims + "." + parts[2],
		parts[0] + "." + parts[1] + ".AAAA",
		parts[0] + "." + parts[1] + ".",
		enc([]byte(`{"alg":"HS256","kid":"k1"}`)) + "." + claims + "." + parts[2],
	}[w.r.IntN(6)]
	add := [][]string{{"Authorization", "Bearer " + forged}, {"Cookie", "session=" + forged}, {"X-API-Key", "guess"},
		{"X-API-Key", victim.subject}, {"Authorization", "Basic YWRtaW46YWRtaW4="}, {"Cookie", "session =" + forged + "; session=" + forged}, {"X-Api-Key", ""}}[w.r.IntN(7)]
	if w.coin(2) { // instead of the caller's own
		var kept []string
		for i := 0; i+1 < len(a.header); i += 2 {
			if n := a.header[i]; n != "Authorization" && n != "Cookie" && n != "X-API-Key" {
				kept = append(kept, n, a.header[i+1])
			}
		}
		a.header, a.who = kept, nil
	}
	if w.coin(6) {
		a.query = strings.TrimPrefix(a.query+"&access_token="+forged, "&")
		return
	}
	if w.coin(2) {
		a.header = append(a.header, add...)
	} else {
		a.header = append(add, a.header...)
	}
}
