package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/parley-project/parley/archive"
	"github.com/parley-project/parley/identity"
)

// convertOptions are what a person may say to `parley convert`.
type convertOptions struct {
	to, from, out string
	raw           bool
}

func convertCommand() *cobra.Command {
	var o convertOptions
	c := &cobra.Command{
		Use:   "convert IN... --to FORMAT",
		Short: "requests and recordings from one format into another",
		Long: "Reads requests, collections and recordings and writes them in another format:\n" +
			readWords() + " are read,\n" +
			formatWords(func(f *archive.Format) bool { return f.Write != nil }) + ", " + openAPI + " are written. What\n" +
			"a format has no word for is kept beside it and written back in the same format.\n\n" +
			"Secrets are masked, equal ones alike, unless --raw is given; variables such as\n" +
			"{{token}} stay. Files are written for their owner only (mode 600).",
		Example: "  parley convert recording.har --to curl\n" +
			"  parley convert shop.postman_collection.json --to http -o shop.http\n" +
			"  pbpaste | parley convert - --to har -o call.har --raw",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return &usageError{"there is nothing to convert", c.CommandPath() + " recording.har --to curl; - stands for standard input"}
			}
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&o.to, "to", "", "format to write: "+formatWords(func(f *archive.Format) bool { return f.Write != nil })+", "+openAPI)
	f.StringVar(&o.from, "from", "", "format of the input (default: seen from name and content)")
	f.StringVarP(&o.out, "output", "o", "-", "file to write")
	f.BoolVar(&o.raw, "raw", false, "keep secrets")
	c.RunE = func(c *cobra.Command, args []string) error {
		return runConvert(c.InOrStdin(), c.OutOrStdout(), c.ErrOrStderr(), args, o)
	}
	return c
}

// formatWords lists the formats of which something holds.
func formatWords(ok func(*archive.Format) bool) string {
	var names []string
	for _, f := range archive.Formats {
		if ok(f) {
			names = append(names, f.Name)
		}
	}
	return strings.Join(names, ", ")
}

// openAPI is the name of descriptions of APIs, which package archive cannot
// read.
const openAPI = "openapi"

// readWords lists the formats that are read.
func readWords() string {
	return formatWords(func(f *archive.Format) bool { return f.Read != nil }) + ", " + openAPI
}

func runConvert(stdin io.Reader, stdout, stderr io.Writer, args []string, o convertOptions) error {
	written := formatWords(func(f *archive.Format) bool { return f.Write != nil })
	switch {
	case o.to == "":
		return &usageError{"--to: which format?", "parley convert " + args[0] + " --to one of " + written + ", " + openAPI}
	case o.to == openAPI:
		return convertToOpenAPI(stdin, stdout, stderr, args, o)
	}
	to := archive.FormatNamed(o.to)
	if to == nil || to.Write == nil {
		return &usageError{fmt.Sprintf("--to: format %q is not written", o.to), "one of " + written + ", " + openAPI}
	}
	if o.from != "" && o.from != openAPI && archive.FormatNamed(o.from) == nil {
		return &usageError{fmt.Sprintf("--from: there is no format %q", o.from), "one of " + readWords()}
	}
	if o.out != "-" {
		if err := notInput(o.out, args); err != nil {
			return err
		}
	}
	c, err := readCollections(stdin, args, o)
	if err != nil {
		return err
	}
	masked := 0
	if !o.raw {
		key := make([]byte, 32)
		rand.Read(key)
		masked = archive.Hide(c, identity.NewMasker(key))
	}
	if to.Name != "curl" {
		c.Warnings = append(c.Warnings, archive.OnlyCurl(c)...)
	}
	var out bytes.Buffer
	if err := to.Write(&out, c); err != nil {
		return fmt.Errorf("convert: %w", err)
	}
	tellWarnings(stderr, c.Warnings)
	switch {
	case masked == 1:
		say(stderr, "masked", "1 secret; --raw keeps it")
	case masked > 1:
		say(stderr, "masked", fmt.Sprintf("%d secrets; --raw keeps them", masked))
	}
	if o.out == "-" {
		if _, err := stdout.Write(out.Bytes()); err != nil {
			return fmt.Errorf("convert: %w", err)
		}
		return nil
	}
	if err := writeSecret(o.out, out.Bytes()); err != nil {
		return fmt.Errorf("convert: %w", err)
	}
	return nil
}

