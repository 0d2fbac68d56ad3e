package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/identity"
	"github.com/parley-project/parley/internal/config"
)

// asUsage is the help of --as, the same wherever it is.
const asUsage = "who asks: NAME from identities in parley.yaml, or NAME=@FILE, NAME=env:VARIABLE, NAME=X-API-Key:…, NAME=Bearer …"

// personOf is who is meant by --as: somebody of parley.yaml, or a name with a
// credential. No error repeats the credential.
func personOf(as string, people map[string]*identity.Person) (*identity.Person, error) {
	name, credential, given := strings.Cut(as, "=")
	name = strings.TrimSpace(name)
	if name == "" {
		return nil, &usageError{"--as: there is no name", asUsage}
	}
	if given {
		auth, err := identity.ParseCredential(credential, ".", os.Getenv)
		if err != nil {
			return nil, &usageError{fmt.Sprintf("--as %s=…: %s", name, strings.TrimPrefix(err.Error(), "identity: ")), "--as NAME=@FILE, NAME=env:VARIABLE, NAME=X-API-Key:…, or NAME=Bearer …"}
		}
		return &identity.Person{Name: name, Auth: auth}, nil
	}
	if p := people[name]; p != nil {
		return p, nil
	}
	hint := "name somebody in identities of parley.yaml and give it with -c, or --as " + name + "=@FILE"
	known := slices.Sorted(maps.Keys(people))
	if len(known) > 0 {
		hint = "known are " + strings.Join(known, ", ")
		if near := config.Nearest(name, known); near != "" {
			hint = "did you mean " + near + "?"
		}
	}
	return nil, &usageError{fmt.Sprintf("--as: there is no identity %q", name), hint}
}

// readPolicy reads what parley.yaml says to those who ask: its identities, and
// the contract when it names an API.
func readPolicy(file string) (k *contract.Contract, people map[string]*identity.Person, err error) {
	s, err := config.Read(file)
	if err != nil {
		return nil, nil, err
	}
	fields, err := s.Fields()
	if err != nil {
		return nil, nil, err
	}
	for _, f := range fields {
		switch f.Name {
		case "api":
			if k, err = contract.Load(file); err != nil {
				return nil, nil, err
			}
		case "identities":
			if people, err = identity.ParsePeople(f.Value, filepath.Dir(file), os.Getenv); err != nil {
				return nil, nil, err
			}
		}
	}
	return k, people, nil
}
