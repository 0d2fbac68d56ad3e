package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"

	"github.com/parley-project/parley/call"
	calls "github.com/parley-project/parley/call/run"
	"github.com/parley-project/parley/console"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
)

// consoleClient is what the console's pages Trace and Compose make calls with:
// recorded by the store, which masks what is secret, and trusting the local
// authority when there is one.
func consoleClient(recorder exchange.Recorder, caFile, base string, people map[string]*identity.Person) (*console.Client, error) {
	k := &console.Client{Names: slices.Sorted(maps.Keys(people)), Scripts: callScripts()}
	k.Call = call.Options{Recorder: recorder, MaxBody: 4 << 20}
	if caFile != "" {
		more, err := calls.ReadRoots(caFile)
		if err != nil {
			return nil, err
		}
		k.Call.More = more
	}
	login := sync.OnceValues(func() (*call.Client, error) {
		own := k.Call // Untrusted is Stop: a recipe's secret crosses no channel that is not verified
		return call.New(own)
	})
	var mu sync.Mutex
	known := map[string]identity.Auth{}
	k.As = func(name string) (identity.Auth, error) {
		mu.Lock()
		defer mu.Unlock()
		if a, ok := known[name]; ok {
			return a, nil
		}
		p := people[name]
		if p == nil {
			return nil, fmt.Errorf("no identity is named %q", name)
		}
		c, err := login()
		if err != nil {
			return nil, err
		}
		a, err := call.As(p, c, base, nil)
		if err == nil {
			known[name] = a
		}
		return a, err
	}
	return k, nil
}

// peopleOf are the identities of a policy; none when there is no policy.
func peopleOf(policy string) (map[string]*identity.Person, error) {
	if policy == "" {
		return nil, nil
	}
	_, people, err := readPolicy(policy)
	return people, err
}

// people are those as whom calls can be made from up's console: the shop's, or
// those of the policy.
func (u *up) people() (map[string]*identity.Person, error) {
	if u.shop == nil {
		return peopleOf(u.o.policy)
	}
	people := map[string]*identity.Person{}
	for _, name := range shopPeople {
		auth, err := identity.ParseCredential("Bearer "+u.keys.Token[name], ".", os.Getenv)
		if err != nil {
			return nil, err
		}
		people[name] = &identity.Person{Name: name, Auth: auth}
	}
	return people, nil
}

// client is what up's console makes calls with.
func (u *up) client() (*console.Client, error) {
	people, err := u.people()
	if err != nil {
		return nil, err
	}
	return consoleClient(u.db, u.stand.caFile, u.stand.url(), people)
}
