package archive

import (
	"strings"
)

// A curlOption is one option of curl 8.
type curlOption struct {
	short byte // 0 when it has none
	long  string
	value bool // it takes one
	// use is what becomes of it: 'm' for one that the model has, 'k' for one
	// that is kept beside it and written again, 'd' for one about output,
	// which says nothing of the request.
	use byte
	// secret says that its value is, or contains, a password.
	secret bool
}

// curlTable lists the options: short form or "-", long form, "v" when it takes
// a value, use, and "!" when the value is secret.
const curlTable = `
- abstract-unix-socket v k
- alt-svc v k
- anyauth m
- aws-sigv4 v m
- basic m
- bearer m
- ca-native k
- cacert v m
- capath v k
E cert v m !
- cert-status k
- cert-type v k
- ciphers v k
- compressed m
K config v k
- connect-timeout v k
- connect-to v k
C continue-at v k
b cookie v m
c cookie-jar v d
- create-dirs d
- create-file-mode v d
- crlf k
- crlfile v k
- curves v k
d data v m
- data-ascii v m
- data-binary v m
- data-raw v m
- data-urlencode v m
- delegation v k
- digest m
q disable d
- disallow-username-in-url k
- dns-interface v k
- dns-ipv4-addr v k
- dns-ipv6-addr v k
- dns-servers v k
- doh-cert-status k
- doh-insecure k
- doh-url v k
D dump-header v d
- ech v k
- egd-file v d
- engine v k
- etag-compare v k
- etag-save v d
- expect100-timeout v k
f fail d
- fail-early d
- fail-with-body d
- false-start k
F form v m
- form-escape k
- form-string v m
G get m
g globoff m
- happy-eyeballs-timeout-ms v k
- haproxy-clientip v k
- haproxy-protocol k
I head m
H header v m
h help d
- hsts v k
- http0.9 k
0 http1.0 k
- http1.1 m
- http2 m
- http2-prior-knowledge m
- http3 m
- http3-only m
- ignore-content-length k
i include d
k insecure m
- interface v k
- ip-tos v k
4 ipv4 k
6 ipv6 k
- ipfs-gateway v k
- json v m
j junk-session-cookies k
- keepalive d
- keepalive-time v d
- keepalive-cnt v d
- key v m
- key-type v k
- libcurl v d
- limit-rate v d
- local-port v k
L location m
- location-trusted m
- login-options v k
M manual d
- max-filesize v k
- max-redirs v m
m max-time v m
- mptcp k
- negotiate m
n netrc k
- netrc-file v k
- netrc-optional k
: next m
- alpn k
N buffer d
- clobber d
- npn k
- progress-meter d
- sessionid k
- noproxy v k
- ntlm m
- ntlm-wb m
- oauth2-bearer v m !
o output v d
- output-dir v d
Z parallel d
- parallel-immediate d
- parallel-max v d
- pass v k !
- path-as-is k
- pinnedpubkey v m
- post301 k
- post302 k
- post303 k
- preproxy v k !
# progress-bar d
- proto v k
- proto-default v k
- proto-redir v k
x proxy v m !
- proxy-anyauth k
- proxy-basic k
- proxy-cacert v k
- proxy-capath v k
- proxy-cert v k !
- proxy-cert-type v k
- proxy-ciphers v k
- proxy-crlfile v k
- proxy-digest k
- proxy-header v k
- proxy-http2 k
- proxy-insecure k
- proxy-key v k
- proxy-key-type v k
- proxy-negotiate k
- proxy-ntlm k
- proxy-pass v k !
- proxy-pinnedpubkey v k
- proxy-service-name v k
- proxy-tls13-ciphers v k
- proxy-tlsauthtype v k
- proxy-tlspassword v k !
- proxy-tlsuser v k
- proxy-tlsv1 k
U proxy-user v k !
- proxy1.0 v k !
p proxytunnel k
r range v m
- rate v d
- raw d
e referer v m
J remote-header-name d
O remote-name d
- remote-name-all d
R remote-time d
- remove-on-error d
X request v m
- request-target v k
- resolve v m
- retry v k
- retry-all-errors k
- retry-connrefused k
- retry-delay v k
- retry-max-time v k
- sasl-authzid v k
- sasl-ir k
- service-name v k
S show-error d
- sigalgs v k
s silent d
- skip-existing d
- socks4 v m
- socks4a v m
- socks5 v m
- socks5-basic k
- socks5-gssapi k
- socks5-hostname v m
Y speed-limit v d
y speed-time v d
- ssl k
- ssl-allow-beast k
- ssl-auto-client-cert k
- ssl-no-revoke k
- ssl-reqd k
- ssl-revoke-best-effort k
2 sslv2 k
3 sslv3 k
- stderr v d
- styled-output d
- suppress-connect-headers d
- tcp-fastopen k
- tcp-nodelay k
z time-cond v k
- tls-earlydata k
- tls-max v k
- tls13-ciphers v k
- tlsauthtype v k
- tlspassword v k !
- tlsuser v k
1 tlsv1 k
- tlsv1.0 k
- tlsv1.1 k
- tlsv1.2 k
- tlsv1.3 k
- tr-encoding k
- trace v d
- trace-ascii v d
- trace-config v d
- trace-ids d
- trace-time d
- unix-socket v k
T upload-file v m
- upload-flags v k
- url v m
- url-query v m
B use-ascii d
u user v m !
A user-agent v m
- variable v k
v verbose d
V version d
- vlan-priority v k
w write-out v d
- xattr d
a append d
- append d
l list-only k
P ftp-port v k
Q quote v k
t telnet-option v k
- krb v k
- socks5-gssapi-service v k
- socks5-gssapi-nec k
- metalink d
- random-file v d
`

var curlLong, curlShort = curlOptions()

func curlOptions() (byLong map[string]*curlOption, byShort [128]*curlOption) {
	byLong = map[string]*curlOption{}
	for line := range strings.Lines(curlTable) {
		f := strings.Fields(line)
		if len(f) < 3 {
			continue
		}
		o := &curlOption{long: f[1]}
		for _, w := range f[2:] {
			switch w {
			case "v":
				o.value = true
			case "!":
				o.secret = true
			default:
				o.use = w[0]
			}
		}
		if f[0] != "-" {
			o.short = f[0][0]
			byShort[o.short] = o
		}
		byLong[o.long] = o
	}
	return byLong, byShort
}

// longOption finds an option by its name or by a beginning that no other has,
// as curl does. off is true for --no-name.
func longOption(name string) (o *curlOption, off bool) {
	if o = curlLong[name]; o != nil {
		return o, false
	}
	if rest, ok := strings.CutPrefix(name, "no-"); ok {
		if o = curlLong[rest]; o != nil && !o.value {
			return o, true
		}
	}
	if len(name) < 2 {
		return nil, false
	}
	for long, c := range curlLong {
		if strings.HasPrefix(long, name) {
			if o != nil {
				return nil, false
			}
			o = c
		}
	}
	return o, false
}

// nearOption is an option whose name is nearly this, for a hint.
func nearOption(name string) string {
	best, at := "", 3
	for long := range curlLong {
		if d := distance(name, long); d < at || d == at && long < best {
			best, at = long, d
		}
	}
	if best == "" || at > 2 {
		return ""
	}
	return "did you mean --" + best + "?"
}

// distance counts the letters to change (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := last
			if a[i] != b[j] {
				d = min(last, row[j], row[j+1]) + 1
			}
			last, row[j+1] = row[j+1], d
		}
	}
	return row[len(b)]
}
