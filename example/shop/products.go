package shop

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/csv"
	"errors"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"strconv"
	"strings"
)

// A Product is what the shop tells of a product.
type Product struct {
	ID          int64  `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	Price       Money  `json:"price"`
	Stock       int64  `json:"stock"`
}

// productRow is the whole row. It is sent only by the flaw.
type productRow struct {
	Product
	SupplierPrice Money `json:"supplier_price"`
}

func (s *Shop) showProduct(p productRow) any {
	if s.flawed("response-excessive-data") {
		return p
	}
	return p.Product
}

// mayCache says that an answer is the same for everybody. One that was asked
// for with a credential is kept private all the same.
func mayCache(w http.ResponseWriter, r *request) {
	if r.caller == nil {
		w.Header().Set("Cache-Control", "public, max-age=60")
	}
}

// listProducts lists the products, or those that the words of q occur in.
func (s *Shop) listProducts(w http.ResponseWriter, r *request) error {
	q, err := readQuery(r)
	if err != nil {
		return err
	}
	words := q.text("q", 100)
	sort := s.productOrder(q)
	limit, offset := s.limit(q), q.number("offset", 0, 0, 1_000_000)
	if err := q.done(); err != nil {
		return err
	}
	ps, err := s.db.products(r.Context(), words, sort, limit, offset, s.flawed("response-error-details"))
	if err != nil {
		return err
	}
	items := []any{}
	for _, p := range ps {
		items = append(items, s.showProduct(p))
	}
	mayCache(w, r)
	return reply(w, http.StatusOK, map[string]any{"items": items})
}

// productOrders are the orders that products may be listed in.
var productOrders = map[string]string{"": "id", "id": "id", "name": "name, id", "price": "price, id", "-price": "price DESC, id"}

// productOrder reads the order of a list, for ORDER BY.
func (s *Shop) productOrder(q *query) string {
	if s.flawed("request-injection") {
		if text := q.text("sort", 400); text != "" {
			return text // as it came: "price", or a query of its own
		}
		return productOrders[""]
	}
	return productOrders[q.oneOf("sort", "id", "name", "price", "-price")]
}

func (s *Shop) theProduct(r *request) (productRow, error) {
	id, err := pathID(r)
	if err != nil {
		return productRow{}, err
	}
	p, err := one(r.Context(), s.db.db, scanProduct, selectProduct+` WHERE id = ?`, id)
	if errors.Is(err, errNone) {
		return productRow{}, notFound()
	}
	return p, err
}

func (s *Shop) getProduct(w http.ResponseWriter, r *request) error {
	p, err := s.theProduct(r)
	if err != nil {
		return err
	}
	mayCache(w, r)
	if s.flawed("response-content-type") {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
	}
	return reply(w, http.StatusOK, s.showProduct(p))
}

func readProduct(o *object, p *productRow) {
	p.Name, p.Description = o.text("name", true, 1, 100), o.text("description", true, 0, 2000)
	p.Price, p.Stock = o.money("price", true, 1, 100_000_000), o.number("stock", true, 0, 1_000_000)
}

func (s *Shop) addProduct(w http.ResponseWriter, r *request) error {
	o, err := s.readObject(r)
	if err != nil {
		return err
	}
	var p productRow
	readProduct(o, &p)
	if err := o.done(); err != nil {
		return err
	}
	if err := s.db.saveProduct(r.Context(), &p); err != nil {
		return err
	}
	return created(w, s.where("/v1/products/", p.ID), s.showProduct(p))
}

func (s *Shop) putProduct(w http.ResponseWriter, r *request) error {
	return s.changeProduct(w, r, readProduct)
}

func (s *Shop) patchProduct(w http.ResponseWriter, r *request) error {
	return s.changeProduct(w, r, func(o *object, p *productRow) {
		name, description := o.text("name", false, 1, 100), o.text("description", false, 0, 2000)
		price, stock := o.money("price", false, 1, 100_000_000), o.number("stock", false, 0, 1_000_000)
		if o.has("name") {
			p.Name = name
		}
		if o.has("description") {
			p.Description = description
		}
		if o.has("price") {
			p.Price = price
		}
		if o.has("stock") {
			p.Stock = stock
		}
	}, "application/merge-patch+json")
}

func (s *Shop) changeProduct(w http.ResponseWriter, r *request, read func(*object, *productRow), types ...string) error {
	p, err := s.theProduct(r)
	if err != nil {
		return err
	}
	o, err := s.readObject(r, types...)
	if err != nil {
		return err
	}
	read(o, &p)
	if err := o.done(); err != nil {
		return err
	}
	if err := s.db.saveProduct(r.Context(), &p); err != nil {
		return err
	}
	return reply(w, http.StatusOK, s.showProduct(p))
}

func (s *Shop) deleteProduct(w http.ResponseWriter, r *request) error {
	p, err := s.theProduct(r)
	if err != nil {
		return err
	}
	if err := s.db.deleteProduct(r.Context(), p.ID); err != nil {
		return err
	}
	return noContent(w)
}

// photo draws a picture of the product, for want of a camera.
func (s *Shop) photo(w http.ResponseWriter, r *request) error {
	p, err := s.theProduct(r)
	if err != nil {
		return err
	}
	if s.flawed("status-redirect") && p.ID > 1 {
		// Moved to a server for pictures, once to its own, once to somebody's.
		to := "http://" + r.Host + "/photos/" + strconv.FormatInt(p.ID, 10) + ".png"
		if p.ID%2 == 1 {
			to = "https://pictures.evil.example/" + strconv.FormatInt(p.ID, 10) + ".png"
		}
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusFound)
		return nil
	}
	img := image.NewGray(image.Rect(0, 0, 128, 128))
	for y := range 128 {
		for x := range 128 {
			img.SetGray(x, y, color.Gray{uint8((x*y + int(p.ID)*40) % 256)})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return err
	}
	mayCache(w, r)
	w.Header().Set("Content-Type", "image/png")
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	_, err = w.Write(b.Bytes())
	return err
}

// productFeed is the price list for partners' programs.
func (s *Shop) productFeed(w http.ResponseWriter, r *request) error {
	ps, err := s.db.products(r.Context(), "", "id", 1000, 0, false)
	if err != nil {
		return err
	}
	rows := [][]string{{"id", "name", "price", "currency", "stock"}}
	for _, p := range ps {
		rows = append(rows, []string{strconv.FormatInt(p.ID, 10), cell(p.Name), p.Price.String(), "INR", strconv.FormatInt(p.Stock, 10)})
	}
	return sendCSV(w, "products.csv", rows)
}

func sendCSV(w http.ResponseWriter, name string, rows [][]string) error {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	return csv.NewWriter(w).WriteAll(rows)
}

// cell keeps a spreadsheet from running text that somebody wrote as a formula.
func cell(text string) string {
	if text != "" && strings.Contains("=+-@\t\r", text[:1]) {
		return "'" + text
	}
	return text
}

const selectProduct = `SELECT id, name, description, price, stock, supplier_price FROM products`

func scanProduct(r row) (p productRow, err error) {
	return p, r.Scan(&p.ID, &p.Name, &p.Description, &p.Price, &p.Stock, &p.SupplierPrice)
}

// products lists products in an order; words, if any, must all occur. Raw hands them to the
// full-text engine as they are, where a quotation mark is syntax.
func (s *store) products(ctx context.Context, words, order string, limit, offset int64, raw bool) ([]productRow, error) {
	if words == "" {
		return all(ctx, s.db, scanProduct, selectProduct+` ORDER BY `+order+` LIMIT ? OFFSET ?`, limit, offset)
	}
	if !raw {
		var terms []string
		for w := range strings.FieldsSeq(words) {
			terms = append(terms, `"`+strings.ReplaceAll(w, `"`, `""`)+`"`)
		}
		words = strings.Join(terms, " ")
	}
	return all(ctx, s.db, scanProduct, selectProduct+` WHERE id IN (SELECT rowid FROM product_words WHERE product_words MATCH ?) ORDER BY `+order+` LIMIT ? OFFSET ?`,
		words, limit, offset)
}

