package shop

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
)

// A Wishlist is one customer's, and of those whom he shows it to.
type Wishlist struct {
	ID        int64  `json:"id"`
	OwnerID   int64  `json:"owner_id"`
	Title     string `json:"title"`
	Mine      bool   `json:"mine"`
	CreatedAt string `json:"created_at"`
	// DeletedAt is there after it was deleted: what is left of it then is for
	// its owner, and has no title any more.
	DeletedAt string `json:"deleted_at,omitempty"`
}

// selectWishlist is what a user, the first argument, may see.
const selectWishlist = `SELECT id, owner_id, title, owner_id = ?1, created_at, deleted_at FROM wishlists
	WHERE (owner_id = ?1 OR deleted_at = '' AND EXISTS (SELECT 1 FROM wishlist_readers WHERE wishlist_id = id AND user_id = ?1))`

func scanWishlist(r row) (l Wishlist, err error) {
	return l, r.Scan(&l.ID, &l.OwnerID, &l.Title, &l.Mine, &l.CreatedAt, &l.DeletedAt)
}

func (s *Shop) listWishlists(w http.ResponseWriter, r *request) error {
	ls, err := all(r.Context(), s.db.db, scanWishlist, selectWishlist+` AND deleted_at = '' ORDER BY id LIMIT 100`, r.caller.ID)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, map[string]any{"items": ls})
}

func (s *Shop) theWishlist(r *request) (Wishlist, error) {
	id, err := pathID(r)
	if err != nil {
		return Wishlist{}, err
	}
	l, err := one(r.Context(), s.db.db, scanWishlist, selectWishlist+` AND id = ?2`, r.caller.ID, id)
	if errors.Is(err, errNone) {
		return l, notFound()
	}
	return l, err
}

// myWishlist is theWishlist for its owner. Who may only read it knows that it
// is there.
func (s *Shop) myWishlist(r *request) (Wishlist, error) {
	l, err := s.theWishlist(r)
	switch {
	case err != nil:
	case !l.Mine:
		err = forbidden("it is shown to you, and somebody else's")
	case l.DeletedAt != "":
		err = notFound()
	}
	return l, err
}

func (s *Shop) addWishlist(w http.ResponseWriter, r *request) error {
	o, err := s.readObject(r)
	if err != nil {
		return err
	}
	l := Wishlist{OwnerID: r.caller.ID, Title: o.text("title", true, 1, 100), Mine: true, CreatedAt: stamp(s.now())}
	if err := o.done(); err != nil {
		return err
	}
	if l.ID, err = exec(r.Context(), s.db.db, `INSERT INTO wishlists (owner_id, title, created_at) VALUES (?, ?, ?)`, l.OwnerID, l.Title, l.CreatedAt); err != nil {
		return err
	}
	return created(w, s.where("/v1/wishlists/", l.ID), l)
}

func (s *Shop) getWishlist(w http.ResponseWriter, r *request) error {
	l, err := s.theWishlist(r)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, l)
}

// patchWishlist changes the title. Whatever else it is sent it tells back and
// does not keep.
func (s *Shop) patchWishlist(w http.ResponseWriter, r *request) error {
	l, err := s.myWishlist(r)
	if err != nil {
		return err
	}
	o, err := s.readObject(r, "application/merge-patch+json")
	if err != nil {
		return err
	}
	if title := o.text("title", false, 1, 100); o.has("title") {
		l.Title = title
	}
	ignored := []string{}
	for name := range o.members {
		if name != "title" {
			ignored = append(ignored, name)
			o.asked = append(o.asked, name)
		}
	}
	if err := o.done(); err != nil {
		return err
	}
	slices.Sort(ignored)
	if _, err := exec(r.Context(), s.db.db, `UPDATE wishlists SET title = ? WHERE id = ?`, l.Title, l.ID); err != nil {
		return err
	}
	return reply(w, http.StatusOK, map[string]any{"wishlist": l, "received": o.members, "ignored": ignored})
}

// deleteWishlist leaves a stone behind, so that an old link can say when.
func (s *Shop) deleteWishlist(w http.ResponseWriter, r *request) error {
	l, err := s.myWishlist(r)
	if err != nil {
		return err
	}
	if _, err := exec(r.Context(), s.db.db, `UPDATE wishlists SET title = '', deleted_at = ? WHERE id = ?`, stamp(s.now()), l.ID); err != nil {
		return err
	}
	return noContent(w)
}

