package shop

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
)

// An Order is what the shop tells of an order.
type Order struct {
	ID              int64  `json:"id"`
	UserID          int64  `json:"user_id"`
	Status          string `json:"status"`
	Items           []Item `json:"items"`
	Total           Money  `json:"total"`
	Currency        string `json:"currency"`
	Note            string `json:"note"`
	ShippingAddress string `json:"shipping_address"`
	CreatedAt       string `json:"created_at"`
	UpdatedAt       string `json:"updated_at"`
}

// An Item is a line of an order.
type Item struct {
	ProductID int64 `json:"product_id"`
	Quantity  int64 `json:"quantity"`
	UnitPrice Money `json:"unit_price"`
}

// orderRow is the whole row. It is sent only by the flaw.
type orderRow struct {
	Order
	CarrierID     int64  `json:"carrier_id"`
	InternalNotes string `json:"internal_notes"`
}

var orderStatuses = []string{"pending", "paid", "shipped", "delivered", "cancelled"}

func (s *Shop) showOrder(o orderRow) any {
	if s.flawed("response-excessive-data") {
		return o
	}
	return o.Order
}

// listOrders gives the caller's orders, or anybody's to an administrator.
func (s *Shop) listOrders(w http.ResponseWriter, r *request) error {
	q, err := readQuery(r)
	if err != nil {
		return err
	}
	owner := q.number("user_id", 0, 1, 1<<53)
	status, limit := q.oneOf("status", orderStatuses...), s.limit(q)
	after := q.number("cursor", 0, 0, 1<<53)
	if err := q.done(); err != nil {
		return err
	}
	if r.caller != nil && !r.caller.admin() { // nobody gets this far only by the flaw authn-missing
		if owner == 0 && !s.flawed("authz-object-list") {
			owner = r.caller.ID
		}
		if owner != 0 && owner != r.caller.ID && !s.flawed("authz-query-owner") {
			return forbidden("these are not your orders")
		}
	}
	os, err := s.db.orders(r.Context(), owner, status, after, limit+1)
	if err != nil {
		return err
	}
	page := map[string]any{}
	if int64(len(os)) > limit {
		os = os[:limit]
		page["next"] = strconv.FormatInt(os[limit-1].ID, 10)
	}
	items := []any{}
	for _, o := range os {
		items = append(items, s.showOrder(o))
	}
	page["items"] = items
	return reply(w, http.StatusOK, page)
}

func (s *Shop) placeOrder(w http.ResponseWriter, r *request) error {
	o, err := s.readObject(r)
	if err != nil {
		return err
	}
	now := stamp(s.now())
	row := orderRow{Order: Order{UserID: r.caller.ID, Status: "pending", CreatedAt: now, UpdatedAt: now}, CarrierID: 9001}
	row.Items = readItems(o, true)
	row.Note, row.ShippingAddress = o.text("note", false, 0, 500), o.text("shipping_address", true, 1, 200)
	var total Money
	if s.flawed("request-mass-assignment") {
		total = o.money("total", false, 0, 1<<40)
		if id := o.number("user_id", false, 1, 1<<53); id > 0 {
			row.UserID = id
		}
	}
	if err := o.done(); err != nil {
		return err
	}
	if err := s.db.placeOrder(r.Context(), &row, total); err != nil {
		return err
	}
	return created(w, s.where("/v1/orders/", row.ID), s.showOrder(row))
}

// readItems reads the lines of an order. Prices are the shop's business.
func readItems(o *object, required bool) []Item {
	raw, ok := o.take("items", required)
	if !ok {
		return nil
	}
	var lines []map[string]json.RawMessage
	if json.Unmarshal(raw, &lines) != nil || len(lines) < 1 || len(lines) > 20 {
		o.wrong("items", "must be a list of 1 to 20 items")
		return nil
	}
	var items []Item
	for i, members := range lines {
		line := &object{members: members, lax: o.lax}
		items = append(items, Item{ProductID: line.number("product_id", true, 1, 1<<53), Quantity: line.number("quantity", true, 1, 100)})
		if p := (*problem)(nil); errors.As(line.done(), &p) {
			for _, e := range p.Errors {
				o.wrong("items/"+strconv.Itoa(i)+"/"+e.Field, e.Error)
			}
		}
	}
	return items
}

