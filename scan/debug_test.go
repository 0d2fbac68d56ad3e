package scan_test

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/parley-project/parley/exchange"
)

type rec struct{}

func (rec) Record(x *exchange.Exchange) {
	s := 0
	if x.Response != nil {
		s = x.Response.Status
	}
	w := "nobody"
	if x.Server.Caller != nil {
		w = x.Server.Caller.Name
	}
	body := string(x.Request.Body.Data)
	if len(body) > 200 {
		body = body[:200]
	}
	rb := ""
	if x.Response != nil {
		rb = string(x.Response.Body.Data)
		if len(rb) > 160 {
			rb = rb[:160]
		}
	}
	fmt.Println(s, x.Request.Method, x.Request.Target, "as", w, body, "=>", rb, x.Failure)
}
func TestDebug(t *testing.T) {
	fl := os.Getenv("FLAW")
	if os.Getenv("API") == "" {
		t.Skip("for looking")
	}
	var fs []string
	if fl != "" {
		fs = []string{fl}
	}
	o := shopOptions(t, fs...)
	if os.Getenv("API") == "ledger" {
		o = ledgerOptions(t, fs...)
	}
	if v := os.Getenv("ONLY"); v != "" {
		o.Only = []string{v}
	}
	o.Recorder = rec{}
	r := scanWith(t, o)
	fmt.Println(tell(r))
	b, _ := json.MarshalIndent(r.Access, "", " ")
	_ = b
	for _, a := range r.Access {
		if a.Few != "" {
			fmt.Println("FEW", a.Operation, a.Few)
		}
	}
}
