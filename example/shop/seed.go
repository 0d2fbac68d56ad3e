package shop

import (
	"context"
	"database/sql"
	"strings"
	"sync"
)

// What is in the shop when it opens. It is the same each time, but for the salt
// of the password hashes.

type seededUser struct {
	userRow
	Balance Money
	Account string
}

// short is the name before the @: what tests and commands call the user.
func (u seededUser) short() string { name, _, _ := strings.Cut(u.Email, "@"); return name }

// Password is the password of a seeded user. These accounts are for showing;
// nothing of worth may stand behind them.
func Password(name string) string { return name + "-keeps-a-secret" }

var seedUsers = []seededUser{
	{userRow{User: User{ID: 1, Email: "asha@shop.example", Name: "Asha Rao", Phone: "+91 98000 00001", Role: "admin", Plan: "premium", InternalNotes: "runs the shop"}, CreditCard: "4000000000000002"}, 1_000_000, "50100234500001"},
	{userRow{User: User{ID: 101, Email: "priya@shop.example", Name: "Priya Nair", Phone: "+91 98000 00101", Role: "customer", Plan: "free", InternalNotes: "complained twice about late parcels"}, CreditCard: "4111111111111111"}, 2_450_075, "50100234561234"},
	{userRow{User: User{ID: 102, Email: "rajan@shop.example", Name: "Rajan Iyer", Phone: "+91 98000 00102", Role: "customer", Plan: "free", InternalNotes: "chargeback in March"}, CreditCard: "5555555555554444"}, 312_050, "50100234565678"},
	{userRow{User: User{ID: 103, Email: "sara@shop.example", Name: "Sara Thomas", Phone: "+91 98000 00103", Role: "customer", Plan: "premium", InternalNotes: "ask before calling"}, CreditCard: "378282246310005"}, 9_999_900, "50100234569012"},
	{userRow{User: User{ID: 104, Email: "meera@shop.example", Name: "Meera Das", Phone: "", Role: "customer", Plan: "free"}, CreditCard: "6011111111111117"}, 0, "50100234563456"},
}

func seedUser(name string) (seededUser, bool) {
	for _, u := range seedUsers {
		if u.short() == name {
			return u, true
		}
	}
	return seededUser{}, false
}

// seedHashes are made once a process: each costs as much as a log-in.
var seedHashes = sync.OnceValues(func() (map[string]string, error) {
	m := map[string]string{}
	for _, u := range seedUsers {
		var err error
		if m[u.Email], err = hashPassword(context.Background(), Password(u.short())); err != nil {
			return nil, err
		}
	}
	return m, nil
})

var seedProducts = []productRow{
	{Product{1, "Filter coffee, 500 g", "Dark roast from Chikmagalur, ground for a metal filter.", 44_900, 120}, 21_000},
	{Product{2, "Steel tumbler", "Holds 200 ml and keeps it hot. \"Cooler\" than glass.", 24_900, 300}, 9_500},
	{Product{3, "Brass filter", "Two chambers, one plunger, a lifetime.", 129_900, 40}, 70_000},
	{Product{4, "Cardamom, 100 g", "Green, whole, from Idukki.", 39_900, 75}, 18_000},
	{Product{5, "Jaggery, 1 kg", "Unrefined cane sugar in blocks.", 14_900, 200}, 6_000},
	{Product{6, "Cotton tea towel", "Hand-woven in Kannur.", 19_900, 0}, 8_000},
}

type seededOrder struct {
	id, user, carrier int64
	status, note      string
	items             []Item
}