// theOrder loads the order of the path for its owner or an administrator. For
// everybody else there is none, unless the flaw lets them.
func (s *Shop) theOrder(r *request, flaw string) (orderRow, error) {
	id, err := pathID(r)
	if err != nil {
		return orderRow{}, err
	}
	o, err := s.db.order(r.Context(), id)
	if errors.Is(err, errNone) {
		return orderRow{}, notFound()
	}
	if err == nil && o.UserID != r.caller.ID && !r.caller.admin() && !s.flawed(flaw) {
		if s.flawed("authz-existence") {
			return orderRow{}, forbidden("this is not your order")
		}
		return orderRow{}, notFound()
	}
	return o, err
}

func (s *Shop) getOrder(w http.ResponseWriter, r *request) error {
	o, err := s.theOrder(r, "authz-object")
	if err != nil {
		return err
	}
	if r.URL.Query().Get("action") == "cancel" && s.flawed("request-get-changes") {
		o.Status = "cancelled"
		if err := s.db.saveOrder(r.Context(), &o); err != nil {
			return err
		}
	}
	return reply(w, http.StatusOK, s.showOrder(o))
}

// putOrder replaces all that a client may set; a note that is not given is gone.
func (s *Shop) putOrder(w http.ResponseWriter, r *request) error {
	return s.changeOrder(w, r, func(b *object, o *orderRow) {
		o.Items = readItems(b, true)
		o.Note, o.ShippingAddress = b.text("note", false, 0, 500), b.text("shipping_address", true, 1, 200)
	})
}

// patchOrder changes only what is named.
func (s *Shop) patchOrder(w http.ResponseWriter, r *request) error {
	return s.changeOrder(w, r, func(b *object, o *orderRow) {
		note, address := b.text("note", false, 0, 500), b.text("shipping_address", false, 1, 200)
		if b.has("note") {
			o.Note = note
		}
		if b.has("shipping_address") {
			o.ShippingAddress = address
		}
	}, "application/merge-patch+json")
}

func (s *Shop) changeOrder(w http.ResponseWriter, r *request, read func(*object, *orderRow), types ...string) error {
	o, err := s.theOrder(r, "authz-object-write")
	if err != nil {
		return err
	}
	b, err := s.readObject(r, types...)
	if err != nil {
		return err
	}
	read(b, &o)
	if b.has("status") && !r.caller.admin() {
		return forbidden("the status is set by administrators")
	}
	if status := b.oneOf("status", false, orderStatuses...); status != "" {
		o.Status = status
	}
	if err := b.done(); err != nil {
		return err
	}
	if (o.Status == "shipped" || o.Status == "delivered") && !r.caller.admin() {
		return refuse(http.StatusConflict, "the parcel is on its way")
	}
	o.UpdatedAt = stamp(s.now())
	if err := s.db.saveOrder(r.Context(), &o); err != nil {
		return err
	}
	s.events.publish(o.Order)
	return reply(w, http.StatusOK, s.showOrder(o))
}

func (s *Shop) deleteOrder(w http.ResponseWriter, r *request) error {
	o, err := s.theOrder(r, "authz-object-delete")
	if err != nil {
		return err
	}
	if _, err := exec(r.Context(), s.db.db, `DELETE FROM orders WHERE id = ?`, o.ID); err != nil && !errors.Is(err, errNone) {
		return err
	}
	if s.flawed("status-204-body") && talkative(w) {
		return nil
	}
	return noContent(w)
}

// talkative answers 204 with content, past net/http, which would not. It
// reports false where the connection cannot be had.
func talkative(w http.ResponseWriter) bool {
	h := w.Header()
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return false
	}
	defer conn.Close()
	const body = `{"deleted":true}`
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Connection", "close")
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 204 No Content\r\n")
	h.Write(&b)
	b.WriteString("\r\n" + body)
	conn.Write(b.Bytes())
	return true
}

// where is what Location says of a new object.
func (s *Shop) where(path string, id int64) string {
	if s.flawed("status-201-location") {
		return ""
	}
	return path + strconv.FormatInt(id, 10)
}

// orderStatus tells a courier how an order stands that it carries.
func (s *Shop) orderStatus(w http.ResponseWriter, r *request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	o, err := s.db.order(r.Context(), id)
	if errors.Is(err, errNone) || err == nil && o.CarrierID != r.caller.ID {
		return notFound()
	} else if err != nil {
		return err
	}
	return reply(w, http.StatusOK, map[string]any{
		"order_id": o.ID, "carrier_id": o.CarrierID, "status": o.Status, "updated_at": o.UpdatedAt,
	})
}

