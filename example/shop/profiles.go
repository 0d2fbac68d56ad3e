package shop

import (
	"errors"
	"net/http"
	"strings"
)

// A Profile is what customers see of each other. E-mail and phone are for
// oneself.
type Profile struct {
	ID      int64  `json:"id"`
	Name    string `json:"name"`
	Since   string `json:"since"`
	Contact string `json:"contact"` // ***@s***
	Email   string `json:"email,omitempty"`
	Phone   string `json:"phone,omitempty"`
}

func (s *Shop) getProfile(w http.ResponseWriter, r *request) error {
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
	p := Profile{ID: u.ID, Name: u.Name, Since: u.CreatedAt, Contact: maskEmail(u.Email)}
	if u.ID == r.caller.ID {
		p.Email, p.Phone = u.Email, u.Phone
	}
	return reply(w, http.StatusOK, p)
}

// maskEmail leaves the first letter of the host.
func maskEmail(email string) string {
	_, host, _ := strings.Cut(email, "@")
	return "***@" + host[:min(1, len(host))] + "***"
}

// Settings are how a customer likes the shop.
type Settings struct {
	UserID     int64  `json:"user_id"`
	Language   string `json:"language"`
	Newsletter bool   `json:"newsletter"`
}

// getSettings answers the caller's, whoever the path names: the number is there
// for old clients, which put their own.
func (s *Shop) getSettings(w http.ResponseWriter, r *request) error {
	if r.PathValue("id") != "" {
		if _, err := pathID(r); err != nil {
			return err
		}
	}
	p := Settings{UserID: r.caller.ID, Language: "en"}
	found, err := one(r.Context(), s.db.db, func(r row) (p Settings, err error) {
		return p, r.Scan(&p.UserID, &p.Language, &p.Newsletter)
	}, `SELECT user_id, language, newsletter FROM preferences WHERE user_id = ?`, r.caller.ID)
	if err == nil {
		p = found
	} else if !errors.Is(err, errNone) {
		return err
	}
	return reply(w, http.StatusOK, p)
}

// putPreferences replaces the caller's settings. A user_id in the body is read,
// for the same old clients, and means nothing.
func (s *Shop) putPreferences(w http.ResponseWriter, r *request) error {
	o, err := s.readObject(r)
	if err != nil {
		return err
	}
	o.number("user_id", false, 1, 1<<53)
	language := o.oneOf("language", true, languages...)
	newsletter := o.flag("newsletter", true)
	if err := o.done(); err != nil {
		return err
	}
	if _, err := exec(r.Context(), s.db.db, `INSERT OR REPLACE INTO preferences VALUES (?, ?, ?)`, r.caller.ID, language, newsletter); err != nil {
		return err
	}
	return noContent(w)
}

// languages that the shop speaks, or will.
var languages = []string{"en", "hi", "kn", "ml", "ta"}
