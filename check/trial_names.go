package check

import (
	"slices"
	"strings"
)

// NamesOwner reports whether a member or parameter of a name says whom
// something belongs to: user_id, owner, createdBy, from_account_id.
func NamesOwner(name string) bool {
	low := plainName(name)
	for _, from := range []string{"from", "source", "sender", "payer", "debit", "owner", "created", "on behalf of"} {
		if rest, ok := strings.CutPrefix(low, from); ok && (rest == "" || NamesPerson(rest) || rest == "by") {
			return true
		}
	}
	return NamesPerson(low)
}

// NamesPerson reports whether a name is that of a person's identifier.
func NamesPerson(name string) bool {
	low := plainName(name)
	for _, end := range []string{"id", "uuid", "name", "no", "number", "ref"} {
		if s, ok := strings.CutSuffix(low, end); ok && s != "" {
			low = s
			break
		}
	}
	return slices.Contains([]string{"user", "owner", "author", "customer", "account", "member", "creator", "person", "patient", "client", "subject", "sub",
		"sender", "employee", "profile", "holder", "uid", "login"}, low)
}

// NamesTenant reports whether a name is that of whom somebody works for.
func NamesTenant(name string) bool {
	low := strings.TrimSuffix(plainName(name), "id")
	return slices.Contains([]string{"tenant", "organization", "organisation", "org", "company", "workspace", "team", "shop", "merchant"}, low)
}

// plainName is a name in small letters without what joins its words.
func plainName(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "", ".", "").Replace(name))
}

// namesPrivate are parts of the names of members that tell of somebody's private
// life or money.
var namesPrivate = []string{"address", "phone", "mobile", "email", "iban", "card", "birth", "salary", "ssn", "passport", "password", "secret", "token",
	"diagnos", "medical", "balance", "accountnumber", "taxid", "credential", "location", "ipaddress"}

// tellsOfPrivate reports whether an answer has members that tell of somebody's
// private life or money.
func tellsOfPrivate(ls []Leaf) bool {
	return slices.ContainsFunc(ls, func(l Leaf) bool {
		low := plainName(l.Name)
		return l.Value != "" && l.Kind != "null" && l.Kind != "boolean" &&
			slices.ContainsFunc(namesPrivate, func(w string) bool { return strings.Contains(low, w) })
	})
}
