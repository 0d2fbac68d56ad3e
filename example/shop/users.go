package shop

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"strconv"
)

// A User is what the shop tells of a user.
type User struct {
	ID        int64  `json:"id"`
	Email     string `json:"email"`
	Name      string `json:"name"`
	Phone     string `json:"phone"`
	Role      string `json:"role"`
	Plan      string `json:"plan"`
	CreatedAt string `json:"created_at"`
	// InternalNotes are for administrators.
	InternalNotes string `json:"internal_notes,omitempty"`
}

// userRow is the whole row. It is sent only by the flaw.
type userRow struct {
	User
	PasswordHash string `json:"password_hash"`
	CreditCard   string `json:"credit_card"`
}

// showUser picks what the caller may see.
func (s *Shop) showUser(u userRow, to *caller) any {
	if s.flawed("response-excessive-data") {
		return u
	}
	if !to.admin() {
		u.InternalNotes = ""
	}
	return u.User
}

func (s *Shop) me(w http.ResponseWriter, r *request) error {
	u, err := s.db.user(r.Context(), r.caller.ID)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, s.showUser(u, r.caller))
}

func (s *Shop) listUsers(w http.ResponseWriter, r *request) error {
	q, err := readQuery(r)
	if err != nil {
		return err
	}
	limit, offset := s.limit(q), q.number("offset", 0, 0, 1_000_000)
	if err := q.done(); err != nil {
		return err
	}
	us, err := all(r.Context(), s.db.db, scanUser, selectUser+` ORDER BY id LIMIT ? OFFSET ?`, limit, offset)
	if err != nil {
		return err
	}
	items := []any{}
	for _, u := range us {
		items = append(items, s.showUser(u, r.caller))
	}
	return reply(w, http.StatusOK, map[string]any{"items": items})
}

// register makes a new customer. Nobody needs to be logged in for it.
func (s *Shop) register(w http.ResponseWriter, r *request) error {
	o, err := s.readObject(r)
	if err != nil {
		return err
	}
	u := userRow{User: User{Role: "customer", Plan: "free", CreatedAt: stamp(s.now())}}
	password := o.text("password", true, 10, 128)
	u.Email, u.Name, u.Phone = o.email("email", true), o.text("name", true, 1, 100), o.text("phone", false, 0, 30)
	if err := s.takePrivileges(o, &u, r.caller); err != nil {
		return err
	}
	if err := o.done(); err != nil {
		return err
	}
	if u.PasswordHash, err = hashPassword(r.Context(), password); err != nil {
		return err
	}
	if u.ID, err = s.db.addUser(r.Context(), u); err != nil {
		return err
	}
	return created(w, s.where("/v1/users/", u.ID), s.showUser(u, r.caller))
}

// takePrivileges reads role and plan, which only administrators may give.
func (s *Shop) takePrivileges(o *object, u *userRow, c *caller) error {
	if (o.has("role") || o.has("plan")) && !c.admin() && !s.flawed("request-mass-assignment") {
		return forbidden("role and plan are given by administrators")
	}
	if role := o.oneOf("role", false, "customer", "admin"); role != "" {
		u.Role = role
	}
	if plan := o.oneOf("plan", false, "free", "premium"); plan != "" {
		u.Plan = plan
	}
	return nil
}

// theUser loads the user of the path for the user himself or an administrator.
// For everybody else there is none.
func (s *Shop) theUser(r *request) (userRow, error) {
	id, err := pathID(r)
	if err != nil {
		return userRow{}, err
	}
	if id != r.caller.ID && !r.caller.admin() {
		return userRow{}, notFound()
	}
	u, err := s.db.user(r.Context(), id)
	if errors.Is(err, errNone) {
		return userRow{}, notFound()
	}
	return u, err
}

func (s *Shop) getUser(w http.ResponseWriter, r *request) error {
	u, err := s.theUser(r)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, s.showUser(u, r.caller))
}

