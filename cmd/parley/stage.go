package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/example/shop"
)

// staged is the shop with flaws on, and what guard needs to stand before
// it: what up and tour begin with.
type staged struct {
	shop     *shop.Shop
	at       net.Listener
	keys     shop.Keys
	contract *contract.Contract
}

// stageShop opens the shop, and writes its contract, its policy and its keys to
// dir/shop, where a person may read and change them. more is added to the end
// of the policy.
func stageShop(dir string, flaws []string, listen, more string) (_ *staged, err error) {
	s := &staged{}
	if s.shop, s.at, err = openShop(shop.Options{Flaws: flaws}, listen); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.keys, err = s.shop.Keys(); err != nil {
		return nil, err
	}
	dir = filepath.Join(dir, "shop")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := s.shop.WriteConfiguration(dir, "http://"+s.at.Addr().String()); err != nil {
		return nil, err
	}
	policy := filepath.Join(dir, "parley.yaml")
	if more != "" {
		if err := appendFile(policy, more); err != nil {
			return nil, err
		}
	}
	s.contract, err = contract.Load(policy)
	return s, err
}

func (s *staged) close() {
	s.at.Close()
	s.shop.Close()
}

func appendFile(name, text string) error {
	f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// trusting is the TLS configuration of a client that believes the local
// authority, and nobody else.
func trusting(caFile string) (*tls.Config, error) {
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: no certificate that can be read", caFile)
	}
	return &tls.Config{RootCAs: roots}, nil
}

// trustingClient speaks HTTP/2 where the server does.
func trustingClient(caFile string) (*http.Client, error) {
	config, err := trusting(caFile)
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}}, nil
}
