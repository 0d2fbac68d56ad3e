package identity

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/parley-project/parley/exchange"
)

// SigV4 signs requests as AWS wants them, with Signature Version 4: the method,
// the target, some fields and the body, under a key of the day.
type SigV4 struct {
	AccessKey    string
	SecretKey    Secret
	SessionToken Secret // empty for keys that last
	Region       string // empty means us-east-1
	Service      string // empty means execute-api
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

// NewSigV4 makes an Auth of the keys.
func NewSigV4(k SigV4) Auth {
	if k.Region == "" {
		k.Region = "us-east-1"
	}
	if k.Service == "" {
		k.Service = "execute-api"
	}
	if k.Now == nil {
		k.Now = time.Now
	}
	return &sigV4{SigV4: k}
}

type sigV4 struct {
	silent
	SigV4
}

func (a *sigV4) Scheme() string { return "aws-sigv4" }

func (a *sigV4) Apply(_ context.Context, r *exchange.Request) error {
	if !r.Body.Complete() {
		return errors.New("identity: the body is not whole and cannot be signed")
	}
	now := a.Now().UTC()
	stamp := now.Format("20060102T150405Z")
	day := stamp[:8]
	content := sha256.Sum256(r.Body.Data)
	hash := hex.EncodeToString(content[:])
	setField(r, "X-Amz-Date", stamp)
	if a.SessionToken != "" {
		setField(r, "X-Amz-Security-Token", string(a.SessionToken))
	}
	if a.Service == "s3" {
		setField(r, "X-Amz-Content-Sha256", hash)
	}
	fields, signed := a.fields(r)
	request := strings.Join([]string{r.Method, a.path(r.Path()), canonicalQuery(r.Query()), fields, signed, hash}, "\n")
	sum := sha256.Sum256([]byte(request))
	scope := day + "/" + a.Region + "/" + a.Service + "/aws4_request"
	key := []byte("AWS4" + a.SecretKey)
	for _, part := range []string{day, a.Region, a.Service, "aws4_request"} {
		key = mac(key, part)
	}
	signature := hex.EncodeToString(mac(key, "AWS4-HMAC-SHA256\n"+stamp+"\n"+scope+"\n"+hex.EncodeToString(sum[:])))
	setField(r, "Authorization", "AWS4-HMAC-SHA256 Credential="+a.AccessKey+"/"+scope+", SignedHeaders="+signed+", Signature="+signature)
	return nil
}

func mac(key []byte, s string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(s))
	return m.Sum(nil)
}

// fields are those that are signed, and their names: Host, Content-Type and
// what is AWS's own. Others may change on the way.
func (a *sigV4) fields(r *exchange.Request) (fields, names string) {
	host := r.Authority
	if h := r.Header.Get("Host"); h != "" {
		host = h
	}
	if r.Scheme == "https" {
		host = strings.TrimSuffix(host, ":443")
	} else {
		host = strings.TrimSuffix(host, ":80")
	}
	values := map[string][]string{"host": {host}}
	for _, f := range r.Header {
		name := strings.ToLower(f.Name)
		if name == "content-type" || strings.HasPrefix(name, "x-amz-") {
			values[name] = append(values[name], strings.Join(strings.Fields(f.Value), " "))
		}
	}
	list := make([]string, 0, len(values))
	for name := range values {
		list = append(list, name)
	}
	slices.Sort(list)
	var b strings.Builder
	for _, name := range list {
		b.WriteString(name + ":" + strings.Join(values[name], ",") + "\n")
	}
	return b.String(), strings.Join(list, ";")
}

// path is the target's path, normalised and escaped once more than it was sent;
// S3 alone signs it as it is.
func (a *sigV4) path(p string) string {
	if p == "" {
		p = "/"
	}
	if a.Service == "s3" {
		return p
	}
	clean := path.Clean(p)
	if clean != "/" && strings.HasSuffix(p, "/") {
		clean += "/"
	}
	return awsEscape(clean, "/")
}

// canonicalQuery sorts the parameters by name, then by value, escaped once.
func canonicalQuery(query string) string {
	if query == "" {
		return ""
	}
	type parameter struct{ name, value string }
	var list []parameter
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		list = append(list, parameter{awsEscape(unescaped(name), ""), awsEscape(unescaped(value), "")})
	}
	slices.SortFunc(list, func(a, b parameter) int {
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		return strings.Compare(a.value, b.value)
	})
	parts := make([]string, len(list))
	for i, p := range list {
		parts[i] = p.name + "=" + p.value
	}
	return strings.Join(parts, "&")
}

// unescaped undoes percent escapes; "+" stands for itself, as AWS reads it.
func unescaped(s string) string {
	if p, err := url.PathUnescape(s); err == nil {
		return p
	}
	return s
}

// awsEscape escapes all but the unreserved characters (RFC 3986, 2.3) and keep.
func awsEscape(s, keep string) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-_.~"+keep, c) >= 0:
			b.WriteByte(c)
		default:
			b.WriteString(string([]byte{'%', hexDigits[c>>4], hexDigits[c&15]}))
		}
	}
	return b.String()
}
