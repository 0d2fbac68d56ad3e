package archive

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
)

// A Format is one way to write requests and exchanges down.
type Format struct {
	// Name is the word after --to: "har", "postman", "http", "curl", "bruno".
	Name string
	// Extensions are the endings of its files, the usual one first: ".har".
	Extensions []string
	// Is reports whether data looks like this format.
	Is func(file string, data []byte) bool
	// Read reads it. An error is an *Error with its place.
	Read func(file string, data []byte) (*Collection, error)
	// Write writes it; nil when Parley only reads it.
	Write func(w io.Writer, c *Collection) error
}

// Formats are all that are known. The first one whose Is says so reads a file.
var Formats = []*Format{
	{Name: "har", Extensions: []string{".har"}, Is: isHAR, Read: readHAR, Write: writeHAR},
	{Name: "curl", Extensions: []string{".sh", ".curl"}, Is: isCurl, Read: readCurl, Write: writeCurl},
	{Name: "http", Extensions: []string{".http", ".rest"}, Is: isHTTPFile, Read: readHTTPFile, Write: writeHTTPFile},
	{Name: "postman", Extensions: []string{".postman_collection.json", ".json"}, Is: isPostman, Read: readPostman, Write: writePostman},
	{Name: "bruno", Extensions: []string{".bru"}, Is: isBruno, Read: readBruno},
	{Name: "opencollection", Extensions: []string{".yml", ".yaml"}, Is: isOpenCollection, Read: readOpenCollection},
	Parley,
}

// FormatNamed returns the format with a name, or nil.
func FormatNamed(name string) *Format {
	for _, f := range Formats {
		if f.Name == name {
			return f
		}
	}
	return nil
}

// Read reads data in whatever format it is.
func Read(file string, data []byte) (*Collection, error) {
	for _, f := range Formats {
		if f.Is(file, data) {
			return f.Read(file, data)
		}
	}
	var names []string
	for _, f := range Formats {
		names = append(names, f.Name)
	}
	hint := "known are " + strings.Join(names, ", ")
	if ending := filepath.Ext(file); ending != "" {
		what := "that of none of them"
		if fs := FormatsEnding(file); len(fs) > 0 {
			what = "that of " + strings.Join(fs, " and ") + ", and the content is not"
		}
		hint += "; the ending " + ending + " is " + what
	}
	return nil, &Error{File: file, Text: "is in no format that is known here", Hint: hint}
}

// FormatsEnding are the names of the formats whose files end as file does.
func FormatsEnding(file string) []string {
	var names []string
	for _, f := range Formats {
		if slices.ContainsFunc(f.Extensions, func(x string) bool { return strings.HasSuffix(strings.ToLower(file), x) }) {
			names = append(names, f.Name)
		}
	}
	return names
}

// An Error is something wrong in a file, with its place.
type Error struct {
	File         string
	Line, Column int // from 1; 0 when unknown
	Text         string
	Hint         string
}

func (e *Error) Error() string {
	switch {
	case e.Line == 0:
		return e.File + ": " + e.Text
	case e.Column == 0:
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Text)
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Text)
}
