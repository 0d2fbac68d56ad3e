package run

import (
	"strings"
	"testing"

	"github.com/parley-project/parley/archive"
	"github.com/parley-project/parley/call"
)

// What a Postman collection says of redirects is done.
func TestKeepsMethod(t *testing.T) {
	u := server(t, nil)
	for _, test := range []struct {
		behaviour, want string
		status          int
	}{
		{"{}", "GET", 200},
		{`{"followOriginalHttpMethod": true}`, "POST", 200},
		{`{"followRedirects": false}`, "", 302},
	} {
		c, err := archive.Read("c.json", []byte(strings.NewReplacer("$U", u, "$B", test.behaviour).Replace(`{"info": {"name": "p", "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},
 "item": [{"name": "one", "protocolProfileBehavior": $B, "request": {"method": "POST", "url": "$U/redirect-to?url=/anything", "body": {"mode": "raw", "raw": "hello"}}}]}`)))
		if err != nil {
			t.Fatal(err)
		}
		kept := &recorded{}
		k, s := play(t, c, Options{Call: call.Options{Recorder: kept}})
		if s.Requests != 1 || len(k.Results) != 1 || k.Results[0].Status != test.status {
			t.Fatalf("%s: Run found %+v, %v", test.behaviour, s, messages(k))
		}
		if body := string(kept.all[len(kept.all)-1].Response.Body.Data); test.want != "" && !strings.Contains(body, `"method":"`+test.want+`"`) {
			t.Errorf("%s: Run got %s, want %s", test.behaviour, body, test.want)
		}
	}
}
