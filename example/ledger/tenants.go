package ledger

import (
	"context"
	"errors"
	"net/http"
	"strings"
)

type tenant struct {
	Slug    string  `json:"slug"`
	Name    string  `json:"name"`
	Plan    string  `json:"plan"`
	Contact *string `json:"contact"`
}

// tenantRow is the whole row. It is sent only by the flaw.
type tenantRow struct {
	tenant
	TaxID string `json:"taxId"`
}

func (l *Ledger) getTenant(w http.ResponseWriter, r *request) error {
	t, err := only(r.Context(), l.db, func(r row) (t tenantRow, err error) {
		return t, r.Scan(&t.Slug, &t.Name, &t.Plan, &t.Contact, &t.TaxID)
	}, `SELECT slug, name, plan, contact, tax_id FROM tenants WHERE slug = ?`, r.PathValue("tenant"))
	if errors.Is(err, errNone) {
		return notFound()
	} else if err != nil {
		return err
	}
	if l.flawed("response-excessive-data") {
		return reply(w, http.StatusOK, t, nil)
	}
	return reply(w, http.StatusOK, t.tenant, nil)
}

func (l *Ledger) patchTenant(w http.ResponseWriter, r *request) error {
	in, err := l.read(r, form{"name": text(1, 80), "contact": nullable(text(1, 80))})
	if err != nil {
		return err
	}
	var contact any
	if t := in.text("contact"); t != "" {
		contact = t
	}
	err = l.db.exec(r.Context(), `UPDATE tenants SET name = coalesce(nullif(?, ''), name), contact = CASE WHEN ? THEN ? ELSE contact END WHERE slug = ?`,
		in.text("name"), in.has("contact"), contact, r.PathValue("tenant"))
	if err != nil {
		return err
	}
	return l.getTenant(w, r)
}

// dropTenant is what a framework offers by itself. Only the flaw has it; it
// stops short of doing it, so that others can go on.
func (l *Ledger) dropTenant(w http.ResponseWriter, r *request) error { return noContent(w) }

// user is a member of a tenant.
type user struct {
	Subject   string `json:"subject"`
	Tenant    string `json:"tenant"`
	Role      string `json:"role"`
	Email     string `json:"email"`
	Name      string `json:"name"`
	CreatedAt string `json:"createdAt"`
}

// userRow is the whole row.
type userRow struct {
	user
	PasswordHash []byte `json:"passwordHash"`
}

const selectUser = `SELECT subject, tenant, role, email, name, created_at, password_hash FROM users`

func scanUser(r row) (u userRow, err error) {
	return u, r.Scan(&u.Subject, &u.Tenant, &u.Role, &u.Email, &u.Name, &u.CreatedAt, &u.PasswordHash)
}

func (s *store) userByEmail(ctx context.Context, email string) (userRow, error) {
	return only(ctx, s, scanUser, selectUser+` WHERE email = ?`, strings.ToLower(email))
}

func (l *Ledger) listMembers(w http.ResponseWriter, r *request) error {
	us, err := list(r.Context(), l.db, scanUser, selectUser+` WHERE tenant = ? ORDER BY created_at, subject`, r.PathValue("tenant"))
	if err != nil {
		return err
	}
	out := []any{}
	for _, u := range us {
		if l.flawed("response-excessive-data") {
			out = append(out, u)
		} else {
			out = append(out, u.user)
		}
	}
	return reply(w, http.StatusOK, out, nil)
}

func (l *Ledger) addMember(w http.ResponseWriter, r *request) error {
	in, err := l.read(r, form{"email": required(text(3, 254)), "name": required(text(1, 80)), "password": required(text(12, 128)),
		"role": required(oneOf("owner", "clerk", "auditor"))})
	if err != nil {
		return err
	}
	u := user{"usr_" + strings.ReplaceAll(newUUID(), "-", ""), r.PathValue("tenant"), in.text("role"), strings.ToLower(in.text("email")), in.text("name"), stamp(l.now())}
	hash, err := hashPassword(in.text("password"))
	if err != nil {
		return err
	}
	err = l.db.exec(r.Context(), `INSERT INTO users VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`, u.Subject, u.Tenant, u.Role, u.Email, u.Name, u.CreatedAt, hash)
	if errors.Is(err, errNone) {
		return refuse(http.StatusConflict, "conflict", "somebody has that address already")
	} else if err != nil {
		return err
	}
	return created(w, r, "/tenants/"+u.Tenant+"/members/"+u.Subject, u)
}

func (l *Ledger) removeMember(w http.ResponseWriter, r *request) error {
	err := l.db.exec(r.Context(), `DELETE FROM users WHERE tenant = ? AND subject = ?`, r.PathValue("tenant"), r.PathValue("member"))
	if errors.Is(err, errNone) {
		return notFound()
	} else if err != nil {
		return err
	}
	return noContent(w)
}

// dumpUsers is the page that was forgotten; only the flaw has it.
func (l *Ledger) dumpUsers(w http.ResponseWriter, r *request) error {
	us, err := list(r.Context(), l.db, scanUser, selectUser)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, us, nil)
}
