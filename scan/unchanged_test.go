package scan_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	_ "modernc.org/sqlite"
)

// volatile are tables that logging in and looking writes to.
var volatile = map[string]bool{"revoked": true, "sqlite_sequence": true, "product_words_data": true, "product_words_idx": true, "review_views": true}

// snapshot reads all rows of a database by table.
func snapshot(t testing.TB, file string) map[string]map[string]bool {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+file+"?mode=ro&_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	names, err := db.Query(`SELECT name FROM sqlite_schema WHERE type = 'table'`)
	if err != nil {
		t.Fatal(err)
	}
	var tables []string
	for names.Next() {
		var n string
		if err := names.Scan(&n); err != nil {
			t.Fatal(err)
		}
		if !volatile[n] {
			tables = append(tables, n)
		}
	}
	out := map[string]map[string]bool{}
	for _, name := range tables {
		rows, err := db.Query(`SELECT * FROM "` + name + `"`)
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		out[name] = map[string]bool{}
		for rows.Next() {
			values := make([]any, len(columns))
			at := make([]any, len(columns))
			for i := range values {
				at[i] = &values[i]
			}
			if err := rows.Scan(at...); err != nil {
				t.Fatal(err)
			}
			out[name][fmt.Sprintf("%q", values)] = true
		}
		rows.Close()
	}
	return out
}

// unchanged fails when a row that was there before is not there any more, byte
// for byte.
func unchanged(t testing.TB, file string, before map[string]map[string]bool) {
	t.Helper()
	after := snapshot(t, file)
	var missing []string
	for table, rows := range before {
		for row := range rows {
			if !after[table][row] {
				missing = append(missing, table+" "+row)
			}
		}
	}
	if len(missing) > 0 {
		t.Errorf("%d rows that were there before were changed:\n%s", len(missing), strings.Join(missing, "\n"))
	}
}
