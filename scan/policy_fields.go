package scan

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
)

// writableBy writes which roles may set a member that the description lets
// anybody set. What it does not declare is refused without a line.
func (d *draft) writableBy(f *Finding) error {
	attack, ok := d.attackOf(f)
	pointer, _ := strings.CutPrefix(f.flaw.Parameter, "request body ")
	e := f.flaw.Endpoint
	if !ok || e == nil || pointer == "" {
		return d.stopped(f, byDescription)
	}
	b := e.RequestBody(attack.x.Request.Header.MediaType())
	if violations, judged := b.Judge(attack.x.Request.Body.Data); judged {
		for _, v := range violations {
			if strings.HasPrefix(v, pointer+":") {
				return d.stopped(f, "not declared: "+byDescription)
			}
		}
	}
	name := lastMember(pointer)
	if d.marked(d.now, attack, name, true) != "" {
		return d.stopped(f, "a line of fields says who may set "+name)
	}
	roles := d.setters(e, name, attack)
	var quotedRoles []string
	for _, r := range roles {
		quotedRoles = append(quotedRoles, inFlow(r))
	}
	line := func(schema string) addition {
		return addition{section: "fields", comment: d.about(f), text: "schema: " + quoted(schema) + "\nwritable_by: {" + inFlow(name) + ": [" + strings.Join(quotedRoles, ", ") + "]}"}
	}
	who := strings.Join(roles, ", ")
	if who == "" {
		who = "nobody"
	}
	says := name + " is writable by " + who
	if err := d.tryFields(f, attack, name, true, line, says); err != nil {
		return err
	}
	return d.siblingFields(f, e, pointer, attack, line, says)
}

// siblingFields writes the same for the other ways to make or change such an
// object, if they let the member in.
func (d *draft) siblingFields(f *Finding, e *check.Endpoint, pointer string, attack sight, line func(string) addition, says string) error {
	r, name := e.Resource, lastMember(pointer)
	if r == nil {
		return nil
	}
	var value []byte
	for _, l := range check.Leaves(attack.x.Request.Body.Data) {
		if l.Pointer == pointer {
			value, _ = json.Marshal(l.Value)
			if l.Kind != "string" {
				value = []byte(l.Value)
			}
		}
	}
	for _, g := range []*check.Endpoint{r.Create, r.Update, r.Replace} {
		if g == nil || g == e || g.Few != "" || value == nil {
			continue
		}
		body := check.SetMember(g.Sample.Body, pointer, value)
		if body == nil || !d.s.sound(g, body) {
			continue
		}
		path, ok := d.s.path(g.Path, r.Of(f.flaw.By), f.flaw.By)
		if !ok {
			path = g.Path
		}
		a := &check.Ask{Method: g.Method, Target: path, Body: body, Header: exchange.Header{{Name: "Content-Type", Value: d.s.mediaType(g)}}}
		v := sight{x: asked(a, g), as: f.flaw.By}
		if d.marked(d.now, v, name, true) != "" {
			continue
		}
		if err := d.tryFields(f, v, name, true, line, g.Name+": "+says); err != nil {
			return err
		}
	}
	return nil
}

// neverSend writes that a declared member does not leave, or not whole.
func (d *draft) neverSend(f *Finding, how string) error {
	attack, ok := d.attackOf(f)
	if !ok { // what is seen in passing has one exchange
		if len(f.flaw.Proof) > 0 && f.flaw.Proof[0] != nil {
			attack, ok = sight{x: f.flaw.Proof[0], as: f.flaw.By}, true
		}
	}
	if !ok || len(f.Evidence) == 0 || f.Evidence[0].Where != "response body" {
		return d.stopped(f, byDescription)
	}
	name := lastMember(f.Evidence[0].Name)
	x := *attack.x
	x.Server.Caller = d.who.seenBy(attack.as)
	p := check.PassOf(&x, d.now, time.Now())
	p.Saw |= check.SawCaller
	if how == "never_send" {
		p.Run(f.flaw.Check, f.flaw.Check.Release)
		if len(p.Edits) > 0 || p.Refusal != nil {
			return d.stopped(f, byDescription)
		}
	}
	if d.marked(d.now, attack, name, false) != "" {
		return d.stopped(f, "a line of fields speaks of "+name)
	}
	line := func(schema string) addition {
		return addition{section: "fields", comment: d.about(f), text: "schema: " + quoted(schema) + "\n" + how + ": [" + inFlow(name) + "]"}
	}
	return d.tryFields(f, attack, name, false, line, how+": "+name)
}

// tryFields finds the schema whose member it is.
func (d *draft) tryFields(f *Finding, v sight, name string, request bool, line func(schema string) addition, says string) error {
	for _, schema := range d.schemasWith(name) {
		a := line(schema)
		k, err := d.load([]addition{a})
		if err != nil {
			if err := asInline(err); err != nil {
				return err
			}
			continue
		}
		if d.marked(k, v, name, request) == schema {
			d.accept(k, a)
			return d.written(f, says+" ("+schema+")")
		}
	}
	return d.left(f, "%s stands in no schema that has a name; name it in the description, then write: fields: - {schema: ..., ...}", name)
}

