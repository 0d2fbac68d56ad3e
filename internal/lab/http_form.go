package lab

import (
	"encoding/base64"
	"net/url"
	"strings"
)

func b64(data []byte) string { return base64.StdEncoding.EncodeToString(data) }

// formOf reads a form as far as it can be read.
func formOf(s string) map[string]any {
	vs, _ := url.ParseQuery(s)
	return valuesOf(vs)
}

// paramsOf reads name=value pairs with commas between them, such as those of
// the Authorization field.
func paramsOf(s string) map[string]string {
	out := map[string]string{}
	for s != "" {
		var name, value string
		name, s, _ = strings.Cut(s, "=")
		if s = strings.TrimLeft(s, " "); strings.HasPrefix(s, `"`) {
			value, s, _ = strings.Cut(s[1:], `"`)
			_, s, _ = strings.Cut(s, ",")
		} else {
			value, s, _ = strings.Cut(s, ",")
		}
		out[strings.ToLower(strings.Trim(name, " ,"))] = strings.TrimSpace(value)
	}
	return out
}
