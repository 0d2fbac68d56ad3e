package main

// What the generator of doc/conversation.md cannot read from checks and flaws.

// A cover is what keeps a fact of the conversation beside its checks: a
// command, a repair or a limit.
type cover struct {
	by    string // in a few words
	test  string // where it is shown
	paste string // a line to paste
}

// covers lists them by the fact's number.
var covers = map[int][]cover{
	1:  {{"`guard` passes event streams and upgrades as they come", "gateway/stream_test.go:TestWebSocket", "parley up"}},
	2:  {{"`guard` judges the request and the response", "cmd/parley/shop_test.go:TestGuardStopsEachFlaw", "parley up"}},
	4:  {{"the shop's script: each POST that creates", "cmd/parley/shop_test.go:TestHonestClientsNoticeNothing", "parley shop"}},
	6:  {{"the shop behind `guard`", "cmd/parley/facts_test.go:TestPatchKeepsTheRest", "parley shop"}},
	14: {{"`guard`: no decision looks at it", "cmd/parley/facts_test.go:TestUserAgentProvesNothing", "parley tour --step 7"}},
	30: {{"`guard`: an alert when one caller is refused on many objects", "guard/reword_test.go:TestAlert", "parley guard -c parley.yaml"}},
	39: {{"`guard`: 308 without a credential, 403 with one", "cmd/parley/testdata/script/tour.txtar", "parley tour --step 16"}},
	40: {
		{"`guard`: header blocks are bounded once they are unpacked", "cmd/parley/facts_test.go:TestCompressedHeadersAreBounded", "parley tour --step 12"},
		{"`guard` speaks HTTP/1.1 to the API, where nothing is indexed", "cmd/parley/facts_test.go:TestCredentialsAreNeverIndexed", "parley guard --help"},
	},
	41: {{"`guard`: early data is off", "cmd/parley/facts_test.go:TestEarlyDataIsOff", "parley tour --step 12"}},
	42: {{"`guard`: the same decisions over HTTP/1.1, 2 and 3", "cmd/parley/shop_test.go:TestHonestClientsNoticeNothing", "parley tour --step 12"}},
	43: {{"`trace`: what a name server of each kind is found to be", "trace/rows_dns_test.go:TestDNSRows", "parley trace https://api.example.com/ --compare=tls://dns.example"}},
	44: {
		{"`guard`: the API's certificate is verified, too", "gateway/upstream_test.go:TestUpstreamCertificates", "parley guard --upstream https://api.example.com --api openapi.yaml"},
		{"`trace`: no credential over a channel that was not verified", "trace/follow_test.go:TestFollowWithholds", "parley trace https://api.example.com/ --as priya=@token.txt"},
	},
	46: {{"`guard`: a bearer token needs no defence against CSRF, and has none", "cmd/parley/shop_test.go:TestHonestClientsNoticeNothing", "parley tour --step 14"}},
	48: {{"`trace`: a name without an address ends the call, with the reason", "trace/rows_dns_test.go:TestDNSRowsEndTheCall", "parley trace https://api.example.com/"}},
	49: {{"`trace`: the call arrives where the name leads", "trace/rows_dns_test.go:TestDNSRowsArrive", "parley trace https://api.example.com/"}},
	50: {{"`trace`: the verdict of each kind of certificate", "trace/rows_tls_test.go:TestCertRows", "parley trace https://api.example.com/ -v"}},
	51: {{"`trace`: plain HTTP is a step that fails", "trace/text_test.go:TestVerdicts", "parley trace http://api.example.com/"}},
	52: {{"`trace`: guard tells who has its key what it decided", "cmd/parley/trace_test.go:TestTraceThroughGuard", "parley trace https://api.example.com/ --trace-key trace.key"}},
	53: {{"`trace`: the answer held against the contract", "trace/follow_test.go:TestFollowContract", "parley trace https://api.example.com/ --api openapi.yaml"}},
	54: {{"`trace`: what the client keeps, and what it refuses", "trace/text_test.go:TestDrawings", "parley trace https://api.example.com/ -v"}},
	55: {
		{"`console`: a verdict for each of the seven steps", "console/api_test.go:TestSteps", "parley up"},
		{"`trace`: the same for one call, with what to do", "trace/follow_test.go:TestFollow", "parley trace https://api.example.com/"},
	},
	58: {
		{"`call`: requests and collections, Postman's too, with expectations on every step", "cmd/parley/testdata/script/call.txtar", "parley call collection.yaml"},
		{"`console`: Compose builds, sends and saves them", "console/compose_test.go:TestComposePage", "parley up"},
		{"`call`: scripts are judged as Postman's own runner does", "cmd/parley/newman_test.go:TestLikeNewman", "parley call shop.postman_collection.json"},
	},
	56: {{"`console`: every call with its method, URL, headers, bodies and times", "console/live_test.go:TestLive", "parley up"}},
}

// planned are the numbers that wait for a part which does not exist yet. There
// is no other excuse; a part that comes removes its own.
var planned = map[int]string{
	56: "proxy", 57: "proxy",
	59: "sniff",
}
