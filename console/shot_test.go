package console

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/parley-project/parley/contract"
)

var shots = flag.String("shots", "", "directory to write pictures of the console's pages to")

// TestShots takes pictures of every page, light and dark:
//
//	go test ./console -run TestShots -shots DIR
func TestShots(t *testing.T) {
	if *shots == "" {
		t.Skip("takes pictures only when told where to: -shots DIR")
	}
	d, s := newDemo(t, 60)
	c, srv := serve(t, Options{Store: s, Attacks: func() []Attack { return d.attacks }, Mode: contract.Enforce,
		Open: "http://" + openAddress, Guarded: "https://" + guardedAddress, CA: "ca.pem", Title: "Example shop", Contract: demoContract(), Version: "0.1"})
	_, reportStore := newReportDemo(t)
	rc, rsrv := serve(t, Options{Store: reportStore, Mode: contract.Report, Open: "http://" + openAddress, Guarded: "https://" + guardedAddress, CA: "ca.pem", Title: "Orders API", Contract: demoContract(), Version: "0.1"})
	_, es := newEmpty(t)
	ec, esrv := serve(t, Options{Store: es, Mode: contract.Report, Guarded: "https://" + guardedAddress, CA: "ca.pem", Title: "Orders API"})

	ctx := browser(t, 1400, 900)
	shoot := func(name string, as ...step) {
		t.Helper()
		within, cancel := context.WithTimeout(ctx, 40*time.Second)
		defer cancel()
		// The pictures are looked at by people: let what moves come to rest.
		if err := chromedp.Do(within, append(as, chromedp.Sleep(250*time.Millisecond))...); err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		png, err := chromedp.Run(within, chromedp.CaptureScreenshot())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		if err := os.WriteFile(filepath.Join(*shots, name+".png"), png, 0o666); err != nil {
			t.Error(err)
		}
	}
	key := func(k string) step { return chromedp.KeyEvent(k) }
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1400, 900)); err != nil {
		t.Fatal(err)
	}
	for _, theme := range []string{"light", "dark"} {
		start := func(c *Console, base string) step {
			return chromedp.Steps(
				chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
					_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}})
					return err
				}),
				chromedp.Navigate(base+c.StartPath()), chromedp.WaitVisible(".side"))
		}
		to := func(base, hash, wait string) step {
			return chromedp.Steps(chromedp.Navigate(base+"/#"+hash), chromedp.WaitVisible(wait))
		}
		shoot(theme+"-attacks", start(c, srv.URL), chromedp.WaitVisible(".attack-table"))
		shoot(theme+"-attack-filtered", to(srv.URL, "/attack/5", ".side-body .json"))
		shoot(theme+"-attack-refused", to(srv.URL, "/attack/2", ".side-body"))
		shoot(theme+"-attack-repaired", to(srv.URL, "/attack/11", ".side-body"))
		shoot(theme+"-traffic", to(srv.URL, "/traffic", ".row .method"))
		shoot(theme+"-traffic-open", key("j"), key("j"), chromedp.KeyEvent("\r"), chromedp.WaitVisible(".rail"))
		shoot(theme+"-traffic-filter", chromedp.Navigate("about:blank"), to(srv.URL, "/traffic?filter=is%3Arefused", ".row .method"), key("/"), key(" s"), chromedp.WaitVisible(".offers"))
		shoot(theme+"-traffic-error", chromedp.Navigate("about:blank"), to(srv.URL, "/traffic?filter=stat%3A4xx", ".filter-fault"))
		shoot(theme+"-exchange", to(srv.URL, "/x/"+string(d.attacks[5].Guarded.ID), ".rail"))
		shoot(theme+"-exchange-refused", to(srv.URL, "/x/"+string(d.attacks[1].Guarded.ID), ".rail"))
		shoot(theme+"-exchange-step", chromedp.Click(".rail li:nth-child(5) button"), chromedp.WaitVisible(".step-facts"))
		shoot(theme+"-exchange-open", to(srv.URL, "/x/"+string(d.attacks[0].Open.ID), ".rail"))
		shoot(theme+"-policy", to(srv.URL, "/policy", ".counts"))
		shoot(theme+"-keys", key("?"), chromedp.WaitVisible(".keys"))
		shoot(theme+"-policy-report", start(rc, rsrv.URL), to(rsrv.URL, "/policy", ".counts"))
		shoot(theme+"-traffic-report", to(rsrv.URL, "/traffic", ".row .method"))
		shoot(theme+"-empty", start(ec, esrv.URL), chromedp.WaitVisible(".empty"))
		shoot(theme+"-empty-policy", to(esrv.URL, "/policy", ".empty"))
		shoot(theme+"-door", chromedp.Navigate(esrv.URL+"/?token=old&x=1"), chromedp.WaitVisible("h1"))
	}
}
