package identity

import (
	"encoding/json"
	"net/url"
	"slices"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/config"
)

// body writes the content of a log-in: members or fields whose text may name a
// file or a variable, as a secret may.
func (k *sources) body(s config.Section, l *Login, members map[string]any, form map[string]string) error {
	switch {
	case members != nil && form != nil:
		return s.Errorf("keep one", "a log-in has both json and form")
	case members != nil:
		resolved, err := k.resolve(members)
		if err != nil {
			return s.Errorf("", "%v", err)
		}
		data, err := json.Marshal(resolved)
		if err != nil {
			return s.Errorf("", "the body cannot be written as JSON: %v", err)
		}
		l.Body = Secret(data)
		l.Header = append(l.Header, exchange.Field{Name: "Content-Type", Value: "application/json"})
	case form != nil:
		values := url.Values{}
		for name, text := range form {
			v, err := k.value(text)
			if err != nil {
				return s.Errorf("", "%v", err)
			}
			values.Set(name, string(v))
		}
		l.Body = Secret(values.Encode())
		l.Header = append(l.Header, exchange.Field{Name: "Content-Type", Value: "application/x-www-form-urlencoded"})
	}
	return nil
}

// resolve copies a value with its texts resolved.
func (k *sources) resolve(v any) (any, error) {
	switch v := v.(type) {
	case string:
		s, err := k.value(v)
		return string(s), err
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, member := range v {
			r, err := k.resolve(member)
			if err != nil {
				return nil, err
			}
			out[name] = r
		}
		return out, nil
	case []any:
		out := make([]any, len(v))
		for i := range v {
			r, err := k.resolve(v[i])
			if err != nil {
				return nil, err
			}
			out[i] = r
		}
		return out, nil
	}
	return v, nil
}

func sorted(m map[string]string) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