var seedOrders = []seededOrder{
	{881, 103, 9001, "delivered", "", []Item{{4, 2, 39_900}}},
	{882, 102, 9002, "delivered", "", []Item{{2, 4, 24_900}}},
	{883, 101, 9001, "delivered", "leave it with the neighbour", []Item{{1, 1, 44_900}, {5, 1, 14_900}}},
	{884, 101, 9002, "cancelled", "", []Item{{6, 3, 19_900}}},
	{885, 104, 9001, "shipped", "", []Item{{3, 1, 129_900}}},
	{886, 101, 9001, "shipped", "", []Item{{2, 2, 24_900}}},
	{887, 101, 9001, "pending", "a present: no invoice in the parcel, please", []Item{{3, 1, 129_900}, {1, 2, 44_900}}},
	{888, 102, 9001, "pending", "", []Item{{1, 1, 44_900}}},
	{889, 101, 9002, "pending", "", []Item{{5, 2, 14_900}}},
	{890, 103, 9002, "paid", "", []Item{{2, 6, 24_900}}},
}

const seedTime = "2026-11-02T09:30:00Z"

func seed(tx *sql.Tx) error {
	hashes, failed := seedHashes()
	exec := func(text string, args ...any) {
		if _, err := tx.Exec(text, args...); err != nil && failed == nil {
			failed = err
		}
	}
	for _, u := range seedUsers {
		exec(`INSERT INTO users VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			u.ID, u.Email, u.Name, u.Phone, u.Role, u.Plan, seedTime, u.InternalNotes, hashes[u.Email], u.CreditCard)
		exec(`INSERT INTO accounts VALUES (?, ?, ?, 0)`, u.ID, u.Account, u.Balance)
	}
	for _, p := range seedProducts {
		exec(`INSERT INTO products VALUES (?, ?, ?, ?, ?, ?)`, p.ID, p.Name, p.Description, p.Price, p.Stock, p.SupplierPrice)
		exec(`INSERT INTO product_words (rowid, name, description) VALUES (?, ?, ?)`, p.ID, p.Name, p.Description)
	}
	for _, o := range seedOrders {
		var total Money
		for _, i := range o.items {
			total += Money(i.Quantity) * i.UnitPrice
		}
		exec(`INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, '12 Lake Road, Kochi', 'margin checked', ?, ?)`,
			o.id, o.user, o.carrier, o.status, total, o.note, seedTime, seedTime)
		for _, i := range o.items {
			exec(`INSERT INTO order_items VALUES (?, ?, ?, ?)`, o.id, i.ProductID, i.Quantity, i.UnitPrice)
		}
	}
	exec(`INSERT INTO transfers VALUES (1, 101, 102, 50000, 'dinner', ?)`, seedTime)
	exec(`INSERT INTO transfers VALUES (2, 102, 103, 12500, 'tickets', ?)`, seedTime)
	exec(`INSERT INTO reviews VALUES (1, 1, 101, 5, 'Smells of the whole plantation.', ?), (2, 1, 102, 3, 'Too dark for me.', ?), (3, 2, 103, 4, 'Keeps what it says.', ?)`,
		seedTime, seedTime, seedTime)
	exec(`INSERT INTO review_views VALUES (1, 12), (2, 7), (3, 3)`)
	exec(`INSERT INTO questions VALUES (1, 3, 103, ?), (2, 2, 102, ?)`, seedTime, seedTime)
	exec(`INSERT INTO question_texts VALUES (1, 1, 'Does the plunger come off?', 0), (2, 2, 'Is it safe in a dishwasher?', 0)`)
	exec(`INSERT INTO wishlists VALUES (1, 101, 'For Onam', ?, ''), (2, 102, 'Mine alone', ?, '')`, seedTime, seedTime)
	exec(`INSERT INTO wishlist_readers VALUES (1, 103)`)
	exec(`INSERT INTO alerts VALUES (1, 101, 6), (2, 102, 6)`)
	// New rows start well away from these, so that nobody mistakes one for the other.
	for table, last := range map[string]int{"users": 1000, "products": 2000, "orders": 5000, "transfers": 20000,
		"reviews": 30000, "questions": 40000, "wishlists": 50000, "alerts": 60000} {
		exec(`UPDATE sqlite_sequence SET seq = ? WHERE name = ?`, last, table)
	}
	return failed
}
