package check

// The facts of a conversation, numbered: what must be true of each part of a
// call. Checks, flaws and documents point at the numbers
// (doc/conversation.md).

// A Fact is one of them.
type Fact struct {
	Number int
	Part   string // of the call, as a heading
	Says   string // in one line
}

// Facts lists what must be true, in the order of a call.
var Facts = []Fact{
	{1, "The model", "a server only answers; what else it sends is watched where it is agreed on"},
	{2, "The model", "client and server both need protection, at every step"},

	{3, "Method", "GET and HEAD read, and change nothing"},
	{4, "Method", "POST creates: 201, and Location says where"},
	{5, "Method", "PUT replaces the whole object"},
	{6, "Method", "PATCH changes what it names, and nothing else"},
	{7, "Method", "DELETE removes: 204, and the object is gone"},
	{8, "Method", "PUT and DELETE ask who may; other methods get 405 with Allow"},

	{9, "URL and query", "whoever changes an ID gets nobody else's object: owners are compared"},
	{10, "URL and query", "pages have a limit, and no credential travels in the URL"},

	{11, "Request headers", "Authorization proves who asks; without, expired or forged: 401"},
	{12, "Request headers", "Content-Type is what the body is, else 415"},
	{13, "Request headers", "Accept is honoured, else 406"},
	{14, "Request headers", "User-Agent names a program and proves nothing"},
	{15, "Request headers", "X-API-Key says which program asks"},
	{16, "Request headers", "Cookie carries a browser's session"},
	{17, "Request headers", "a token that crossed the wire in clear is stolen"},
	{18, "Request headers", "a token that two clients use, or that scripts can read, is likely stolen"},

	{19, "Request body", "JSON bodies follow the declared schema"},
	{20, "Request body", "members that the caller may not set are refused"},

	{21, "Status codes", "200, 201 and 204 mean success, each in its place"},
	{22, "Status codes", "redirects go where they should, never from HTTPS to HTTP"},
	{23, "Status codes", "400 says that the request is malformed"},
	{24, "Status codes", "401 says that no valid credential came, with WWW-Authenticate"},
	{25, "Status codes", "403 says known, and not allowed; never in the place of 401"},
	{26, "Status codes", "404 says that it does not exist, and not which IDs do"},
	{27, "Status codes", "429 slows down, and Retry-After says until when"},
	{28, "Status codes", "500 says that something broke, and not what"},
	{29, "Status codes", "503 says come back, and Retry-After says when"},
	{30, "Status codes", "no failure hides behind 200, so that attacks can be counted"},

	{31, "Response headers", "Content-Type says what the body is"},
	{32, "Response headers", "Content-Security-Policy says what a page may load"},
	{33, "Response headers", "Strict-Transport-Security keeps browsers on HTTPS"},
	{34, "Response headers", "X-Content-Type-Options: nosniff ends guessing"},
	{35, "Response headers", "X-Frame-Options: DENY keeps answers out of frames"},
	{36, "Response headers", "Cache-Control: no-store keeps personal answers out of caches"},

	{37, "Response body", "an answer has what its client needs, never the whole row"},
	{38, "Response body", "account numbers are masked"},

	{39, "HTTP versions", "plain HTTP is read by anyone on the path: APIs speak HTTPS"},
	{40, "HTTP versions", "HTTP/2 compresses headers: bounded, credentials never indexed"},
	{41, "HTTP versions", "HTTP/3 has TLS 1.3 built in; early data may be replayed"},
	{42, "HTTP versions", "no version of HTTP is secure by itself"},

	{43, "DNS", "a name becomes an address first; a forged answer leads elsewhere"},
	{44, "DNS", "verifying certificates stops that, and is optional on no leg"},

	{45, "Cookies and tokens", "cookies go along by themselves: SameSite, Secure, HttpOnly, and a defence"},
	{46, "Cookies and tokens", "tokens are sent on purpose, and can be stolen by scripts"},
	{47, "Cookies and tokens", "one API serves browsers, mobile apps and servers"},

	{48, "End to end", "the name resolves"},
	{49, "End to end", "TCP connects"},
	{50, "End to end", "the certificate is valid and trusted, and a key is agreed"},
	{51, "End to end", "the request travels encrypted"},
	{52, "End to end", "the server asks whether the token is good and whether this user may"},
	{53, "End to end", "the answer is filtered, then encrypted"},
	{54, "End to end", "the client handles it"},
	{55, "End to end", "controls stand at TLS, server and response; each shows its verdict"},

	{56, "The tools people use", "a browser's network tab shows endpoints that nobody meant to show"},
	{57, "The tools people use", "an intercepting proxy changes and replays everything"},
	{58, "The tools people use", "an API client sends requests without code"},
	{59, "The tools people use", "a packet analyser reads what was not encrypted"},
}

// FactOf returns the fact with a number, or false.
func FactOf(number int) (Fact, bool) {
	if number < 1 || number > len(Facts) {
		return Fact{}, false
	}
	return Facts[number-1], true
}
