package script

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// maxXML bounds how deep elements lie in each other.
const maxXML = 200

// xmlToJSON writes XML as JSON: an element with only text is that text, others
// are objects whose members are the attributes under "$", the text under "_",
// and the elements, in a list when there are several of a name.
func xmlToJSON(text string) (string, error) {
	d := xml.NewDecoder(strings.NewReader(text))
	d.Strict = false
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return "{}", nil
		}
		if err != nil {
			return "", errors.New("the text is no XML")
		}
		if start, ok := t.(xml.StartElement); ok {
			v, err := element(d, start, 0)
			if err != nil {
				return "", err
			}
			b, err := json.Marshal(map[string]any{nameOf(start.Name): v})
			return string(b), err
		}
	}
}

func nameOf(n xml.Name) string { return n.Local }

func element(d *xml.Decoder, start xml.StartElement, depth int) (any, error) {
	if depth > maxXML {
		return nil, errors.New("the XML is too deep")
	}
	members := map[string]any{}
	if len(start.Attr) > 0 {
		attrs := map[string]any{}
		for _, a := range start.Attr {
			attrs[nameOf(a.Name)] = a.Value
		}
		members["$"] = attrs
	}
	var b strings.Builder
	for {
		t, err := d.Token()
		if err != nil {
			return nil, errors.New("the XML ends too early")
		}
		switch t := t.(type) {
		case xml.CharData:
			b.Write(t)
		case xml.StartElement:
			v, err := element(d, t, depth+1)
			if err != nil {
				return nil, err
			}
			switch old := members[nameOf(t.Name)].(type) {
			case nil:
				members[nameOf(t.Name)] = v
			case []any:
				members[nameOf(t.Name)] = append(old, v)
			default:
				members[nameOf(t.Name)] = []any{old, v}
			}
		case xml.EndElement:
			text := strings.TrimSpace(b.String())
			if len(members) == 0 {
				return text, nil
			}
			if text != "" {
				members["_"] = text
			}
			return members, nil
		}
	}
}
