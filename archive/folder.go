package archive

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// maxFolder is how many files of a collection's folder are read.
const maxFolder = 20_000

// ReadFolder reads a folder of Bruno's files or of OpenCollection's: those of
// the folder itself and of folders give what holds below them, each other file
// is a request. Environments are read by ReadEnvironment, from the folder
// environments.
func ReadFolder(dir string) (*Collection, error) {
	f := &folderReader{fsys: os.DirFS(dir), dir: dir}
	c := &Collection{File: dir, Name: path.Base(strings.ReplaceAll(dir, "\\", "/"))}
	items, head, err := f.folder(".", 0, nil)
	if err != nil {
		return nil, err
	}
	if f.format == "" {
		return nil, &Error{File: dir, Text: "is a folder without a collection: it holds neither .bru files nor opencollection.yml"}
	}
	c.Format, c.Items, c.Warnings = f.format, items, f.warnings
	if data, err := fs.ReadFile(f.fsys, "bruno.json"); err == nil {
		if t, err := parseTree(path.Join(dir, "bruno.json"), data); err != nil {
			return nil, err
		} else if name := t.get("name").text(); name != "" {
			c.Name = name
		}
	}
	if head != nil {
		c.Scope, c.Doc = head.Scope, head.Doc
		if head.Name != "" {
			c.Name = head.Name
		}
	}
	return c, nil
}

type folderReader struct {
	fsys     fs.FS
	dir      string
	format   string
	files    int
	warnings []string
}

// A folderItem is an item with its place among the others.
type folderItem struct {
	*Item
	seq  float64
	file string
}

// folder reads one; header are the fields of those above.
func (f *folderReader) folder(name string, depth int, header []Field) (items []*Item, head *Item, err error) {
	entries, err := fs.ReadDir(f.fsys, name)
	if err != nil {
		return nil, nil, &Error{File: path.Join(f.dir, name), Text: "cannot be read: " + err.Error()}
	}
	if depth > 50 {
		return nil, nil, &Error{File: path.Join(f.dir, name), Text: "is nested too deep"}
	}
	// What holds for all comes first.
	var headers []Field
	for _, e := range entries {
		if !slices.Contains([]string{"collection.bru", "folder.bru", "opencollection.yml", "opencollection.yaml", "folder.yml", "folder.yaml"}, e.Name()) || e.IsDir() {
			continue
		}
		it, h, err := f.one(path.Join(name, e.Name()))
		if err != nil {
			return nil, nil, err
		}
		if it != nil && it.Item != nil {
			head, headers = it.Item, h
		}
	}
	headers = inherited(headers, header)
	var list []folderItem
	for _, e := range entries {
		at := path.Join(name, e.Name())
		switch {
		case e.IsDir():
			if strings.HasPrefix(e.Name(), ".") || e.Name() == "node_modules" || e.Name() == "environments" {
				continue
			}
			below, own, err := f.folder(at, depth+1, headers)
			if err != nil {
				return nil, nil, err
			}
			if len(below) == 0 && own == nil {
				continue
			}
			it := &Item{Name: e.Name(), Items: below}
			seq := 0.0
			if own != nil {
				it.Scope, it.Doc, it.Foreign = own.Scope, own.Doc, own.Foreign
				if own.Name != "" {
					it.Name = own.Name
				}
				seq = sequence(own.Foreign)
			}
			list = append(list, folderItem{it, seq, e.Name()})
		case strings.HasSuffix(e.Name(), ".bru") || strings.HasSuffix(e.Name(), ".yml") || strings.HasSuffix(e.Name(), ".yaml"):
			it, _, err := f.one(at)
			if err != nil {
				return nil, nil, err
			}
			if it == nil || it.Item == nil || it.Request == nil {
				continue
			}
			it.Request.Header = inherited(it.Request.Header, headers)
			list = append(list, *it)
		}
	}
	slices.SortStableFunc(list, func(a, b folderItem) int {
		switch {
		case a.seq == b.seq:
			return strings.Compare(a.file, b.file)
		case a.seq == 0 || b.seq != 0 && a.seq > b.seq:
			return 1
		}
		return -1
	})
	for _, l := range list {
		items = append(items, l.Item)
	}
	return items, head, nil
}

// one reads a file: a request, or what is said of a folder, with the header
// fields that hold in it.
func (f *folderReader) one(name string) (*folderItem, []Field, error) {
	if f.files++; f.files > maxFolder {
		return nil, nil, &Error{File: f.dir, Text: fmt.Sprintf("holds more than %d files", maxFolder)}
	}
	data, err := fs.ReadFile(f.fsys, name)
	file := path.Join(f.dir, name)
	if err != nil {
		return nil, nil, &Error{File: file, Text: "cannot be read: " + err.Error()}
	}
	if strings.HasSuffix(name, ".bru") {
		b, err := parseBru(file, data)
		if err != nil {
			return nil, nil, err
		}
		it := b.item()
		f.format = "bruno"
		f.warnings = append(f.warnings, b.warnings...)
		return &folderItem{it, sequence(b), path.Base(name)}, b.fields("headers"), nil
	}
	base := strings.TrimSuffix(strings.TrimSuffix(path.Base(name), ".yml"), ".yaml")
	special := base == "opencollection" || base == "folder"
	if !special && !isOpenCollection(file, data) {
		return nil, nil, nil // another YAML file that lies there
	}
	t, err := yamlTree(file, []byte(decodeText(data)))
	if err != nil {
		return nil, nil, err
	}
	o := &openReader{postmanReader{file: file}}
	it := o.item(t)
	if base == "opencollection" {
		f.format = "opencollection"
	}
	if f.format == "" {
		f.format = "opencollection"
	}
	f.warnings = append(f.warnings, o.warnings...)
	return &folderItem{it, sequence(t), path.Base(name)}, openHeader(t.get("request").get("headers")), nil
}

// sequence is the number that puts an item in its place; 0 for none.
func sequence(foreign any) float64 {
	switch x := foreign.(type) {
	case *bruFile:
		return number64(x.value("meta", "seq"))
	case *tree:
		return number64(x.get("info").get("seq").asText())
	}
	return 0
}
