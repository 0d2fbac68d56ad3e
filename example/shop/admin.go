package shop

import (
	"errors"
	"net/http"
)

// report sums up the business, for administrators.
func (s *Shop) report(w http.ResponseWriter, r *request) error {
	type line struct {
		Status string `json:"status"`
		Orders int64  `json:"orders"`
		Total  Money  `json:"total"`
	}
	lines, err := all(r.Context(), s.db.db, func(r row) (l line, err error) { return l, r.Scan(&l.Status, &l.Orders, &l.Total) },
		`SELECT status, count(*), sum(total) FROM orders GROUP BY status ORDER BY status`)
	if err != nil {
		return err
	}
	users, err := one(r.Context(), s.db.db, func(r row) (n int64, err error) { return n, r.Scan(&n) }, `SELECT count(*) FROM users`)
	if err != nil {
		return err
	}
	var revenue Money
	for _, l := range lines {
		if l.Status != "cancelled" {
			revenue += l.Total
		}
	}
	return reply(w, http.StatusOK, map[string]any{"users": users, "revenue": revenue, "currency": "INR", "by_status": lines})
}

// oldUser is how users were shown before anybody asked who wants to know. Only
// the flaw request-old-version has it.
func (s *Shop) oldUser(w http.ResponseWriter, r *request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	u, err := s.db.user(r.Context(), id)
	if errors.Is(err, errNone) {
		return notFound()
	} else if err != nil {
		return err
	}
	return reply(w, http.StatusOK, u)
}

// dump was of use once, and is only there by the flaw request-undeclared-endpoint.
func (s *Shop) dump(w http.ResponseWriter, r *request) error {
	us, err := all(r.Context(), s.db.db, scanUser, selectUser+` ORDER BY id`)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, us)
}