const selectOrder = `SELECT o.id, o.user_id, o.carrier_id, o.status, o.total, o.note, o.shipping_address, o.internal_notes, o.created_at, o.updated_at,
	(SELECT json_group_array(json_array(product_id, quantity, unit_price)) FROM order_items i WHERE i.order_id = o.id) FROM orders o`

func scanOrder(r row) (o orderRow, err error) {
	var items []byte
	o.Currency = "INR"
	err = r.Scan(&o.ID, &o.UserID, &o.CarrierID, &o.Status, &o.Total, &o.Note, &o.ShippingAddress, &o.InternalNotes, &o.CreatedAt, &o.UpdatedAt, &items)
	if err != nil {
		return o, err
	}
	var lines [][3]int64
	err = json.NewDecoder(bytes.NewReader(items)).Decode(&lines)
	for _, l := range lines {
		o.Items = append(o.Items, Item{l[0], l[1], Money(l[2])})
	}
	return o, err
}

func (s *store) order(ctx context.Context, id int64) (orderRow, error) {
	return one(ctx, s.db, scanOrder, selectOrder+` WHERE o.id = ?`, id)
}

// orders lists from the oldest. Zero and "" mean any.
func (s *store) orders(ctx context.Context, owner int64, status string, after, limit int64) ([]orderRow, error) {
	return all(ctx, s.db, scanOrder, selectOrder+` WHERE (?1 = 0 OR o.user_id = ?1) AND (?2 = '' OR o.status = ?2) AND o.id > ?3 ORDER BY o.id LIMIT ?4`,
		owner, status, after, limit)
}

// placeOrder writes a new order. A total other than zero is believed: see the
// flaw request-mass-assignment.
func (s *store) placeOrder(ctx context.Context, o *orderRow, total Money) error {
	return s.inTx(ctx, func(tx *sql.Tx) (err error) {
		if err = price(ctx, tx, o); err != nil {
			return err
		}
		if total != 0 {
			o.Total = total
		}
		o.ID, err = exec(ctx, tx, `INSERT INTO orders (user_id, carrier_id, status, total, note, shipping_address, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			o.UserID, o.CarrierID, o.Status, o.Total, o.Note, o.ShippingAddress, o.CreatedAt, o.UpdatedAt)
		if err != nil {
			return err
		}
		return saveItems(ctx, tx, o)
	})
}

func (s *store) saveOrder(ctx context.Context, o *orderRow) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		if err := price(ctx, tx, o); err != nil {
			return err
		}
		if _, err := exec(ctx, tx, `UPDATE orders SET status = ?, total = ?, note = ?, shipping_address = ?, updated_at = ? WHERE id = ?`,
			o.Status, o.Total, o.Note, o.ShippingAddress, o.UpdatedAt, o.ID); errors.Is(err, errNone) {
			return notFound() // deleted since it was read
		} else if err != nil {
			return err
		}
		if _, err := exec(ctx, tx, `DELETE FROM order_items WHERE order_id = ?`, o.ID); err != nil && !errors.Is(err, errNone) {
			return err
		}
		return saveItems(ctx, tx, o)
	})
}

// price fills in what the lines cost; those that had a price keep it.
func price(ctx context.Context, tx *sql.Tx, o *orderRow) error {
	o.Total, o.Currency = 0, "INR"
	for i := range o.Items {
		it := &o.Items[i]
		if it.UnitPrice == 0 {
			p, err := one(ctx, tx, scanProduct, selectProduct+` WHERE id = ?`, it.ProductID)
			if errors.Is(err, errNone) {
				return refuse(http.StatusUnprocessableEntity, "there is no product "+strconv.FormatInt(it.ProductID, 10))
			} else if err != nil {
				return err
			}
			it.UnitPrice = p.Price
		}
		o.Total += Money(it.Quantity) * it.UnitPrice
	}
	return nil
}

func saveItems(ctx context.Context, tx *sql.Tx, o *orderRow) error {
	for _, it := range o.Items {
		if _, err := exec(ctx, tx, `INSERT INTO order_items VALUES (?, ?, ?, ?)`, o.ID, it.ProductID, it.Quantity, it.UnitPrice); err != nil {
			return err
		}
	}
	return nil
}
