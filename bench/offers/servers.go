package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/parley-project/parley/internal/needs"
)

// A server takes as much as its library lets it.
type server struct {
	name string
	// start returns where it listens.
	start func(dir string) (address string, stop func(), err error)
}

var servers = []server{
	{"nginx", startNginx},
	{"openssl s_server", startOpenSSL},
}

func startNginx(dir string) (string, func(), error) {
	nginx := needs.Find("nginx")
	if nginx == "" {
		return "", nil, errors.New("nginx is not on this machine: make deps")
	}
	cert, address, err := certificate(dir)
	if err != nil {
		return "", nil, err
	}
	conf := filepath.Join(dir, "nginx.conf")
	text := fmt.Sprintf(`daemon off;
worker_processes auto;
pid %[1]s/pid;
error_log stderr crit;
events { worker_connections 1024; }
http {
	access_log off;
	client_body_temp_path %[1]s; proxy_temp_path %[1]s; fastcgi_temp_path %[1]s; uwsgi_temp_path %[1]s; scgi_temp_path %[1]s;
	server {
		listen %[2]s ssl;
		ssl_certificate %[3]s;
		ssl_certificate_key %[3]s;
		ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;
		ssl_ciphers ALL:@SECLEVEL=0;
		ssl_prefer_server_ciphers on;
	}
}
`, dir, address, cert)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		return "", nil, err
	}
	stop, err := run(address, nginx, "-c", conf, "-e", "stderr")
	return address, stop, err
}

// startOpenSSL starts a server that has one connection at a time.
func startOpenSSL(dir string) (string, func(), error) {
	openssl := needs.Find("openssl")
	if openssl == "" {
		return "", nil, errors.New("openssl is not on this machine: make deps")
	}
	cert, address, err := certificate(dir)
	if err != nil {
		return "", nil, err
	}
	stop, err := run(address, openssl, "s_server", "-quiet", "-www", "-accept", address, "-cert", cert, "-cipher", "ALL:COMPLEMENTOFALL:@SECLEVEL=0", "-serverpref")
	return address, stop, err
}

// run starts a program and waits until it listens.
func run(address, program string, args ...string) (stop func(), err error) {
	cmd := exec.Command(program, args...)
	// When the harness dies, nothing of it may go on using the processor.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	stop = func() { cmd.Process.Signal(syscall.SIGTERM); cmd.Wait() }
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if nc, err := net.DialTimeout("tcp", address, time.Second); err == nil {
			nc.Close()
			return stop, nil
		}
	}
	stop()
	return nil, fmt.Errorf("%s: nothing listens on %s", program, address)
}

// certificate writes a self-signed RSA certificate with its key, and finds a
// free address.
func certificate(dir string) (file, address string, err error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return "", "", err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bench"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"bench.test"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return "", "", err
	}
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})...)
	file = filepath.Join(dir, "server.pem")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", err
	}
	defer l.Close()
	return file, l.Addr().String(), os.WriteFile(file, text, 0o600)
}
