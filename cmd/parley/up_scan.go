package main

import (
	"context"
	"io"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	calls "github.com/parley-project/parley/call/run"
	"github.com/parley-project/parley/console"
	"github.com/parley-project/parley/scan"
)

// scans are the two addresses that up's console shows the scans of: the open
// one and the guarded one. They can be scanned from there when somebody is known
// to ask as.
func (u *up) scans() ([]console.Scan, error) {
	as, err := u.askers()
	if err != nil {
		return nil, err
	}
	var out []console.Scan
	for _, at := range []struct{ name, url, store string }{
		{"open", u.openURL(), "scan.db"}, {"guarded", u.stand.url(), "scan-guarded.db"},
	} {
		store := filepath.Join(u.o.dir, at.store)
		s := console.Scan{Name: at.name, URL: at.url, Last: console.ScanFile(resultFile(store)), Store: usualStore(store)}
		if len(as) > 0 {
			s.Run = func(ctx context.Context, told func(scan.Progress)) (*scan.Result, error) {
				o := u.scanOptions(store, as)
				if at.name == "guarded" {
					o.cacert = u.stand.caFile
				}
				return u.scan(ctx, o, at.url, told)
			}
		}
		out = append(out, s)
	}
	return out, nil
}

// usualStore is a store, or nothing when it is the one that parley scan takes by
// itself.
func usualStore(store string) string {
	if store == filepath.Join(".parley", "scan.db") {
		return ""
	}
	return store
}

// askers are those as whom a scan asks, as --as takes them: the shop's people
// by the files of their credentials, or all that the policy names.
func (u *up) askers() (as []string, err error) {
	if u.shop == nil {
		people, err := u.people()
		if err != nil {
			return nil, err
		}
		return slices.Sorted(maps.Keys(people)), nil
	}
	for _, name := range shopPeople {
		as = append(as, name+"=@"+u.tokenFile(name))
	}
	for _, p := range u.shop.Partners()[:1] {
		file := filepath.Join(u.o.dir, p.Name+".key")
		if err := writeSecret(file, []byte(u.keys.KeyHeader+": "+p.Key)); err != nil {
			return nil, err
		}
		as = append(as, p.Name+"=@"+file)
	}
	return as, nil
}

// scanOptions are what somebody would type to scan the same.
func (u *up) scanOptions(store string, as []string) *scanOptions {
	o := &scanOptions{}
	o.flags(&cobra.Command{}) // what is usual
	o.store, o.as = store, as
	o.api, o.config = u.o.api, u.o.policy
	if u.shop != nil {
		o.api = filepath.Join(u.o.dir, "shop", "openapi.yaml")
	}
	return o
}

// scan asks at one address, records in up's store, and keeps the result beside it.
func (u *up) scan(ctx context.Context, o *scanOptions, at string, told func(scan.Progress)) (*scan.Result, error) {
	if err := o.check([]string{at}); err != nil {
		return nil, err
	}
	co, err := o.client()
	if err != nil {
		return nil, err
	}
	// What is asked of guard is asked of the API behind it.
	behind, err := url.Parse(u.openURL())
	if err != nil {
		return nil, err
	}
	for _, to := range []*url.URL{behind, o.target} {
		if err := o.mayScan(ctx, to, &co); err != nil {
			return nil, err
		}
	}
	k, err := o.know(ctx, strings.NewReader(""), io.Discard)
	if err != nil {
		return nil, err
	}
	defer k.close()
	so, err := o.options(ctx, k, co)
	if err != nil {
		return nil, err
	}
	if u.shop == nil { // what is made in the shop is gone when it ends
		so.Journal = filepath.Join(u.o.dir, filepath.Base(o.journal))
	}
	seen := &scanWitness{secrets: calls.NewMasker(false), db: u.db}
	so.Recorder, so.Progress = seen, told
	res, err := scan.Run(ctx, so)
	if err != nil {
		seen.hand(nil)
		return nil, scanError(err, o)
	}
	res.Mask(seen.masked, seen.secrets.Text)
	seen.hand(res)
	if err := u.db.Flush(context.WithoutCancel(ctx)); err != nil {
		return nil, err
	}
	return res, o.keep(o.document(res))
}
