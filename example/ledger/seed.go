package ledger

import (
	"database/sql"
	"strings"
	"sync"
)

// What is in the ledger when it opens.

type seededUser struct{ user }

// short is the name before the @: what tests and scripts call the user.
func (u seededUser) short() string { name, _, _ := strings.Cut(u.Email, "@"); return name }

// Password is the password of a seeded user. These accounts are for showing.
func Password(name string) string { return name + "-counts-every-cent" }

const seedTime = "2026-11-02T09:30:00Z"

var seedUsers = []seededUser{
	{user{"usr_olga", "acme", "owner", "olga@acme.example", "Olga Petrova", seedTime}},
	{user{"usr_carl", "acme", "clerk", "carl@acme.example", "Carl Jensen", seedTime}},
	{user{"usr_cleo", "acme", "clerk", "cleo@acme.example", "Cleo Marsh", seedTime}},
	{user{"usr_anna", "acme", "auditor", "anna@acme.example", "Anna Weiss", seedTime}},
	{user{"usr_boris", "bluebird", "owner", "boris@bluebird.example", "Boris Adler", seedTime}},
	{user{"usr_bina", "bluebird", "clerk", "bina@bluebird.example", "Bina Shah", seedTime}},
}

// AnEntry is an entry of acme's main book that carl wrote, there from the start.
const AnEntry = "6f1c1f0e-2d5a-4c1b-9d53-0a8b1f3f6a01"

// seedHashes are made once a process: each costs as much as a log-in.
var seedHashes = sync.OnceValues(func() (map[string][]byte, error) {
	m := map[string][]byte{}
	for _, u := range seedUsers {
		var err error
		if m[u.Subject], err = hashPassword(Password(u.short())); err != nil {
			return nil, err
		}
	}
	return m, nil
})

func seed(tx *sql.Tx) error {
	hashes, failed := seedHashes()
	exec := func(text string, args ...any) {
		if _, err := tx.Exec(text, args...); err != nil && failed == nil {
			failed = err
		}
	}
	exec(`INSERT INTO tenants VALUES ('acme', 'Acme Tools', 'team', '+45 20 30 40 50', 'DK-10203040'), ('bluebird', 'Bluebird Café', 'solo', NULL, 'DE-99887766')`)
	for _, u := range seedUsers {
		exec(`INSERT INTO users VALUES (?, ?, ?, ?, ?, ?, ?)`, u.Subject, u.Tenant, u.Role, u.Email, u.Name, u.CreatedAt, hashes[u.Subject])
	}
	for _, b := range [][3]string{{"acme", "main", "General ledger"}, {"acme", "petty-cash", "Petty cash"}, {"bluebird", "main", "General ledger"}} {
		exec(`INSERT INTO books VALUES (?, ?, ?, 'EUR', '{"year":"2026"}', 'open', 1, ?, 0)`, b[0], b[1], b[2], seedTime)
	}
	entry := func(id, tenant, kind, memo string, cents int, one, other, by string) {
		exec(`INSERT INTO entries (id, tenant, book, kind, status, cents, booked_at, memo, metadata, one_side, other_side, created_by, created_at, version)
			VALUES (?, ?, 'main', ?, 'posted', ?, ?, ?, '{"cost-centre":"12"}', ?, ?, ?, ?, 1)`, id, tenant, kind, cents, seedTime, memo, one, other, by, seedTime)
	}
	entry(AnEntry, "acme", "payment", "rent for November", 240000, "Harbour Estates", "DK5000400440116243", "usr_carl")
	entry("6f1c1f0e-2d5a-4c1b-9d53-0a8b1f3f6a02", "acme", "transfer", "float for the fair", 30000, "bank", "petty-cash", "usr_cleo")
	entry("6f1c1f0e-2d5a-4c1b-9d53-0a8b1f3f6a03", "acme", "payment", "pallets", 51250, "Timber & Sons", "DE89370400440532013000", "usr_carl")
	entry("b2d9a3c4-77e1-4f60-8a44-5c2d9e0f7b01", "bluebird", "payment", "beans", 18990, "Roastery North", "DE75512108001245126199", "usr_bina")
	return failed
}
