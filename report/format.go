package report

import (
	"io"
	"path/filepath"
	"strconv"
	"strings"
)

// A Format is a way to write a report.
type Format struct {
	Name      string
	Extension string // with its dot
	MediaType string
	Write     func(io.Writer, *Report) error
}

// Formats are all there are. Flags, file names and menus read this list.
var Formats = []Format{
	{"text", ".txt", "text/plain; charset=utf-8", Text},
	{"json", ".json", "application/json", JSON},
	{"sarif", ".sarif", "application/sarif+json", SARIF},
	{"junit", ".xml", "application/xml", JUnit},
	{"html", ".html", "text/html; charset=utf-8", HTML},
}

// FormatNames are the names, for help and errors.
func FormatNames() []string {
	var names []string
	for _, f := range Formats {
		names = append(names, f.Name)
	}
	return names
}

// FormatByName returns the format of a name.
func FormatByName(name string) (Format, bool) {
	for _, f := range Formats {
		if f.Name == name {
			return f, true
		}
	}
	return Format{}, false
}

// FormatOf returns the format that a file's name asks for by its extension.
func FormatOf(file string) (Format, bool) {
	extension := strings.ToLower(filepath.Ext(file))
	for _, f := range Formats {
		if f.Extension == extension {
			return f, true
		}
	}
	return Format{}, false
}

// Place reads a place such as "openapi.yaml:120". An empty one is no place.
func Place(s string) (file string, line int) {
	file, n, _ := strings.Cut(s, ":")
	line, _ = strconv.Atoi(n)
	return file, line
}