// maxWarnings is how many warnings are told one by one.
const maxWarnings = 20

func tellWarnings(stderr io.Writer, warnings []string) {
	for i, w := range warnings {
		if i == maxWarnings {
			say(stderr, "warning", fmt.Sprintf("and %d more", len(warnings)-i))
			return
		}
		say(stderr, "warning", w)
	}
}

// notInput refuses to write over what is read.
func notInput(out string, args []string) error {
	at, err := os.Stat(out)
	if err != nil {
		return nil // there is nothing to write over
	}
	if at.IsDir() {
		return &usageError{"-o: " + out + " is a folder", "-o " + filepath.Join(out, "FILE")}
	}
	for _, in := range args {
		if i, err := os.Stat(in); err == nil && os.SameFile(i, at) {
			return &usageError{"-o: " + out + " is what is read", "give another file, and move it there"}
		}
	}
	return nil
}

// readCollections reads the inputs. Several become the folders of one.
func readCollections(stdin io.Reader, args []string, o convertOptions) (*archive.Collection, error) {
	var all []*archive.Collection
	for _, in := range args {
		c, err := readCollection(stdin, in, o)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	if len(all) == 1 {
		return all[0], nil
	}
	joined := &archive.Collection{Name: "joined", File: strings.Join(args, " ")}
	for i, c := range all {
		name := c.Name
		if name == "" {
			name = filepath.Base(args[i])
		}
		joined.Items = append(joined.Items, &archive.Item{Name: name, Doc: c.Doc, Scope: c.Scope, Items: c.Items})
		joined.Warnings = append(joined.Warnings, c.Warnings...)
	}
	return joined, nil
}

// maxInput is the largest file that is converted.
const maxInput = 512 << 20

func readCollection(stdin io.Reader, in string, o convertOptions) (*archive.Collection, error) {
	data, err := inputBytes(stdin, in)
	if err != nil {
		return nil, err
	}
	if o.from == openAPI || o.from == "" && looksOpenAPI(data) {
		if in == "-" {
			return nil, &usageError{"an OpenAPI description is not read from standard input", "give its file: what it refers to is beside it"}
		}
		_, c, err := described(in)
		return c, err
	}
	if in == "-" {
		in = "stdin"
	}
	var c *archive.Collection
	if o.from != "" {
		c, err = archive.FormatNamed(o.from).Read(in, data)
	} else {
		c, err = archive.Read(in, data)
	}
	if err == nil {
		return c, nil
	}
	if !o.raw {
		err = archive.HideError(err)
	}
	hint := "say which format it is: --from " + strings.ReplaceAll(readWords(), ", ", "|")
	var place *archive.Error
	if errors.As(err, &place) && place.Hint != "" {
		hint = place.Hint
	}
	return nil, &hintError{err, hint, exitUsage}
}

func inputBytes(stdin io.Reader, in string) ([]byte, error) {
	r := stdin
	if in != "-" {
		// Without waiting: to a named pipe perhaps nobody ever writes.
		f, err := os.OpenFile(in, os.O_RDONLY|syscall.O_NONBLOCK, 0)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, &hintError{fmt.Errorf("%s: no such file", in), "- stands for standard input", exitUsage}
		}
		if err != nil {
			return nil, &hintError{err, "", exitUsage}
		}
		defer f.Close() // it was only read
		r = f
	}
	data, err := io.ReadAll(io.LimitReader(r, maxInput+1))
	if err != nil {
		return nil, &hintError{err, "is it a file?", exitUsage}
	}
	if len(data) > maxInput {
		return nil, &hintError{fmt.Errorf("%s: is larger than %d MiB", in, maxInput>>20), "convert a part of it", exitUsage}
	}
	return data, nil
}
