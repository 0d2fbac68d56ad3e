package shop

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"strconv"
)

// An Account is a user's money in the shop.
type Account struct {
	UserID        int64  `json:"user_id"`
	AccountNumber string `json:"account_number"` // XXXX and the last four digits
	Balance       Money  `json:"balance"`
	Currency      string `json:"currency"`
	Frozen        bool   `json:"frozen"`
}

// A Transfer moves money between two users.
type Transfer struct {
	ID         int64  `json:"id"`
	FromUserID int64  `json:"from_user_id"`
	ToUserID   int64  `json:"to_user_id"`
	Amount     Money  `json:"amount"`
	Currency   string `json:"currency"`
	Note       string `json:"note"`
	CreatedAt  string `json:"created_at"`
}

func (s *Shop) getAccount(w http.ResponseWriter, r *request) error {
	id := int64(101) // the tester of the first days; reached only by the flaw authn-missing
	if r.caller != nil {
		id = r.caller.ID
	}
	a, err := one(r.Context(), s.db.db, scanAccount, selectAccount, id)
	if err != nil {
		return err
	}
	if !s.flawed("response-account-number") {
		a.AccountNumber = mask(a.AccountNumber)
	}
	if s.flawed("response-cache-public") {
		w.Header().Set("Cache-Control", "public, max-age=300")
	}
	return reply(w, http.StatusOK, a)
}

func mask(number string) string { return "XXXX" + number[max(0, len(number)-4):] }

// setBalance is what a framework makes of a table by itself. Nobody wrote it
// down, and nobody asked who may use it. Only the flaw request-method has it.
func (s *Shop) setBalance(w http.ResponseWriter, r *request) error {
	o, err := s.readObject(r)
	if err != nil {
		return err
	}
	balance := o.money("balance", true, 0, 1<<40)
	if err := o.done(); err != nil {
		return err
	}
	if _, err := exec(r.Context(), s.db.db, `UPDATE accounts SET balance = ? WHERE user_id = ?`, balance, r.caller.ID); err != nil {
		return err
	}
	return s.getAccount(w, r)
}

// freeze blocks all payments out of the caller's account.
func (s *Shop) freeze(w http.ResponseWriter, r *request) error { return s.setFrozen(w, r, true) }

func (s *Shop) unfreeze(w http.ResponseWriter, r *request) error { return s.setFrozen(w, r, false) }

func (s *Shop) setFrozen(w http.ResponseWriter, r *request, frozen bool) error {
	if _, err := exec(r.Context(), s.db.db, `UPDATE accounts SET frozen = ? WHERE user_id = ?`, frozen, r.caller.ID); err != nil {
		return err
	}
	return noContent(w)
}

func (s *Shop) transfer(w http.ResponseWriter, r *request) error {
	o, err := s.readObject(r)
	if err != nil {
		return err
	}
	t := Transfer{FromUserID: r.caller.ID, Currency: "INR", CreatedAt: stamp(s.now())}
	// Whose money it is says the credential; saying it again is allowed.
	if from := o.number("from_user_id", false, 1, 1<<53); from != 0 && from != r.caller.ID {
		if !s.flawed("authz-body-owner") {
			return forbidden("that is not your account")
		}
		t.FromUserID = from
	}
	t.ToUserID, t.Amount, t.Note = o.number("to_user_id", true, 1, 1<<53), o.money("amount", true, 1, 10_000_000), o.text("note", false, 0, 140)
	if err := o.done(); err != nil {
		return err
	}
	if err := s.db.transfer(r.Context(), &t); err != nil {
		return err
	}
	return created(w, s.where("/v1/account/transfers/", t.ID), t)
}

func (s *Shop) listTransfers(w http.ResponseWriter, r *request) error {
	q, err := readQuery(r)
	if err != nil {
		return err
	}
	limit := s.limit(q)
	if err := q.done(); err != nil {
		return err
	}
	ts, err := s.db.transfers(r.Context(), r.caller.ID, limit)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, map[string]any{"items": ts})
}

// getTransfer shows a transfer to its two sides.
func (s *Shop) getTransfer(w http.ResponseWriter, r *request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	t, err := one(r.Context(), s.db.db, scanTransfer, selectTransfer+` WHERE id = ?`, id)
	if errors.Is(err, errNone) || err == nil && t.FromUserID != r.caller.ID && t.ToUserID != r.caller.ID {
		return notFound()
	} else if err != nil {
		return err
	}
	return reply(w, http.StatusOK, t)
}

// statement is the caller's transfers as a file to keep.
func (s *Shop) statement(w http.ResponseWriter, r *request) error {
	if wait, ok := s.files.allow(strconv.FormatInt(r.caller.ID, 10), s.now()); !ok {
		return s.comeAgain("too many statements", wait)
	}
	ts, err := s.db.transfers(r.Context(), r.caller.ID, 1000)
	if err != nil {
		return err
	}
	rows := [][]string{{"date", "amount", "currency", "note"}}
	for _, t := range ts {
		if t.FromUserID == r.caller.ID {
			t.Amount = -t.Amount
		}
		rows = append(rows, []string{t.CreatedAt, t.Amount.String(), t.Currency, cell(t.Note)})
	}
	return sendCSV(w, "statement.csv", rows)
}

const selectAccount = `SELECT user_id, account_number, balance, frozen FROM accounts WHERE user_id = ?`

func scanAccount(r row) (a Account, err error) {
	a.Currency = "INR"
	return a, r.Scan(&a.UserID, &a.AccountNumber, &a.Balance, &a.Frozen)
}

const selectTransfer = `SELECT id, from_user_id, to_user_id, amount, note, created_at FROM transfers`

func scanTransfer(r row) (t Transfer, err error) {
	t.Currency = "INR"
	return t, r.Scan(&t.ID, &t.FromUserID, &t.ToUserID, &t.Amount, &t.Note, &t.CreatedAt)
}

func (s *store) transfers(ctx context.Context, userID, limit int64) ([]Transfer, error) {
	return all(ctx, s.db, scanTransfer, selectTransfer+` WHERE from_user_id = ?1 OR to_user_id = ?1 ORDER BY id LIMIT ?2`, userID, limit)
}

// transfer moves the money in one transaction, or says why not.
func (s *store) transfer(ctx context.Context, t *Transfer) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		from, err := one(ctx, tx, scanAccount, selectAccount, t.FromUserID)
		if err != nil {
			return err
		}
		switch {
		case t.ToUserID == t.FromUserID:
			return refuse(http.StatusUnprocessableEntity, "that is your own account")
		case from.Frozen:
			return refuse(http.StatusConflict, "the account is frozen")
		case from.Balance < t.Amount:
			return refuse(http.StatusConflict, "the balance does not reach")
		}
		if _, err := exec(ctx, tx, `UPDATE accounts SET balance = balance + ? WHERE user_id = ?`, t.Amount, t.ToUserID); errors.Is(err, errNone) {
			return refuse(http.StatusUnprocessableEntity, "there is nobody to receive it")
		} else if err != nil {
			return err
		}
		if _, err := exec(ctx, tx, `UPDATE accounts SET balance = balance - ? WHERE user_id = ?`, t.Amount, t.FromUserID); err != nil {
			return err
		}
		t.ID, err = exec(ctx, tx, `INSERT INTO transfers (from_user_id, to_user_id, amount, note, created_at) VALUES (?, ?, ?, ?, ?)`,
			t.FromUserID, t.ToUserID, t.Amount, t.Note, t.CreatedAt)
		return err
	})
}
