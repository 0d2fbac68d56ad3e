package archive

import (
	"strconv"
	"strings"
)

// connectionOption takes the options about who asks, and over what.
func (p *curlParser) connectionOption(w curlWord, o *curlOption, v string, off bool) (err error) {
	opt := &p.options
	switch o.long {
	case "user":
		p.user = &v
	case "oauth2-bearer":
		p.bearer = v
	case "aws-sigv4":
		p.sigv4 = v
	case "basic", "digest", "ntlm", "ntlm-wb", "negotiate", "anyauth":
		if off {
			p.schemes = without(p.schemes, o.long)
		} else {
			p.schemes = append(p.schemes, o.long)
		}
	case "location", "location-trusted":
		opt.Redirects = !off
		if o.long == "location-trusted" {
			p.extra = append(p.extra, "--location-trusted")
		}
	case "insecure":
		opt.Insecure = !off
	case "compressed":
		opt.Compressed = !off
	case "http1.1":
		opt.HTTP = "1.1"
	case "http2", "http2-prior-knowledge":
		opt.HTTP = "2"
		if o.long != "http2" {
			p.extra = append(p.extra, "--"+o.long)
		}
	case "http3", "http3-only":
		opt.HTTP = "3"
		if o.long != "http3" {
			p.extra = append(p.extra, "--"+o.long)
		}
	case "max-redirs":
		opt.MaxRedirect, err = strconv.Atoi(v)
	case "max-time":
		opt.Timeout, err = strconv.ParseFloat(v, 64)
	case "proxy":
		opt.Proxy = v
	case "socks4", "socks4a", "socks5":
		opt.Proxy = o.long + "://" + v
	case "socks5-hostname":
		opt.Proxy = "socks5h://" + v
	case "cert":
		file, password, ok := strings.Cut(v, ":")
		if !ok || len(file) == 1 || strings.HasPrefix(v, "pkcs11:") { // C:\…
			file, password = v, ""
		}
		opt.Cert = file
		if password != "" {
			p.extra = append(p.extra, "--pass", password)
		}
	case "key":
		opt.Key = v
	case "cacert":
		opt.CACert = v
	case "pinnedpubkey":
		opt.Pin = v
	case "resolve":
		opt.Resolve = append(opt.Resolve, v)
	}
	if err != nil {
		if strings.Contains(v, "{{") {
			p.extra = append(p.extra, "--"+o.long, v)
			return nil
		}
		return p.fail(w, "--"+o.long+" takes a number", "")
	}
	return nil
}

func without(list []string, s string) []string {
	var out []string
	for _, l := range list {
		if l != s {
			out = append(out, l)
		}
	}
	return out
}
