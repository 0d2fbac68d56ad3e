package contract

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/parley-project/parley/internal/config"
)

// SectionNames are the sections of parley.yaml that other packages own. They
// are handed on undecoded in Contract.Sections.
var SectionNames = []string{
	"identity", "identities", "listen", "tls", "forward", "alert", "trace",
}

// A policy is parley.yaml as far as it is read here.
type policy struct {
	API      config.Section `yaml:"api"`
	Upstream config.Section `yaml:"upstream"`
	Mode     config.Section `yaml:"mode"`
	Default  config.Section `yaml:"default"`
	Rules    config.Section `yaml:"rules"`
	Fields   config.Section `yaml:"fields"`
	Limits   config.Section `yaml:"limits"`
	CORS     config.Section `yaml:"cors"`
	Body     struct {
		Request  config.Size `yaml:"request"`
		Response config.Size `yaml:"response"`
	} `yaml:"body"`
}

// A loader makes a Contract of a policy and an API description.
type loader struct {
	c      *Contract
	r      *reader
	p      policy
	source []byte // of parley.yaml
	// integerSubject: caller.id is an integer (identity.subject.type).
	integerSubject bool
	shapes         *shapes
	rules          *ruleCompiler
	// marked holds, for requests and responses, the number of the policy on
	// a member, by the schema's location and the member's name.
	marked map[bool]map[string]map[string]int
}

// Load reads parley.yaml and the API description that it names.
func Load(file string) (*Contract, error) {
	source, err := os.ReadFile(file)
	if err != nil {
		if pe, ok := err.(*os.PathError); ok {
			err = pe.Err
		}
		return nil, &config.Error{File: file, Text: "cannot be read: " + err.Error(), Hint: config.HintFile}
	}
	return Parse(file, source)
}

// Parse is Load for the text of a parley.yaml that is not written yet; file is
// where it will be, for names in it are relative to its folder.
func Parse(file string, source []byte) (*Contract, error) {
	s, err := config.Parse(file, source)
	if err != nil {
		return nil, quoteHint(err, source)
	}
	l := &loader{c: newContract(file), source: source}
	if err := l.sections(s); err != nil {
		return nil, err
	}
	if err := l.settings(s); err != nil {
		return nil, err
	}
	api, _ := l.p.API.Text()
	if !filepath.IsAbs(api) {
		api = filepath.Join(filepath.Dir(file), api)
	}
	if l.r, err = readAPI(api, l.c); err != nil {
		return nil, pathHint(err, api, l.p.API)
	}
	return l.finish()
}

var halfQuoted = regexp.MustCompile(`^(\s*(?:- *)?(?:allow|owner|unless) *: *)("[^"]*" *[^ #"].*|'[^']*' *[^ #'].*)$`)

// quoteHint finds the commonest mistake in a rule: `allow: "admin" in x`, where
// YAML takes the quotes for its own and then does not know what to say.
func quoteHint(err error, source []byte) error {
	e, ok := err.(*config.Error)
	if !ok {
		return err
	}
	for i, line := range strings.Split(string(source), "\n") {
		if m := halfQuoted.FindStringSubmatch(strings.TrimRight(line, " \r")); m != nil {
			quote := "'"
			if strings.Contains(m[2], "'") {
				quote = "\""
			}
			return &config.Error{File: e.File, Line: i + 1, Column: len(m[1]) + 1,
				Text: "YAML ends the text at the second quote",
				Hint: "put quotes around the whole: " + quote + m[2] + quote}
		}
	}
	return err
}

// pathHint says in which line the name of a missing file stands.
func pathHint(err error, api string, s config.Section) error {
	if e, ok := err.(*config.Error); ok && e.File == api && e.Line == 0 && strings.HasPrefix(e.Text, "cannot be read") {
		return s.Errorf("", "%s %s", api, e.Text)
	}
	return err
}

// FromAPI makes a contract of an API description alone, in report mode.
func FromAPI(file string) (*Contract, error) {
	l := &loader{c: newContract(file)}
	var err error
	if l.r, err = readAPI(file, l.c); err != nil {
		return nil, err
	}
	return l.finish()
}

func newContract(file string) *Contract {
	return &Contract{
		File: file, Mode: Report, Default: BySecurity,
		MaxRequest: 1 << 20, MaxResponse: 8 << 20,
		Sections: map[string]config.Section{},
	}
}

// finish compiles everything. Rules come before schemas: they say which values
// the programs are to find.
func (l *loader) finish() (*Contract, error) {
	var lost []*Operation
	l.c.router, lost = newRouter(l.c.Operations)
	for _, o := range lost {
		l.c.NotJudged = append(l.c.NotJudged, o.Place+": "+o.Name+": another operation has the same path; no request is matched with it")
		l.c.Operations = slices.DeleteFunc(l.c.Operations, func(x *Operation) bool { return x == o })
	}
	l.shapes = &shapes{ds: l.r.ds, byName: map[string]*shape{}, byKey: map[string]*shape{}}
	l.rules = &ruleCompiler{l: l}
	for _, step := range []func() error{l.readRules, l.readFields, l.readLimits} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	for _, o := range l.c.Operations {
		if len(o.Rules) == 0 {
			l.c.Unjudged = append(l.c.Unjudged, o)
		}
	}
	if err := l.compileBodies(); err != nil {
		return nil, err
	}
	return l.c, nil
}

// sections sorts the parts of parley.yaml into ours and those of others.
func (l *loader) sections(s config.Section) error {
	fields, err := s.Fields()
	if err != nil {
		return err
	}
	own := []string{"api", "upstream", "mode", "default", "rules", "fields", "limits", "cors", "body"}
	for _, f := range fields {
		if slices.Contains(SectionNames, f.Name) {
			l.c.Sections[f.Name] = f.Value
			continue
		}
		if slices.Contains(own, f.Name) {
			continue
		}
		hint := "known here: " + strings.Join(append(own, SectionNames...), ", ")
		if near := config.Nearest(f.Name, append(own, SectionNames...)); near != "" {
			hint = "did you mean \"" + near + "\"?"
		}
		line, column := keyPlace(l.source, f)
		return &config.Error{File: s.File, Line: line, Column: column, Text: "unknown section \"" + f.Name + "\"", Hint: hint}
	}
	for _, f := range fields {
		var err error
		switch f.Name {
		case "api":
			l.p.API = f.Value
		case "upstream":
			l.p.Upstream = f.Value
		case "mode":
			l.p.Mode = f.Value
		case "default":
			l.p.Default = f.Value
		case "rules":
			l.p.Rules = f.Value
		case "fields":
			l.p.Fields = f.Value
		case "limits":
			l.p.Limits = f.Value
		case "cors":
			l.p.CORS = f.Value
		case "body":
			err = f.Value.Decode(&l.p.Body)
		}
		if err != nil {
			return err
		}
	}
	if t, ok := l.p.API.Text(); !ok || t == "" {
		return &config.Error{File: s.File, Line: 1, Text: "names no API description", Hint: "add a line such as api: openapi.yaml"}
	}
	return nil
}

// keyPlace finds the line of a section's name, which is its value's or above.
func keyPlace(source []byte, f config.Field) (line, column int) {
	lines := strings.Split(string(source), "\n")
	for n := min(f.Value.Line(), len(lines)); n >= 1; n-- {
		if t := strings.TrimLeft(lines[n-1], " {\"'"); strings.HasPrefix(t, f.Name) {
			return n, len(lines[n-1]) - len(t) + 1
		}
	}
	return f.Value.Line(), 0
}

var periods = map[string]time.Duration{
	"second": time.Second, "minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour,
}
