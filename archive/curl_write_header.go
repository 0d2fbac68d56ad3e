package archive

import (
	"slices"
	"strings"
)

func (a *curlArguments) header(auth *Auth) {
	byOption := slices.Clone(a.f.ByOption)
	for _, f := range a.r.Header {
		lower := strings.ToLower(f.Name)
		if i := slices.Index(byOption, lower); i >= 0 && !f.Disabled {
			byOption = slices.Delete(byOption, i, i+1)
			switch lower {
			case "user-agent":
				a.put("--user-agent", f.Value)
			case "referer":
				a.put("--referer", f.Value)
			case "cookie":
				a.put("--cookie", f.Value)
			case "range":
				a.put("--range", strings.TrimPrefix(f.Value, "bytes="))
			}
			continue
		}
		switch {
		case f.Disabled && f.Value == "" && a.own:
			a.put("-H", f.Name+":")
		case f.Disabled, a.own && lower == "accept" && f.Value == "*/*" && f.Name == "Accept" && a.defaultAccept():
		case f.Value == "":
			a.put("-H", f.Name+";")
		default:
			a.put("-H", f.Name+": "+f.Value)
		}
	}
	if auth != nil && auth.Scheme == "apikey" && auth.Params["in"] != "query" && auth.Params["key"] != "" {
		a.put("-H", auth.Params["key"]+": "+auth.Params["value"])
	}
	for _, name := range []string{"User-Agent", "Accept"} {
		if a.recorded && !fieldIn(a.r.Header, name) {
			a.put("-H", name+":")
		}
	}
	b := a.r.Body
	if !a.hasBody() || fieldIn(a.r.Header, "Content-Type") {
		return
	}
	const form = "application/x-www-form-urlencoded"
	switch b.Mode {
	case "raw", "file", "pieces":
		if a.f.Upload || b.MediaType == form {
			return
		}
		if b.MediaType == "" && b.Mode == "file" && a.r.Method == "PUT" {
			return // sent by -T
		}
		if b.MediaType == "" {
			a.put("-H", "Content-Type:")
		} else {
			a.put("-H", "Content-Type: "+b.MediaType)
		}
	case "graphql":
		a.put("-H", "Content-Type: application/json")
	}
}

// defaultAccept reports whether the field stands where curl puts its own:
// before those of -H.
func (a *curlArguments) defaultAccept() bool {
	for _, f := range a.r.Header {
		if strings.EqualFold(f.Name, "Accept") {
			return true
		}
		if !slices.Contains(a.f.ByOption, strings.ToLower(f.Name)) && !f.Disabled {
			return false
		}
	}
	return false
}

func (a *curlArguments) auth(auth *Auth) {
	if auth == nil {
		return
	}
	p := auth.Params
	switch auth.Scheme {
	case "none", "apikey", "":
	case "basic":
		a.put("-u", p["username"]+":"+p["password"])
	case "digest", "ntlm", "negotiate", "anyauth":
		a.put("--" + auth.Scheme)
		a.put("-u", p["username"]+":"+p["password"])
	case "bearer":
		a.put("--oauth2-bearer", p["token"])
	case "oauth2":
		if p["accessToken"] == "" {
			a.warnings = append(a.warnings, "its OAuth 2 token must be fetched first: curl is given $TOKEN")
			a.put("--oauth2-bearer", "{{TOKEN}}")
			return
		}
		a.put("--oauth2-bearer", p["accessToken"])
	case "aws-sigv4":
		provider := p["provider"]
		if provider == "" {
			provider = "aws:amz:" + p["region"] + ":" + p["service"]
		}
		a.put("--aws-sigv4", provider)
		a.put("-u", p["accessKey"]+":"+p["secretKey"])
		if t := p["sessionToken"]; t != "" {
			a.put("-H", "X-Amz-Security-Token: "+t)
		}
	default:
		a.warnings = append(a.warnings, "curl cannot authenticate with "+auth.Scheme)
	}
}
