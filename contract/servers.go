package contract

import (
	"path"
	"slices"
	"strings"
)

// basePaths returns the paths of the servers, without a slash at the end.
func basePaths(servers cursor) []string {
	var out []string
	for _, s := range servers.items() {
		for _, u := range expandServer(s.get("url").text(), s.get("variables").members()) {
			if b := pathOfURL(u); !slices.Contains(out, b) {
				out = append(out, b)
			}
		}
	}
	if len(out) == 0 {
		out = []string{""}
	}
	return out
}

// expandServer puts the values of variables into a server's URL: each of the
// enumerated ones, or the default.
func expandServer(u string, variables []member) []string {
	urls := []string{u}
	for _, v := range variables {
		values := v.value.get("enum").texts()
		if d := v.value.get("default").text(); !slices.Contains(values, d) {
			values = append(values, d)
		}
		var next []string
		for _, u := range urls {
			if !strings.Contains(u, "{"+v.name+"}") {
				next = append(next, u)
				continue
			}
			for _, val := range values {
				next = append(next, strings.ReplaceAll(u, "{"+v.name+"}", val))
			}
		}
		if urls = next; len(urls) > 64 {
			urls = urls[:64]
		}
	}
	return urls
}

// pathOfURL cuts the path out of a URL or relative reference, which may still
// hold variables that net/url would not take.
func pathOfURL(u string) string {
	if i := strings.Index(u, "://"); i >= 0 {
		u = "//" + u[i+3:]
	}
	if strings.HasPrefix(u, "//") {
		i := strings.IndexByte(u[2:], '/')
		if i < 0 {
			return ""
		}
		u = u[2+i:]
	}
	if i := strings.IndexAny(u, "?#"); i >= 0 {
		u = u[:i]
	}
	u = cleanPath(u)
	if u == "/" {
		return ""
	}
	return u
}

// cleanPath is path.Clean for a base path; the result begins with a slash.
func cleanPath(p string) string { return path.Clean("/" + p) }
