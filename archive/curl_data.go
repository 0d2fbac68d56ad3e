package archive

import (
	"strings"
)

// headerOption reads -H: "Name: value", "Name;" for one that is empty, and
// "Name:" for one that curl shall leave out.
func (p *curlParser) headerOption(w curlWord, v string) {
	if strings.HasPrefix(v, "@") {
		p.extra = append(p.extra, "--header", v)
		p.r.warn(uint(w.line), "header fields in the file %s: they are not read", shortened(v[1:]))
		return
	}
	name, value, ok := strings.Cut(v, ":")
	if !ok {
		if before, found := strings.CutSuffix(strings.TrimRight(v, " "), ";"); found && before != "" {
			p.header = append(p.header, Field{Name: strings.TrimSpace(before)})
			return
		}
		if strings.Contains(v, "{{") {
			p.extra = append(p.extra, "--header", v)
			return
		}
		p.r.warn(uint(w.line), "a header field without a colon: curl leaves it out")
		return
	}
	value = strings.TrimSpace(value)
	p.header = append(p.header, Field{Name: strings.TrimSpace(name), Value: value, Disabled: value == ""})
}

// dataOption reads -d and its kin, which are joined by "&".
func (p *curlParser) dataOption(v string, files, lines bool) { p.dataFrom(v, files, lines, "&") }

func (p *curlParser) dataFrom(v string, files, lines bool, sep string) {
	if !files || !strings.HasPrefix(v, "@") {
		p.add(Piece{Text: v}, sep)
		return
	}
	if file := v[1:]; file != "-" {
		p.add(Piece{File: file, Joined: lines}, sep)
	} else if p.cmd.stdinFile != "" {
		p.add(Piece{File: p.cmd.stdinFile, Joined: lines}, sep)
	} else {
		text := p.cmd.stdin
		if lines {
			text = strings.NewReplacer("\n", "", "\r", "", "\x00", "").Replace(text)
		}
		p.add(Piece{Text: text}, sep)
	}
}

// add appends a piece of the body. Text is joined with the text before it.
func (p *curlParser) add(piece Piece, sep string) {
	if len(p.data) > 0 {
		piece.Text = sep + piece.Text
		if last := &p.data[len(p.data)-1]; last.File == "" {
			last.Text += piece.Text
			last.File, last.Joined, last.Encoded = piece.File, piece.Joined, piece.Encoded
			return
		}
	}
	p.data = append(p.data, piece)
}