// marked is the schema of the line under fields that speaks of a member where
// it stands in a message, or nothing.
func (d *draft) marked(k *contract.Contract, v sight, name string, request bool) string {
	p := check.PassOf(v.x, k, time.Now())
	facts := p.Input.Reply
	if request {
		facts = p.Input.Body
	}
	if facts == nil {
		return ""
	}
	for _, violation := range facts.Result.Violations {
		if r := k.Mark(violation.Mark); r != nil && r.Member == name {
			return r.Schema
		}
	}
	return ""
}

// setters are the roles that may set a member: those that the description names
// beside it, or all of higher rank.
func (d *draft) setters(e *check.Endpoint, name string, attack sight) []string {
	has := attackRoles(d, attack)
	var all, named []string
	text := strings.ToLower(e.Sample.Summary + " " + e.Sample.Doc + " " + d.describes(name))
	for _, p := range d.s.trial.People {
		for _, r := range d.rankRoles(p) {
			if slices.Contains(all, r) || slices.Contains(has, r) {
				continue
			}
			all = append(all, r)
			if strings.Contains(text, "only "+strings.ToLower(r)) {
				named = append(named, r)
			}
		}
	}
	if len(named) > 0 {
		all = named
	}
	slices.Sort(all)
	return all
}

// maxDescription bounds what is read of a description a second time.
const maxDescription = 32 << 20

// schemas are the named schemas of the description.
func (d *draft) schemas() *yaml.Node {
	info, err := os.Stat(d.s.o.File)
	if err != nil || info.Size() > maxDescription {
		return nil
	}
	data, err := os.ReadFile(d.s.o.File)
	if err != nil {
		return nil
	}
	var doc yaml.Node
	if yaml.Unmarshal(data, &doc) != nil || len(doc.Content) == 0 {
		return nil
	}
	if n := below(below(doc.Content[0], "components"), "schemas"); n != nil {
		return n
	}
	return below(doc.Content[0], "definitions")
}

func below(n *yaml.Node, name string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return nil
}

// schemasWith are the names of schemas that have a member, those that declare
// it themselves first.
func (d *draft) schemasWith(name string) []string {
	n := d.schemas()
	if n == nil {
		return nil
	}
	var own, others []string
	for i := 0; i+1 < len(n.Content); i += 2 {
		if below(below(n.Content[i+1], "properties"), name) != nil {
			own = append(own, n.Content[i].Value)
		} else if below(n.Content[i+1], "allOf") != nil || below(n.Content[i+1], "oneOf") != nil || below(n.Content[i+1], "anyOf") != nil {
			others = append(others, n.Content[i].Value)
		}
	}
	return append(own, others...)
}

// describes is what the description says of members of a name.
func (d *draft) describes(name string) string {
	var b strings.Builder
	n := d.schemas()
	for i := 0; n != nil && i+1 < len(n.Content); i += 2 {
		if t := below(below(below(n.Content[i+1], "properties"), name), "description"); t != nil {
			b.WriteString(" " + t.Value)
		}
	}
	return b.String()
}

func lastMember(pointer string) string {
	name := pointer[strings.LastIndexByte(pointer, '/')+1:]
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
}

// limit writes how often an operation may be tried.
func (d *draft) limit(f *Finding) error {
	e := f.flaw.Endpoint
	if e == nil {
		return d.left(f, "it was found at no operation of the description")
	}
	for _, op := range d.now.Operations {
		if op.Name == e.Name && len(op.Limits) > 0 {
			return d.stopped(f, "limited by a line of the policy")
		}
	}
	at := []*check.Endpoint{e}
	for _, g := range d.s.trial.Endpoints { // who is kept out here tries there
		if g != e && g.Role == check.LogIn && e.Role == check.LogIn {
			at = append(at, g)
		}
	}
	for _, g := range at {
		if err := d.limitAt(f, g); err != nil {
			return err
		}
	}
	return nil
}

func (d *draft) limitAt(f *Finding, e *check.Endpoint) error {
	var by []string
	for _, l := range check.Leaves(e.Sample.Body) {
		if isLoginName(l.Name) && !isPassword(l.Name) {
			if expr, ok := member("request.body", l.Pointer); ok {
				by = append(by, expr)
			}
		}
	}
	for _, key := range append(by, "address") {
		a := addition{section: "limits", comment: d.about(f), text: "operation: " + quoted(e.Name) + "\nrate: 5/minute\nby: " + key}
		k, err := d.load([]addition{a})
		if err != nil {
			if err := asInline(err); err != nil {
				return err
			}
			continue
		}
		says := "5/minute by " + key
		if e != f.flaw.Endpoint {
			says = e.Name + ": " + says
		}
		d.accept(k, a)
		return d.written(f, says)
	}
	return d.left(f, "no limit could be written for %s", e.Name)
}

// cors writes that no other site is named yet. With the section, what the API
// grants by itself does not reach browsers.
func (d *draft) cors(f *Finding) error {
	if d.now.CORS != nil {
		return d.stopped(f, "the policy names the sites that may read answers")
	}
	a := addition{section: "cors", comment: d.about(f) + "\nName the sites whose own pages may read answers: [https://app.example]", text: "cors:\n  origins: []"}
	k, err := d.load([]addition{a})
	if err != nil {
		return err
	}
	d.accept(k, a)
	d.patch.Notes = append(d.patch.Notes, "cors: no site is named: pages of other origins can no longer read answers until you name theirs")
	return d.written(f, "cors: no other site")
}
