package learn

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// privileged are names of members that decide what somebody may do or must pay.
var privileged = []string{"role", "roles", "admin", "isadmin", "superuser", "issuperuser", "staff", "isstaff", "plan", "tier", "status", "state",
	"balance", "price", "discount", "credit", "credits", "verified", "isverified", "approved", "permissions", "permission", "scopes", "scope",
	"privileges", "owner", "ownerid", "enabled", "active", "isactive", "quota", "level", "grade", "salary"}

// privileges are the members of an operation's requests that only callers with
// some role were seen to set, with that role.
func (m *model) privileges(o *operation) map[string]string {
	out := map[string]string{}
	for name, groups := range o.cell.setters.m {
		if !slices.Contains(privileged, plainWord(name)) {
			continue
		}
		role := commonRole(slices.Sorted(maps.Keys(groups)))
		if role == "" {
			continue
		}
		others := false // without the role, and content without the member
		for g := range o.cell.writers {
			others = others || !hasRole(g, role)
		}
		if adminLike(role) || others {
			out[name] = role
		}
	}
	return out
}

// privilegesOf is the same as a text, to tell operations apart.
func (m *model) privilegesOf(o *operation) string {
	ps := m.privileges(o)
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(ps)) {
		b.WriteString(name + "=" + ps[name] + " ")
	}
	return b.String()
}

// fields writes what must not be sent, and who may write what.
func (m *model) fields(d *document) string {
	never := d.secrets
	writable := map[string]map[string]string{}
	for _, o := range m.ops {
		ps := m.privileges(o)
		for _, schema := range d.requests[o] {
			for name, role := range ps {
				if get(get(d.schemas[schema], "properties"), name) == nil {
					continue
				}
				if writable[schema] == nil {
					writable[schema] = map[string]string{}
				}
				writable[schema][name] = role
			}
		}
	}
	names := map[string]bool{}
	for s := range never {
		names[s] = true
	}
	for s := range writable {
		names[s] = true
	}
	if len(names) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("\nfields:\n")
	for _, s := range slices.Sorted(maps.Keys(names)) {
		fmt.Fprintf(&b, "  - schema: %s\n", quoted(s))
		if len(never[s]) > 0 {
			var ns []string
			for _, n := range slices.Sorted(maps.Keys(never[s])) {
				ns = append(ns, quoted(n))
			}
			fmt.Fprintf(&b, "    never_send: [%s]\n", strings.Join(ns, ", "))
		}
		if len(writable[s]) > 0 {
			var ws []string
			for _, n := range slices.Sorted(maps.Keys(writable[s])) {
				ws = append(ws, quoted(n)+": ["+quoted(writable[s][n])+"]")
			}
			fmt.Fprintf(&b, "    writable_by: {%s}\n", strings.Join(ws, ", "))
		}
	}
	return b.String()
}
