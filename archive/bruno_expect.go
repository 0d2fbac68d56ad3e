package archive

import (
	"encoding/json"
	"regexp"
	"strings"
)

var (
	bruHeader = regexp.MustCompile(`^headers(?:\.([\w-]+)|\[["']([^"']+)["']\])$`)
	bruNumber = regexp.MustCompile(`^-?\d+(\.\d+)?$`)
)

// bruFact is the fact that an expression such as res.body.items[0].id means;
// empty for one that is more than a path.
func bruFact(s string) (fact string, duration bool) {
	s = strings.TrimPrefix(strings.TrimSpace(s), "$")
	if at, ok := strings.CutPrefix(s, "res("); ok && strings.HasSuffix(at, ")") { // their query language
		return "", false
	}
	rest, ok := strings.CutPrefix(s, "res.")
	if !ok {
		return "", false
	}
	switch {
	case rest == "status":
		return "response.status", false
	case rest == "responseTime":
		return "times.total", true
	case rest == "body":
		return "response.body", false
	case strings.HasPrefix(rest, "body.") || strings.HasPrefix(rest, "body["):
		path := rest[len("body"):]
		if strings.ContainsAny(path, "()+*?|&= ") {
			return "", false
		}
		return "response.body.$" + path, false
	}
	if m := bruHeader.FindStringSubmatch(rest); m != nil {
		return "response.header." + m[1] + m[2], false
	}
	return "", false
}

// bruIs are the words of assertions that are ours too.
var bruIs = map[string]string{
	"eq": "==", "neq": "!=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<=",
	"in": "in", "contains": "contains", "matches": "matches", "length": "count",
}

// bruIsA are those that look at the value alone.
var bruIsA = map[string]Expectation{
	"isDefined": {Is: "exists", Want: true}, "isUndefined": {Is: "exists", Want: false},
	"isNull": {Is: "==", Want: nil}, "isTruthy": {Is: "==", Want: true}, "isFalsy": {Is: "==", Want: false},
	"isNumber": {Is: "type", Want: "number"}, "isString": {Is: "type", Want: "string"},
	"isBoolean": {Is: "type", Want: "boolean"}, "isArray": {Is: "type", Want: "array"},
	"isEmpty": {Is: "count", Want: 0.0},
}

// bruExpectation reads "res.status: eq 200". Without a word, eq is meant.
func bruExpectation(name, value string) (Expectation, bool) {
	fact, duration := bruFact(name)
	if fact == "" {
		return Expectation{}, false
	}
	value = strings.TrimSpace(value)
	if e, ok := bruIsA[value]; ok {
		e.Fact = fact
		return e, true
	}
	word, rest, _ := strings.Cut(value, " ")
	is := bruIs[word]
	rest = strings.TrimSpace(rest)
	switch {
	case is == "" && bruOther[word]:
		return Expectation{}, false
	case is == "":
		is, rest = "==", value
	}
	e := Expectation{Fact: fact, Is: is, Want: bruValue(rest)}
	if is == "in" {
		list := []any{}
		for part := range strings.SplitSeq(strings.Trim(rest, "[]"), ",") {
			list = append(list, bruValue(strings.TrimSpace(part)))
		}
		e.Want = list
	}
	if is == "matches" {
		e.Want = strings.Trim(rest, "/")
	}
	if duration && bruNumber.MatchString(rest) {
		e.Want = rest + "ms"
	}
	return e, true
}

// bruOther are words that have none of ours.
var bruOther = map[string]bool{"notIn": true, "notContains": true, "notMatches": true, "startsWith": true, "endsWith": true,
	"between": true, "isNotEmpty": true, "isNotNull": true, "isJson": true}

func bruValue(s string) any {
	switch {
	case s == "true" || s == "false":
		return s == "true"
	case s == "null":
		return nil
	case s == "undefined":
		return ""
	case bruNumber.MatchString(s), strings.HasPrefix(s, `"`):
		var v any
		if json.Unmarshal([]byte(s), &v) == nil {
			return v
		}
	case strings.HasPrefix(s, "'"):
		return strings.Trim(s, "'")
	}
	return s
}
