package archive

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// inner cuts the lines of a block into blocks "name: {" and pairs. An example
// has blocks within blocks.
func (b *bruFile) inner(block *bruBlock) (pairs map[string]string, blocks map[string]*bruBlock) {
	pairs, blocks = map[string]string{}, map[string]*bruBlock{}
	var loose bruBlock
	for i := 0; i < len(block.lines); i++ {
		line := block.lines[i]
		name, opens := strings.CutSuffix(strings.TrimSpace(line), "{")
		name = strings.TrimSpace(name)
		if !opens || !strings.HasSuffix(name, ":") && strings.ContainsAny(name, " \"") || name == "" {
			loose.lines = append(loose.lines, line)
			continue
		}
		indent := len(line) - len(strings.TrimLeft(line, " "))
		in := &bruBlock{name: strings.TrimSuffix(name, ":"), line: block.line + i + 1}
		for i++; i < len(block.lines); i++ {
			l := block.lines[i]
			if strings.TrimSpace(l) == "}" && len(l)-len(strings.TrimLeft(l, " ")) <= indent {
				break
			}
			in.lines = append(in.lines, l)
		}
		// As at the top, two blanks more than the name.
		in.lines = strings.Split("  "+strings.ReplaceAll(dedent(in.lines), "\n", "\n  "), "\n")
		blocks[in.name] = in
	}
	loose.line = block.line
	for _, p := range b.pairs(&loose) {
		pairs[p.name] = p.value
	}
	return pairs, blocks
}

// example reads an example: a request, and the response to it.
func (b *bruFile) example(block *bruBlock) *exchange.Exchange {
	_, parts := b.inner(block)
	ask, answer := parts["request"], parts["response"]
	if answer == nil {
		return nil
	}
	r := &Request{Method: "GET"}
	if ask != nil {
		pairs, blocks := b.inner(ask)
		r.URL = pairs["url"]
		if m := pairs["method"]; m != "" {
			r.Method = strings.ToUpper(m)
		}
		r.Header = b.loose(blocks["headers"])
		r.Body = b.body(pairs["mode"], blocks)
	}
	x := &exchange.Exchange{Source: exchange.FromImport, Request: asWritten(r), Response: &exchange.Response{Fidelity: exchange.Canonical}}
	_, blocks := b.inner(answer)
	for _, h := range b.loose(blocks["headers"]) {
		if !h.Disabled {
			x.Response.Header = append(x.Response.Header, exchange.Field{Name: h.Name, Value: h.Value})
		}
	}
	for _, p := range b.pairs(blocks["status"]) {
		if p.name == "code" {
			x.Response.Status, _ = strconv.Atoi(p.value)
		}
	}
	if x.Response.Status < 0 || x.Response.Status > 999 {
		x.Response.Status = http.StatusOK
	}
	for _, p := range b.pairs(blocks["body"]) {
		if p.name == "content" && p.value != "" {
			x.Response.Body = exchange.Body{Size: int64(len(p.value)), Data: []byte(p.value)}
		}
	}
	return x
}

// loose reads pairs.
func (b *bruFile) loose(block *bruBlock) []Field {
	var out []Field
	for _, p := range b.pairs(block) {
		out = append(out, Field{Name: p.name, Value: p.value, Disabled: p.off})
	}
	return out
}