// shareWishlist shows a list to one more user.
func (s *Shop) shareWishlist(w http.ResponseWriter, r *request) error {
	l, err := s.myWishlist(r)
	if err != nil {
		return err
	}
	o, err := s.readObject(r)
	if err != nil {
		return err
	}
	id := o.number("user_id", true, 1, 1<<53)
	if err := o.done(); err != nil {
		return err
	}
	if _, err := s.db.user(r.Context(), id); errors.Is(err, errNone) {
		return refuse(http.StatusUnprocessableEntity, "there is nobody to show it to")
	} else if err != nil {
		return err
	}
	if _, err := exec(r.Context(), s.db.db, `INSERT INTO wishlist_readers VALUES (?, ?) ON CONFLICT DO NOTHING`, l.ID, id); err != nil && !errors.Is(err, errNone) {
		return err
	}
	return noContent(w)
}

// An Alert tells its owner when a product is there again.
type Alert struct {
	ID        int64 `json:"id"`
	UserID    int64 `json:"user_id"`
	ProductID int64 `json:"product_id"`
}

const selectAlert = `SELECT id, user_id, product_id FROM alerts WHERE user_id = ?1`

func scanAlert(r row) (a Alert, err error) { return a, r.Scan(&a.ID, &a.UserID, &a.ProductID) }

func (s *Shop) listAlerts(w http.ResponseWriter, r *request) error {
	as, err := all(r.Context(), s.db.db, scanAlert, selectAlert+` ORDER BY id LIMIT 100`, r.caller.ID)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, map[string]any{"items": as})
}

func (s *Shop) addAlert(w http.ResponseWriter, r *request) error {
	o, err := s.readObject(r)
	if err != nil {
		return err
	}
	a := Alert{UserID: r.caller.ID, ProductID: o.number("product_id", true, 1, 1<<53)}
	if err := o.done(); err != nil {
		return err
	}
	if err := s.productThere(r, a.ProductID); err != nil {
		return err
	}
	if a.ID, err = exec(r.Context(), s.db.db, `INSERT INTO alerts (user_id, product_id) VALUES (?, ?)`, a.UserID, a.ProductID); err != nil {
		return err
	}
	return created(w, s.where("/v1/alerts/", a.ID), a)
}

func (s *Shop) getAlert(w http.ResponseWriter, r *request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	a, err := one(r.Context(), s.db.db, scanAlert, selectAlert+` AND id = ?2`, r.caller.ID, id)
	if errors.Is(err, errNone) {
		return notFound()
	} else if err != nil {
		return err
	}
	return reply(w, http.StatusOK, a)
}

// deleteAlert answers 204 to whatever is not there afterwards for the caller:
// one of his own that is gone, one that never was, one of somebody else's,
// which stays. So no answer tells which IDs exist.
func (s *Shop) deleteAlert(w http.ResponseWriter, r *request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	if _, err := exec(r.Context(), s.db.db, `DELETE FROM alerts WHERE id = ? AND user_id = ?`, id, r.caller.ID); err != nil && !errors.Is(err, errNone) {
		return err
	}
	return noContent(w)
}

// A Cart is under the same name for everybody, and everybody's own.
type Cart struct {
	ID    string     `json:"id"`
	Items []CartItem `json:"items"`
}

// A CartItem is a line of a cart.
type CartItem struct {
	ProductID int64 `json:"product_id"`
	Quantity  int64 `json:"quantity"`
}

func (s *Shop) getCart(w http.ResponseWriter, r *request) error {
	c := Cart{ID: "cart", Items: []CartItem{}}
	text, err := one(r.Context(), s.db.db, func(r row) (t string, err error) { return t, r.Scan(&t) }, `SELECT items FROM carts WHERE user_id = ?`, r.caller.ID)
	if err != nil && !errors.Is(err, errNone) {
		return err
	}
	if err == nil {
		if err := json.Unmarshal([]byte(text), &c.Items); err != nil {
			return err
		}
	}
	return reply(w, http.StatusOK, c)
}

func (s *Shop) putCart(w http.ResponseWriter, r *request) error {
	o, err := s.readObject(r)
	if err != nil {
		return err
	}
	raw, there := o.take("items", true)
	var lines []map[string]json.RawMessage
	if there && (json.Unmarshal(raw, &lines) != nil || lines == nil || len(lines) > 20) {
		o.wrong("items", "must be at most 20 products with quantities")
	}
	c := Cart{ID: "cart", Items: []CartItem{}}
	for _, line := range lines {
		l := &object{members: line, lax: o.lax}
		c.Items = append(c.Items, CartItem{l.number("product_id", true, 1, 1<<53), l.number("quantity", true, 1, 100)})
		if err := l.done(); err != nil {
			return err
		}
	}
	if err := o.done(); err != nil {
		return err
	}
	text, err := json.Marshal(c.Items)
	if err != nil {
		return err
	}
	if _, err := exec(r.Context(), s.db.db, `INSERT OR REPLACE INTO carts VALUES (?, ?)`, r.caller.ID, string(text)); err != nil {
		return err
	}
	return reply(w, http.StatusOK, c)
}
