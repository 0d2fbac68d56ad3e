package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"text/tabwriter"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/console"
	"github.com/parley-project/parley/example/shop"
	"github.com/parley-project/parley/exchange"
)

// attack is a row of the before-and-after table.
type attack struct {
	Flaw    string `json:"flaw"`
	Name    string `json:"name"`
	Request string `json:"request"` // "DELETE /v1/orders/887 as rajan"
	Open    played `json:"open"`
	Guarded played `json:"guarded"`
}

// played is what came of an attack on one address.
type played struct {
	Status   int         `json:"status"`
	Says     string      `json:"says"`    // "204 gone", "403 refused"
	Worked   bool        `json:"worked"`  // the attacker got what he wanted
	Stopped  bool        `json:"stopped"` // refused, filtered or repaired, and no harm done
	Exchange exchange.ID `json:"exchange,omitempty"`
}

// playAttacks runs every attack on the open and on the guarded address.
func (u *up) playAttacks(ctx context.Context) ([]attack, error) {
	open := &http.Client{Transport: &witness{next: http.DefaultTransport, up: u}}
	guarded, err := trustingClient(u.stand.caFile)
	if err != nil {
		return nil, err
	}
	defer guarded.CloseIdleConnections()

	all := shop.Attacks()
	rows := make([]attack, 0, len(all))
	for i, a := range all {
		progress(u.stderr, "playing attack %d of %d", i+1, len(all))
		row := attack{Flaw: a.Flaw, Name: a.Name}
		var ids []exchange.ID
		if row.Request, row.Open, ids, err = u.play(ctx, open, u.openURL(), a, nil); err != nil {
			return nil, fmt.Errorf("attack on the open address: %w", err)
		}
		if _, row.Guarded, _, err = u.play(ctx, guarded, u.stand.url(), a, ids); err != nil {
			return nil, fmt.Errorf("attack on the guarded address: %w", err)
		}
		rows = append(rows, row)
	}
	progress(u.stderr, "")
	return rows, nil
}

// play runs one attack on one address, and finds the exchanges of its steps.
// with are those of the same steps elsewhere, to compare them with.
func (u *up) play(ctx context.Context, client *http.Client, base string, a shop.Attack, with []exchange.ID) (title string, p played, ids []exchange.ID, err error) {
	var names []string
	out, err := shop.Run(ctx, client, base, u.keys, a, func(r *http.Request) {
		name := "attack-" + string(exchange.NewID(startOf()))
		r.Header.Set("X-Request-Id", name)
		var other exchange.ID
		if len(names) < len(with) {
			other = with[len(names)]
		}
		u.recorder.expect(name, other)
		names = append(names, name)
	})
	if err != nil {
		return "", played{}, nil, err
	}
	for _, name := range names {
		ids = append(ids, u.recorder.found(name))
	}
	p = played{Status: out.Responses.Telling().Status, Says: out.Summary, Worked: out.Worked, Stopped: out.Stopped}
	if out.Telling < len(ids) {
		p.Exchange = ids[out.Telling]
	}
	return out.Title, p, ids, nil
}

// printAttacks writes the table, at most 80 columns wide.
func printAttacks(w io.Writer, rows []attack) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ATTACK\tOPEN\tGUARDED")
	for _, r := range rows {
		fmt.Fprintf(t, "%s\t%s\t%s\n", shorten(r.Request, 45), shorten(r.Open.Says, 17), shorten(r.Guarded.Says, 14))
	}
	return t.Flush()
}

// summary counts the rows.
func summary(rows []attack) string {
	worked, stopped := 0, 0
	for _, r := range rows {
		if r.Open.Worked {
			worked++
		}
		if r.Guarded.Stopped {
			stopped++
		}
	}
	return fmt.Sprintf("%d attacks: %d work on the open address, %d are stopped on the guarded one.", len(rows), worked, stopped)
}

func shorten(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}

// consoleAttacks are the rows as the console draws them.
func (u *up) consoleAttacks() func() []console.Attack {
	if u.shop == nil {
		return nil
	}
	var rows []console.Attack
	facts := map[string][]int{}
	for _, f := range shop.Flaws {
		facts[f.ID] = f.Conversation
	}
	for _, a := range u.attacks {
		request, as, _ := strings.Cut(a.Request, " as ")
		row := console.Attack{Name: a.Name, Check: a.Flaw, Request: strings.TrimSuffix(request, ","), As: as, Conversation: facts[a.Flaw],
			Open: sideOf(a.Open), Guarded: sideOf(a.Guarded)}
		if c := check.ByID(a.Flaw); c != nil {
			row.Why = c.Summary()
		}
		rows = append(rows, row)
	}
	return func() []console.Attack { return rows }
}

func sideOf(p played) console.Played {
	_, word, _ := strings.Cut(p.Says, " ")
	out := console.Played{ID: p.Exchange, Status: p.Status, Says: word, Outcome: "failed"}
	switch {
	case p.Worked:
		out.Outcome = "worked"
	case strings.Contains(word, "refused"), strings.Contains(word, "right"):
		out.Outcome = "refused"
	case strings.Contains(word, "filtered"):
		out.Outcome = "filtered"
	case strings.Contains(word, "repaired"):
		out.Outcome = "repaired"
	}
	return out
}
