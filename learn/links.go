package learn

import (
	"regexp"
	"strings"
)

// A quoted text that is a path, also with a host before it and with ${...} in
// it: what fetch, href and plain literals have in common.
var quotedPath = regexp.MustCompile("[\"'`](?:https?://[A-Za-z0-9.:-]+)?(/[A-Za-z0-9_~.{}$:/-]{1,200})(?:[?#][^\"'`]{0,200})?[\"'`]")

// pageFile is the end of a path that a page is made of.
var pageFile = regexp.MustCompile(`(?i)\.(js|mjs|css|png|jpe?g|gif|svg|ico|webp|woff2?|ttf|map|html?|webmanifest)$`)

// readLinks keeps the paths that a page or script names.
func (l *Learner) readLinks(text string) {
	for i, m := range quotedPath.FindAllStringSubmatch(text, 5000) {
		if i == 5000 {
			return
		}
		if p := m[1]; !pageFile.MatchString(p) && !strings.Contains(p, "//") && len(p) > 1 {
			l.links.at(strings.TrimSuffix(p, "/"), yes)
		}
	}
}
