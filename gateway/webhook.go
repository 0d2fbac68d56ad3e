package gateway

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/guard"
)

const (
	webhookQueue = 64
	webhookTries = 3
	webhookTime  = 10 * time.Second
)

// A Webhook posts guard's alerts to a URL, in the background: a receiver that
// is slow or gone costs alerts, never a request.
type Webhook struct {
	url     string
	secret  []byte
	log     *slog.Logger
	client  *http.Client
	dialer  *net.Dialer
	wait    func(try int) time.Duration // before the try after this one
	queue   chan guard.Alert
	dropped atomic.Int64
	ctx     context.Context
	stop    context.CancelFunc
	done    chan struct{}
}

// posted is the document parley.alert/1. No credential is in it, and of the
// request only the operation: what else it was is asked of the store.
type posted struct {
	Schema    string           `json:"schema"`
	Time      time.Time        `json:"time"`
	Caller    exchange.Subject `json:"caller,omitempty"` // absent: nobody was proved
	Operation string           `json:"operation"`
	Objects   int              `json:"objects"`
	Window    float64          `json:"window_seconds"`
	Exchange  exchange.ID      `json:"exchange"`
}

// NewWebhook makes a webhook of a section that names one. Close ends it.
func NewWebhook(a *Alert, log *slog.Logger) (*Webhook, error) {
	if word := judgeWebhook(a.Webhook); word != "" {
		return nil, errors.New("gateway: " + word)
	}
	v, err := url.Parse(a.Webhook)
	if err != nil {
		return nil, errors.New("gateway: the webhook is not a URL")
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	_, err = netip.ParseAddr(v.Hostname())
	switch {
	case v.Scheme == "http":
		dialer.Control = loopbackOnly // whatever the word localhost leads to here
	case err != nil && public(v.Hostname()):
		dialer.Control = control
	}
	w := &Webhook{
		url: a.Webhook, secret: a.Secret, log: log, dialer: dialer, queue: make(chan guard.Alert, webhookQueue), done: make(chan struct{}),
		wait: func(try int) time.Duration { return time.Duration(1<<(2*try)) * time.Second / 4 }, // 1 s, 4 s
		client: &http.Client{
			Timeout: webhookTime,
			// Where a redirect leads is not what the policy names.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			// No proxy of the environment: the addresses looked at would be its own.
			Transport: &http.Transport{
				DialContext: dialer.DialContext, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
				DisableKeepAlives: true, MaxResponseHeaderBytes: 16 << 10,
			},
		},
	}
	w.ctx, w.stop = context.WithCancel(context.Background())
	go w.run()
	return w, nil
}

// loopbackOnly lets a connection be made to this machine alone.
func loopbackOnly(_, address string, _ syscall.RawConn) error {
	if ap, err := netip.ParseAddrPort(address); err != nil || !ap.Addr().Unmap().IsLoopback() {
		return errors.New("gateway: http leads away from this machine")
	}
	return nil
}

// Send queues an alert and returns at once. When the queue is full the oldest
// makes room: the newest says more about what happens now.
func (w *Webhook) Send(a guard.Alert) {
	for {
		select {
		case w.queue <- a:
			return
		default:
		}
		select {
		case <-w.queue:
			w.dropped.Add(1)
		default:
		}
	}
}

// Close gives up what is under way and returns when nothing runs any more. The
// log has every alert, those that were not delivered too.
func (w *Webhook) Close() {
	w.stop()
	<-w.done
	if n := len(w.queue); n > 0 {
		w.log.Warn("alerts were not posted before the end", "alerts", n)
	}
}

func (w *Webhook) run() {
	defer close(w.done)
	for {
		select {
		case <-w.ctx.Done():
			return
		default: // so that the end comes before a queue that is never empty
		}
		select {
		case <-w.ctx.Done():
			return
		case a := <-w.queue:
			if err := w.deliver(a); err != nil {
				w.log.Warn("an alert did not reach the webhook", "error", err, "exchange", a.Exchange)
			}
			if n := w.dropped.Swap(0); n > 0 {
				w.log.Warn("alerts came faster than the webhook takes them", "dropped", n)
			}
		}
	}
}

// deliver posts one alert, again after a while when that may help.
func (w *Webhook) deliver(a guard.Alert) error {
	body, err := json.Marshal(posted{
		Schema: "parley.alert/1", Time: a.Time.UTC(), Caller: a.Caller, Operation: a.Operation,
		Objects: a.Objects, Window: a.Within.Seconds(), Exchange: a.Exchange,
	})
	if err != nil {
		return err
	}
	for try := 1; ; try++ {
		again, err := w.post(body)
		if err == nil || !again || try == webhookTries {
			return err
		}
		t := time.NewTimer(w.wait(try))
		select {
		case <-t.C:
		case <-w.ctx.Done():
			t.Stop()
			return err
		}
	}
}

// post is one try; again says whether another may do better.
func (w *Webhook) post(body []byte) (again bool, err error) {
	r, err := http.NewRequestWithContext(w.ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return false, errors.New("gateway: the webhook is not a URL")
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "parley")
	if len(w.secret) > 0 {
		mac := hmac.New(sha256.New, w.secret)
		mac.Write(body)
		r.Header.Set("Parley-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	}
	resp, err := w.client.Do(r)
	if err != nil {
		var ue *url.Error // has the URL, which may hold a token
		if errors.As(err, &ue) {
			err = ue.Err
		}
		return !errors.Is(err, errPrivate), fmt.Errorf("gateway: webhook: %w", err)
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, 4<<10))
	if resp.StatusCode/100 == 2 {
		return false, nil
	}
	again = resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusRequestTimeout
	return again, fmt.Errorf("gateway: webhook: answered with %d", resp.StatusCode)
}