// putUser replaces all that a client may set; a phone that is not given is gone.
func (s *Shop) putUser(w http.ResponseWriter, r *request) error {
	if s.flawed("request-put-partial") {
		return s.patchUser(w, r)
	}
	return s.changeUser(w, r, func(o *object, u *userRow) {
		u.Email, u.Name, u.Phone = o.email("email", true), o.text("name", true, 1, 100), o.text("phone", false, 0, 30)
	})
}

// patchUser changes only what is named.
func (s *Shop) patchUser(w http.ResponseWriter, r *request) error {
	return s.changeUser(w, r, func(o *object, u *userRow) {
		email, name, phone := o.email("email", false), o.text("name", false, 1, 100), o.text("phone", false, 0, 30)
		if o.has("email") {
			u.Email = email
		}
		if o.has("name") {
			u.Name = name
		}
		if o.has("phone") {
			u.Phone = phone
		}
	}, "application/merge-patch+json")
}

func (s *Shop) changeUser(w http.ResponseWriter, r *request, read func(*object, *userRow), types ...string) error {
	u, err := s.theUser(r)
	if err != nil {
		return err
	}
	o, err := s.readObject(r, types...)
	if err != nil {
		return err
	}
	read(o, &u)
	if err := s.takePrivileges(o, &u, r.caller); err != nil {
		return err
	}
	if err := o.done(); err != nil {
		return err
	}
	if err := s.db.saveUser(r.Context(), u); err != nil {
		return err
	}
	return reply(w, http.StatusOK, s.showUser(u, r.caller))
}

func (s *Shop) deleteUser(w http.ResponseWriter, r *request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	if _, err := exec(r.Context(), s.db.db, `DELETE FROM users WHERE id = ?`, id); errors.Is(err, errNone) {
		return notFound()
	} else if err != nil {
		return err
	}
	return noContent(w)
}

const selectUser = `SELECT id, email, name, phone, role, plan, created_at, internal_notes, password_hash, credit_card FROM users`

func scanUser(r row) (u userRow, err error) {
	return u, r.Scan(&u.ID, &u.Email, &u.Name, &u.Phone, &u.Role, &u.Plan, &u.CreatedAt, &u.InternalNotes, &u.PasswordHash, &u.CreditCard)
}

func (s *store) user(ctx context.Context, id int64) (userRow, error) {
	return one(ctx, s.db, scanUser, selectUser+` WHERE id = ?`, id)
}

func (s *store) userByEmail(ctx context.Context, email string) (userRow, error) {
	return one(ctx, s.db, scanUser, selectUser+` WHERE email = ?`, email)
}

// addUser makes the user and an empty account.
func (s *store) addUser(ctx context.Context, u userRow) (id int64, err error) {
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		if err := emailFree(ctx, tx, u); err != nil {
			return err
		}
		id, err = exec(ctx, tx, `INSERT INTO users (email, name, phone, role, plan, created_at, password_hash) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			u.Email, u.Name, u.Phone, u.Role, u.Plan, u.CreatedAt, u.PasswordHash)
		if err != nil {
			return err
		}
		_, err = exec(ctx, tx, `INSERT INTO accounts VALUES (?, ?, 0, 0)`, id, strconv.FormatInt(50100234570000+id, 10))
		return err
	})
	return id, err
}

func (s *store) saveUser(ctx context.Context, u userRow) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		if err := emailFree(ctx, tx, u); err != nil {
			return err
		}
		_, err := exec(ctx, tx, `UPDATE users SET email = ?, name = ?, phone = ?, role = ?, plan = ? WHERE id = ?`,
			u.Email, u.Name, u.Phone, u.Role, u.Plan, u.ID)
		return err
	})
}

func emailFree(ctx context.Context, tx *sql.Tx, u userRow) error {
	other, err := one(ctx, tx, scanUser, selectUser+` WHERE email = ?`, u.Email)
	switch {
	case errors.Is(err, errNone):
		return nil
	case err == nil && other.ID != u.ID:
		return refuse(http.StatusConflict, "the e-mail address is taken")
	}
	return err
}