// saveProduct writes a product, a new one if it has no ID, and its words.
func (s *store) saveProduct(ctx context.Context, p *productRow) error {
	return s.inTx(ctx, func(tx *sql.Tx) (err error) {
		if p.ID == 0 {
			p.ID, err = exec(ctx, tx, `INSERT INTO products (name, description, price, stock) VALUES (?, ?, ?, ?)`, p.Name, p.Description, p.Price, p.Stock)
		} else {
			_, err = exec(ctx, tx, `UPDATE products SET name = ?, description = ?, price = ?, stock = ? WHERE id = ?`, p.Name, p.Description, p.Price, p.Stock, p.ID)
		}
		if errors.Is(err, errNone) {
			return notFound()
		} else if err != nil {
			return err
		}
		_, err = exec(ctx, tx, `INSERT OR REPLACE INTO product_words (rowid, name, description) VALUES (?, ?, ?)`, p.ID, p.Name, p.Description)
		return err
	})
}

func (s *store) deleteProduct(ctx context.Context, id int64) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM product_words WHERE rowid = ?`, id); err != nil {
			return err
		}
		_, err := exec(ctx, tx, `DELETE FROM products WHERE id = ?`, id)
		if errors.Is(err, errNone) {
			return notFound()
		}
		return err
	})
}
