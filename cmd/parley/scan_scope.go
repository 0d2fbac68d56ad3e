package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"

	"github.com/parley-project/parley/call"
)

// A scan asks what its target may not like to be asked. It goes to this machine
// and to hosts that somebody wrote into a file for it, and nowhere else: a
// slip in an address must not attack a stranger.

// mayScan reports whether the target is this machine, or stands in the scope
// file. The addresses that were looked at are the ones that are called: another
// answer of the resolver afterwards changes nothing.
func (o *scanOptions) mayScan(ctx context.Context, target *url.URL, co *call.Options) error {
	host, port := target.Hostname(), target.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[target.Scheme]
	}
	at := net.JoinHostPort(host, port)
	if o.scope != "" {
		in, err := inScope(o.scope, host, port)
		if err != nil {
			return err
		}
		if in {
			return nil
		}
		return &hintError{fmt.Errorf("%s is not in the scope of %s", at, o.scope), "add this line to it, if you may: " + at, exitUsage}
	}
	outside := &hintError{fmt.Errorf("%s is not on this machine, and there is no scope file", at),
		"if you may scan it, write this line into a file, and give it with --scope FILE: " + at, exitUsage}
	if o.proxy != "" && !loopbackProxy(o.proxy) {
		return outside // what the name means is up to the proxy
	}
	addresses, err := addressesOf(ctx, host, at, co)
	if err != nil {
		return err
	}
	if len(addresses) == 0 { // nobody can say that it is this machine
		return outside
	}
	for _, a := range addresses {
		if !a.Unmap().IsLoopback() {
			return outside
		}
	}
	if co.Resolve == nil {
		co.Resolve = map[string][]netip.Addr{}
	}
	co.Resolve[at] = addresses
	return nil
}

func addressesOf(ctx context.Context, host, at string, co *call.Options) ([]netip.Addr, error) {
	if as := co.Resolve[at]; len(as) > 0 {
		return as, nil
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	as, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, ctx.Err()
	}
	return as, nil
}

func loopbackProxy(proxy string) bool {
	u, err := url.Parse(proxy)
	if err != nil {
		return false
	}
	a, err := netip.ParseAddr(u.Hostname())
	return err == nil && a.IsLoopback() || u.Hostname() == "localhost"
}

// maxScope bounds a scope file.
const maxScope = 1 << 20

// inScope looks for a host in a scope file: one host or host:port a line, no
// wildcards. A host alone means its usual ports.
func inScope(file, host, port string) (bool, error) {
	data, err := os.ReadFile(file)
	if err != nil || len(data) > maxScope {
		return false, &hintError{fmt.Errorf("--scope: %s cannot be read", file), "a text file with one host[:port] a line", exitUsage}
	}
	sc := bufio.NewScanner(bytes.NewReader(data))
	found := false
	for n := 1; sc.Scan(); n++ {
		line, _, _ := strings.Cut(sc.Text(), "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		h, p, err := net.SplitHostPort(line)
		if err != nil {
			h, p = strings.Trim(line, "[]"), ""
		}
		if strings.ContainsAny(line, "*/ \t,") || h == "" {
			return false, &hintError{fmt.Errorf("%s:%d: %q is no host", file, n, line), "one host or host:port a line, without wildcards", exitUsage}
		}
		usual := p == "" && (port == "80" || port == "443")
		if strings.EqualFold(h, host) && (p == port || usual) {
			found = true
		}
	}
	if err := sc.Err(); err != nil {
		return false, &hintError{fmt.Errorf("--scope: %s cannot be read", file), "a text file with one host[:port] a line", exitUsage}
	}
	return found, nil
}
