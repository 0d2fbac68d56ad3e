package call_test

import (
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/lab"
	"github.com/parley-project/parley/internal/needs"
)

// How long the server of TestCurlTimes takes for each phase, and how far two
// programs on a busy machine may be apart.
const (
	handshakes = 120 * time.Millisecond
	thinks     = 150 * time.Millisecond
	talks      = 90 * time.Millisecond
	tolerance  = 60 * time.Millisecond
)

// TestCurlTimes compares the six times that curl tells of a call with ours.
func TestCurlTimes(t *testing.T) {
	curl := needs.Program(t, "curl")
	cert := authority.Issue(lab.Leaf{})
	s, err := lab.ServeTLS(&tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		time.Sleep(handshakes)
		return &cert, nil
	}}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(thinks)
		w.Write([]byte("one"))
		http.NewResponseController(w).Flush()
		time.Sleep(talks)
		w.Write([]byte("two"))
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	roots := filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.Root.Certificate.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	ask := []string{"-q", "-sS", "--noproxy", "*", "--cacert", roots, "--resolve", s.Host() + ":127.0.0.1", "-o", os.DevNull, "-w", "%{json}", s.URL()}
	for _, version := range []string{"1.1", "2"} {
		// A busy machine delays one of the two now and then, and not five times.
		var apart []string
		for range 5 {
			out, err := exec.Command(curl, append(ask, "--http"+version)...).Output()
			if err != nil {
				t.Fatalf("curl: %v", err)
			}
			var theirs map[string]any
			if err := json.Unmarshal(out, &theirs); err != nil {
				t.Fatal(err)
			}
			x := one(t, client(t, nil, call.Options{HTTP: version, Resolve: s.Resolve(), Roots: authority.Pool()}), &call.Request{Method: "GET", URL: s.URL()})
			if x.Failure != "" {
				t.Fatal(x.Failure)
			}
			if apart = compareTimes(t, version, x.Times, theirs); len(apart) == 0 {
				break
			}
		}
		for _, a := range apart {
			t.Errorf("HTTP/%s: %s", version, a)
		}
	}
}

// compareTimes says which of the six times of curl are not ours.
func compareTimes(t *testing.T, version string, f exchange.Times, theirs map[string]any) (apart []string) {
	start := f.Blocked + f.DNS
	for _, phase := range []struct {
		name string
		ours time.Duration
		want time.Duration
	}{
		{"time_namelookup", start, 0},
		{"time_connect", start + f.Connect - f.TLS, 0},
		{"time_appconnect", start + f.Connect, handshakes},
		{"time_pretransfer", start + f.Connect, handshakes},
		{"time_starttransfer", start + f.Connect + f.Send + f.Wait, handshakes + thinks},
		{"time_total", f.Total, handshakes + thinks + talks},
	} {
		seconds, _ := theirs[phase.name].(float64)
		curls := time.Duration(seconds * float64(time.Second))
		if d := (curls - phase.ours).Abs(); d > tolerance {
			apart = append(apart, fmt.Sprintf("%s is %v by curl and %v by us, more than %v apart", phase.name, curls, phase.ours, tolerance))
		}
		if phase.ours < phase.want {
			t.Errorf("HTTP/%s: %s is %v by us, less than the %v that the server takes", version, phase.name, phase.ours, phase.want)
		}
	}
	if sum := f.Blocked + f.DNS + f.Connect + f.Send + f.Wait + f.Receive; (f.Total - sum).Abs() > tolerance/2 {
		apart = append(apart, fmt.Sprintf("the phases are %v together and the call is %v", sum, f.Total))
	}
	return apart
}

// TestCurlBytes sends the fields that curl sent and wants the same bytes.
func TestCurlBytes(t *testing.T) {
	curl := needs.Program(t, "curl")
	s := serveRaw(t)
	for _, args := range [][]string{
		{"/ok"},
		{"/ok?a=b%20c&d=%C3%A9&e", "-H", "x-lower: 1", "-H", "X-Two:  a ", "-H", "X-Empty;"},
		{"/ok", "-d", "a=1&b=2"},
		{"/ok", "-X", "PUT", "-H", "Content-Type: application/json", "--data-binary", `{"n": 1}`},
		{"/ok", "-X", "DELETE", "-u", "me:secret", "-A", "agent/1", "-e", "https://a.test/"},
		{"/ok", "-I"},
		{"/ok", "-b", "a=1; b=2", "-H", "Host: other.test", "-H", "Accept:"},
		{"/ok", "-F", "a=1", "-F", "b=2;type=text/plain"},
		{"/ok/../x//y?", "--path-as-is"},
	} {
		out, err := exec.Command(curl, append([]string{"-q", "-sS", "--noproxy", "*", "-o", os.DevNull, s.URL() + args[0]}, args[1:]...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("curl %q: %v %s", args, err, out)
		}
		theirs := s.Requests()
		if len(theirs) != 1 {
			t.Fatalf("curl %q sent %d requests", args, len(theirs))
		}
		head, body, _ := strings.Cut(theirs[0], "\r\n\r\n")
		lines := strings.Split(head, "\r\n")
		first := strings.Split(lines[0], " ")
		r := &call.Request{Method: first[0], URL: s.URL() + first[1], Bare: true, Body: []byte(body)}
		for _, l := range lines[1:] {
			name, value, _ := strings.Cut(l, ":")
			r.Header = append(r.Header, exchange.Field{Name: name, Value: strings.TrimPrefix(value, " ")})
		}
		x := one(t, client(t, nil, call.Options{}), r)
		if ours := s.Requests(); x.Failure != "" || !slices.Equal(ours, theirs) {
			t.Errorf("Do sent %q, want %q as curl %q did (%s)", ours, theirs, args, x.Failure)
		}
		if !slices.Equal(x.Request.Header, r.Header) || x.Request.Target != first[1] || x.Request.Fidelity != exchange.OnTheWire {
			t.Errorf("Do noted %v, sent %v", x.Request, r.Header)
		}
	}
}
