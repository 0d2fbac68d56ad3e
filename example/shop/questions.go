package shop

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"time"
)

// A Question is what a customer wants to know of a product. All customers see
// all questions.
type Question struct {
	ID        int64  `json:"id"`
	ProductID int64  `json:"product_id"`
	AuthorID  int64  `json:"author_id"`
	Text      string `json:"text"`
	CreatedAt string `json:"created_at"`
}

// behind is how far the copy that questions are read from is behind what was
// written. It is by the clock of the machine, whatever the shop's says. It is a
// variable for tests, which wait for it a great many times.
var behind = 200 * time.Millisecond

// selectQuestion reads a copy of a moment, which is its first argument. A text
// that is NULL was taken away.
const selectQuestion = `SELECT q.id, q.product_id, q.author_id, t.text, q.created_at FROM questions q
	JOIN question_texts t ON t.seq = (SELECT max(seq) FROM question_texts WHERE question_id = q.id AND at <= ?) WHERE t.text IS NOT NULL`

func scanQuestion(r row) (v Question, err error) {
	return v, r.Scan(&v.ID, &v.ProductID, &v.AuthorID, &v.Text, &v.CreatedAt)
}

func theCopy() int64 { return time.Now().Add(-behind).UnixMilli() }

func (s *Shop) listQuestions(w http.ResponseWriter, r *request) error {
	q, err := readQuery(r)
	if err != nil {
		return err
	}
	product, limit := q.number("product_id", 0, 1, 1<<53), q.number("limit", 20, 1, 100)
	if err := q.done(); err != nil {
		return err
	}
	vs, err := all(r.Context(), s.db.db, scanQuestion, selectQuestion+` AND (?2 = 0 OR q.product_id = ?2) ORDER BY q.id LIMIT ?3`, theCopy(), product, limit)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, map[string]any{"items": vs})
}

// theQuestion reads the question of the path as it was at a moment.
func (s *Shop) theQuestion(r *request, at int64) (Question, error) {
	id, err := pathID(r)
	if err != nil {
		return Question{}, err
	}
	v, err := one(r.Context(), s.db.db, scanQuestion, selectQuestion+` AND q.id = ?2`, at, id)
	if errors.Is(err, errNone) {
		return v, notFound()
	}
	return v, err
}

// myQuestion is the question as it is, for who asked it.
func (s *Shop) myQuestion(r *request) (Question, error) {
	v, err := s.theQuestion(r, time.Now().UnixMilli())
	if err == nil && v.AuthorID != r.caller.ID && !r.caller.admin() {
		err = forbidden("somebody else asked it")
	}
	return v, err
}

func (s *Shop) ask(w http.ResponseWriter, r *request) error {
	o, err := s.readObject(r)
	if err != nil {
		return err
	}
	v := Question{AuthorID: r.caller.ID, CreatedAt: stamp(s.now())}
	v.ProductID, v.Text = o.number("product_id", true, 1, 1<<53), o.text("text", true, 1, 500)
	if err := o.done(); err != nil {
		return err
	}
	if err := s.productThere(r, v.ProductID); err != nil {
		return err
	}
	err = s.db.inTx(r.Context(), func(tx *sql.Tx) (err error) {
		if v.ID, err = exec(r.Context(), tx, `INSERT INTO questions (product_id, author_id, created_at) VALUES (?, ?, ?)`, v.ProductID, v.AuthorID, v.CreatedAt); err != nil {
			return err
		}
		return say(r.Context(), tx, v.ID, v.Text)
	})
	if err != nil {
		return err
	}
	return created(w, s.where("/v1/questions/", v.ID), v)
}

// say writes what a question says from now on; nil is nothing any more.
func say(ctx context.Context, q querier, id int64, text any) error {
	_, err := exec(ctx, q, `INSERT INTO question_texts (question_id, text, at) VALUES (?, ?, ?)`, id, text, time.Now().UnixMilli())
	return err
}

func (s *Shop) getQuestion(w http.ResponseWriter, r *request) error {
	v, err := s.theQuestion(r, theCopy())
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, v)
}

func (s *Shop) patchQuestion(w http.ResponseWriter, r *request) error {
	v, err := s.myQuestion(r)
	if err != nil {
		return err
	}
	o, err := s.readObject(r, "application/merge-patch+json")
	if err != nil {
		return err
	}
	v.Text = o.text("text", true, 1, 500)
	if err := o.done(); err != nil {
		return err
	}
	if err := say(r.Context(), s.db.db, v.ID, v.Text); err != nil {
		return err
	}
	return reply(w, http.StatusOK, v)
}

func (s *Shop) deleteQuestion(w http.ResponseWriter, r *request) error {
	v, err := s.myQuestion(r)
	if err != nil {
		return err
	}
	if err := say(r.Context(), s.db.db, v.ID, nil); err != nil {
		return err
	}
	return noContent(w)
}
