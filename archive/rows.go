package archive

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// ReadRows reads rows of data: a JSON array of objects, JSON objects one a
// line, or CSV, whose first line names the columns. Values of CSV that are
// written like numbers and stand in no quotes are numbers (float64); all others
// are text, also those that a number would not give back, such as 007.
func ReadRows(file string, data []byte) ([]map[string]any, error) {
	text := strings.TrimSpace(decodeText(data))
	ext := strings.ToLower(filepath.Ext(file))
	switch {
	case ext == ".csv" || ext == ".tsv":
	case ext == ".jsonl" || ext == ".ndjson" || strings.HasPrefix(text, "{") && ext != ".json":
		return rowLines(file, text)
	case ext == ".json" || strings.HasPrefix(text, "["):
		return jsonRows(file, data)
	}
	comma := byte(',')
	if header, _, _ := strings.Cut(text, "\n"); ext == ".tsv" || !strings.Contains(header, ",") && strings.Contains(header, "\t") {
		comma = '\t'
	}
	return csvRows(file, decodeText(data), comma)
}

func jsonRows(file string, data []byte) ([]map[string]any, error) {
	t, err := parseTree(file, data)
	if err != nil {
		return nil, err
	}
	list := []*tree{t}
	if t.is('[') {
		list = t.items
	}
	var out []map[string]any
	for i, r := range list {
		if !r.is('{') {
			line, column := r.place()
			return nil, &Error{File: file, Line: line, Column: column, Text: fmt.Sprintf("row %d is no object of names and values", i+1)}
		}
		row := map[string]any{}
		d := json.NewDecoder(strings.NewReader(r.compact()))
		if err := d.Decode(&row); err != nil {
			line, column := r.place()
			return nil, &Error{File: file, Line: line, Column: column, Text: fmt.Sprintf("row %d: %v", i+1, err)}
		}
		out = append(out, row)
	}
	return out, nil
}

func rowLines(file, text string) ([]map[string]any, error) {
	// One object over several lines is one row.
	if t, err := parseTree(file, []byte(text)); err == nil && t.is('{') {
		return jsonRows(file, []byte(text))
	}
	var out []map[string]any
	n := 0
	for line := range strings.SplitSeq(text, "\n") {
		n++
		if strings.TrimSpace(line) == "" {
			continue
		}
		rows, err := jsonRows(file, []byte(line))
		if e, ok := err.(*Error); ok {
			e.Line = n
			return nil, e
		}
		out = append(out, rows...)
	}
	return out, nil
}

// csvRows reads RFC 4180 and what programs make of it: blanks around values,
// quotes within them that nobody escaped, lines that are too short or too long.
func csvRows(file, text string, comma byte) ([]map[string]any, error) {
	p := &csvParser{file: file, text: text, comma: comma, line: 1}
	names, err := p.record()
	if err != nil || names == nil {
		return nil, err
	}
	var out []map[string]any
	for {
		values, err := p.record()
		if err != nil {
			return nil, err
		}
		if values == nil {
			return out, nil
		}
		row := make(map[string]any, len(names))
		for i, n := range names {
			switch {
			case n.text == "":
			case i >= len(values):
				row[n.text] = ""
			default:
				row[n.text] = values[i].value()
			}
		}
		out = append(out, row)
	}
}

type csvValue struct {
	text   string
	quoted bool
}

// value is a number if it is one to everybody.
func (v csvValue) value() any {
	if v.quoted || v.text == "" {
		return v.text
	}
	if f, err := strconv.ParseFloat(v.text, 64); err == nil && strconv.FormatFloat(f, 'f', -1, 64) == v.text {
		return f
	}
	return v.text
}

type csvParser struct {
	file  string
	text  string
	comma byte
	at    int
	line  int
}

// record reads the next line that is not empty, or nil.
func (p *csvParser) record() ([]csvValue, error) {
	for p.at < len(p.text) {
		var out []csvValue
		empty := true
		for {
			v, err := p.one()
			if err != nil {
				return nil, err
			}
			empty = empty && v.text == "" && !v.quoted
			out = append(out, v)
			if p.at < len(p.text) && p.text[p.at] == p.comma {
				p.at++
				continue
			}
			break
		}
		if p.at < len(p.text) { // the line end
			p.at++
			p.line++
		}
		if !empty || len(out) > 1 {
			return out, nil
		}
	}
	return nil, nil
}

func (p *csvParser) one() (csvValue, error) {
	for p.at < len(p.text) && (p.text[p.at] == ' ' || p.text[p.at] == '\t' && p.comma != '\t') {
		p.at++
	}
	if p.at < len(p.text) && p.text[p.at] == '"' {
		return p.quoted()
	}
	start := p.at
	for p.at < len(p.text) && p.text[p.at] != p.comma && p.text[p.at] != '\n' {
		p.at++
	}
	return csvValue{text: strings.TrimSpace(p.text[start:p.at])}, nil
}

func (p *csvParser) quoted() (csvValue, error) {
	line := p.line
	var b bytes.Buffer
	for p.at++; p.at < len(p.text); p.at++ {
		c := p.text[p.at]
		if c != '"' {
			if c == '\n' {
				p.line++
			}
			b.WriteByte(c)
			continue
		}
		if p.at+1 < len(p.text) && p.text[p.at+1] == '"' {
			p.at++
			b.WriteByte('"')
			continue
		}
		// What follows must be the end of the value; else the quote is part of it.
		after := p.at + 1
		for after < len(p.text) && (p.text[after] == ' ' || p.text[after] == '\r' || p.text[after] == '\t' && p.comma != '\t') {
			after++
		}
		if after == len(p.text) || p.text[after] == p.comma || p.text[after] == '\n' {
			p.at = after
			return csvValue{b.String(), true}, nil
		}
		b.WriteByte('"')
	}
	return csvValue{}, &Error{File: p.file, Line: line, Column: 1, Text: "a value that begins with a quote has no closing quote", Hint: `a quote within quotes is written ""`}
}
