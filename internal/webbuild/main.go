// Webbuild bundles the console's web client with esbuild as a Go library, so
// that neither Node nor esbuild is part of the product's dependencies.
//
//	go run . [-check] ../../console
//
// It reads console/web (run `npm ci` there first) and writes console/dist,
// which is committed and embedded. The same input gives the same bytes. With
// -check it writes nothing and fails when what is committed differs. It also
// fails when everything together is larger than 200 KiB compressed.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// budget is what the browser may have to load, compressed.
const budget = 200 << 10

func main() {
	check := flag.Bool("check", false, "compare with what is committed instead of writing it")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "webbuild: error: want the console's directory: go run . [-check] ../../console")
		os.Exit(2)
	}
	if err := run(flag.Arg(0), *check); err != nil {
		fmt.Fprintf(os.Stderr, "webbuild: error: %v\n", err)
		os.Exit(1)
	}
}

func run(console string, check bool) error {
	console, err := filepath.Abs(console)
	if err != nil {
		return err
	}
	web, dist := filepath.Join(console, "web"), filepath.Join(console, "dist")
	if _, err := os.Stat(filepath.Join(web, "node_modules", "preact")); err != nil {
		return fmt.Errorf("packages of %s are missing: run (cd console/web && npm ci)", web)
	}
	files, err := bundle(web)
	if err != nil {
		return err
	}
	for _, name := range []string{"index.html", "icon.svg"} {
		b, err := os.ReadFile(filepath.Join(web, "static", name))
		if err != nil {
			return err
		}
		files[name] = b
	}

	var names []string
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	total := 0
	for _, name := range names {
		n := compressed(files[name])
		fmt.Printf("%-14s %7d bytes %7d compressed\n", name, len(files[name]), n)
		if name != "licenses.txt" { // the page does not load it
			total += n
		}
	}
	fmt.Printf("%-14s %13s %7d compressed of %d\n", "in all", "", total, budget)
	if total > budget {
		return fmt.Errorf("the bundle is %d bytes compressed, more than %d", total, budget)
	}
	if check {
		return compare(dist, files)
	}
	if err := os.MkdirAll(dist, 0o777); err != nil {
		return err
	}
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dist, name), files[name], 0o666); err != nil {
			return err
		}
	}
	return nil
}

// bundle returns app.js, app.css and licenses.txt.
func bundle(web string) (map[string][]byte, error) {
	r := api.Build(api.BuildOptions{
		AbsWorkingDir: web,
		EntryPointsAdvanced: []api.EntryPoint{
			{InputPath: "src/main.tsx", OutputPath: "app"},
			{InputPath: "src/style/app.css", OutputPath: "app"},
		},
		Outdir:            "out", // never written: only names the results
		Bundle:            true,
		Format:            api.FormatESModule,
		Target:            api.ES2022,
		MinifyWhitespace:  true,
		MinifyIdentifiers: true,
		MinifySyntax:      true,
		Charset:           api.CharsetUTF8,
		LegalComments:     api.LegalCommentsNone, // they are in licenses.txt
		JSX:               api.JSXAutomatic,
		JSXImportSource:   "preact",
		Metafile:          true,
		LogLevel:          api.LogLevelWarning,
	})
	if len(r.Errors) > 0 {
		return nil, fmt.Errorf("%d errors in the web client", len(r.Errors))
	}
	files := map[string][]byte{}
	for _, f := range r.OutputFiles {
		files[filepath.Base(f.Path)] = f.Contents
	}
	// Trusted Types with no policy: nothing bundled may depend on writing
	// markup. Preact does so only for dangerouslySetInnerHTML, which the
	// sources must not name.
	if err := noMarkup(filepath.Join(web, "src")); err != nil {
		return nil, err
	}
	licences, err := licences(web, r.Metafile)
	if err != nil {
		return nil, err
	}
	files["licenses.txt"] = licences
	return files, nil
}

func noMarkup(dir string) error {
	return filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, word := range []string{"innerHTML", "InnerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser", "srcdoc", "eval(", "new Function"} {
			if bytes.Contains(b, []byte(word)) {
				return fmt.Errorf("%s: %s is not allowed in the console: what was captured is shown as text only", path, word)
			}
		}
		return nil
	})
}

// licences lists the packages whose code is in the bundle, with their terms.
func licences(web, metafile string) ([]byte, error) {
	var meta struct{ Inputs map[string]struct{} }
	if err := json.Unmarshal([]byte(metafile), &meta); err != nil {
		return nil, err
	}
	found := map[string]bool{}
	for path := range meta.Inputs {
		_, rest, ok := strings.Cut(path, "node_modules/")
		if !ok {
			continue
		}
		parts := strings.Split(rest, "/")
		name := parts[0]
		if strings.HasPrefix(name, "@") && len(parts) > 1 {
			name += "/" + parts[1]
		}
		found[name] = true
	}
	var names []string
	for name := range found {
		names = append(names, name)
	}
	slices.Sort(names)
	var out bytes.Buffer
	out.WriteString("Packages whose code is part of the console's web client.\n")
	for _, name := range names {
		dir := filepath.Join(web, "node_modules", filepath.FromSlash(name))
		b, err := os.ReadFile(filepath.Join(dir, "package.json"))
		if err != nil {
			return nil, err
		}
		var pkg struct{ Version, License string }
		if err := json.Unmarshal(b, &pkg); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		text, err := licenceText(dir)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&out, "\n%s\n%s %s (%s)\n\n%s\n", strings.Repeat("-", 72), name, pkg.Version, pkg.License, strings.TrimSpace(string(text)))
	}
	return out.Bytes(), nil
}

func licenceText(dir string) ([]byte, error) {
	for _, name := range []string{"LICENSE", "LICENSE.md", "LICENSE.txt", "LICENCE", "license"} {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err == nil {
			return bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")), nil
		}
	}
	return nil, fmt.Errorf("%s has no licence file", dir)
}

func compressed(b []byte) int {
	var out bytes.Buffer
	z, _ := gzip.NewWriterLevel(&out, gzip.BestCompression)
	z.Write(b)
	z.Close()
	return out.Len()
}

func compare(dist string, files map[string][]byte) error {
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(dist, name))
		if err != nil || !bytes.Equal(got, want) {
			return fmt.Errorf("%s is not what the sources make: run make ui and commit it", filepath.Join(dist, name))
		}
	}
	entries, err := os.ReadDir(dist)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if files[e.Name()] == nil {
			return fmt.Errorf("%s is not made from the sources", filepath.Join(dist, e.Name()))
		}
	}
	return nil
}
