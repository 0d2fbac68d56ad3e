package shop

import (
	"errors"
	"math"
	"net/http"
)

// A Review is what a customer thinks of a product. Everybody may read it; who
// wrote it and administrators may change it.
type Review struct {
	ID        int64  `json:"id"`
	ProductID int64  `json:"product_id"`
	AuthorID  int64  `json:"author_id"`
	Author    string `json:"author"`
	Stars     int64  `json:"stars"`
	Text      string `json:"text"`
	// Views rises each time that the review is read: no state that anybody
	// relies on.
	Views     int64  `json:"views"`
	CreatedAt string `json:"created_at"`
}

const selectReview = `SELECT r.id, r.product_id, r.author_id, u.name, r.stars, r.text,
	coalesce((SELECT n FROM review_views v WHERE v.review_id = r.id), 0), r.created_at FROM reviews r JOIN users u ON u.id = r.author_id`

func scanReview(r row) (v Review, err error) {
	return v, r.Scan(&v.ID, &v.ProductID, &v.AuthorID, &v.Author, &v.Stars, &v.Text, &v.Views, &v.CreatedAt)
}

// mostReviews is the longest page. Who asks for more gets as many.
const mostReviews = 100

func (s *Shop) listReviews(w http.ResponseWriter, r *request) error {
	q, err := readQuery(r)
	if err != nil {
		return err
	}
	product, limit := q.number("product_id", 0, 1, 1<<53), min(q.number("limit", 20, 1, math.MaxInt64), mostReviews)
	if err := q.done(); err != nil {
		return err
	}
	vs, err := all(r.Context(), s.db.db, scanReview, selectReview+` WHERE ?1 = 0 OR r.product_id = ?1 ORDER BY r.id LIMIT ?2`, product, limit)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, map[string]any{"items": vs})
}

func (s *Shop) theReview(r *request) (Review, error) {
	id, err := pathID(r)
	if err != nil {
		return Review{}, err
	}
	v, err := one(r.Context(), s.db.db, scanReview, selectReview+` WHERE r.id = ?`, id)
	if errors.Is(err, errNone) {
		return v, notFound()
	}
	return v, err
}

// myReview is theReview for who may change it. That it is there is no secret,
// so that others are told the truth: 403.
func (s *Shop) myReview(r *request) (Review, error) {
	v, err := s.theReview(r)
	if err == nil && v.AuthorID != r.caller.ID && !r.caller.admin() {
		err = forbidden("somebody else wrote it")
	}
	return v, err
}

// productThere refuses what is about a product that is not there.
func (s *Shop) productThere(r *request, id int64) error {
	_, err := one(r.Context(), s.db.db, scanProduct, selectProduct+` WHERE id = ?`, id)
	if errors.Is(err, errNone) {
		return refuse(http.StatusUnprocessableEntity, "there is no such product")
	}
	return err
}

func (s *Shop) addReview(w http.ResponseWriter, r *request) error {
	o, err := s.readObject(r)
	if err != nil {
		return err
	}
	v := Review{AuthorID: r.caller.ID, CreatedAt: stamp(s.now())}
	v.ProductID, v.Stars, v.Text = o.number("product_id", true, 1, 1<<53), o.number("stars", true, 1, 5), o.text("text", true, 1, 1000)
	if err := o.done(); err != nil {
		return err
	}
	if err := s.productThere(r, v.ProductID); err != nil {
		return err
	}
	if v.ID, err = exec(r.Context(), s.db.db, `INSERT INTO reviews (product_id, author_id, stars, text, created_at) VALUES (?, ?, ?, ?, ?)`,
		v.ProductID, v.AuthorID, v.Stars, v.Text, v.CreatedAt); err != nil {
		return err
	}
	if v, err = one(r.Context(), s.db.db, scanReview, selectReview+` WHERE r.id = ?`, v.ID); err != nil {
		return err
	}
	return created(w, s.where("/v1/reviews/", v.ID), v)
}

func (s *Shop) getReview(w http.ResponseWriter, r *request) error {
	v, err := s.theReview(r)
	if err != nil {
		return err
	}
	v.Views++
	if _, err := exec(r.Context(), s.db.db, `INSERT INTO review_views VALUES (?, 1) ON CONFLICT DO UPDATE SET n = n + 1`, v.ID); err != nil && !errors.Is(err, errNone) {
		return err
	}
	return reply(w, http.StatusOK, v)
}

func (s *Shop) patchReview(w http.ResponseWriter, r *request) error {
	v, err := s.myReview(r)
	if err != nil {
		return err
	}
	o, err := s.readObject(r, "application/merge-patch+json")
	if err != nil {
		return err
	}
	if stars := o.number("stars", false, 1, 5); o.has("stars") {
		v.Stars = stars
	}
	if text := o.text("text", false, 1, 1000); o.has("text") {
		v.Text = text
	}
	if err := o.done(); err != nil {
		return err
	}
	if _, err := exec(r.Context(), s.db.db, `UPDATE reviews SET stars = ?, text = ? WHERE id = ?`, v.Stars, v.Text, v.ID); err != nil {
		return err
	}
	return reply(w, http.StatusOK, v)
}

func (s *Shop) deleteReview(w http.ResponseWriter, r *request) error {
	v, err := s.myReview(r)
	if err != nil {
		return err
	}
	if _, err := exec(r.Context(), s.db.db, `DELETE FROM reviews WHERE id = ?`, v.ID); err != nil {
		return err
	}
	return noContent(w)
}
