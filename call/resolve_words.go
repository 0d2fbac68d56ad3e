package call

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
)

// whyNoAnswer says in plain words why a resolver gave no answer.
func whyNoAnswer(err error) string {
	var slow *tooSlowError
	var final *finalError
	var verify *tls.CertificateVerificationError
	var name *net.DNSError
	switch {
	case errors.As(err, &slow), errors.As(err, &final):
		return err.Error()
	case errors.As(err, &verify):
		return "the certificate does not hold: " + certificateWords(verify.Err)
	case errors.As(err, &name):
		return "the resolver's own name " + clip(name.Name) + " has no address"
	}
	return words(err)
}

func certificateWords(err error) string {
	var host x509.HostnameError
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &host):
		return "it is not for " + host.Host
	case errors.As(err, &unknown):
		return "nobody we trust signed it"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "it is out of date"
	}
	return clip(strings.TrimPrefix(err.Error(), "x509: "))
}

// codeInWords adds to a response code what it means.
func codeInWords(rcode string) string {
	says := map[string]string{
		"NXDOMAIN": "there is no such name",
		"SERVFAIL": "it could not get an answer, or not a valid one",
		"REFUSED":  "it does not answer this question, or not us",
		"FORMERR":  "it did not understand the question",
		"NOTIMP":   "it does not know this kind of question",
	}[rcode]
	if says == "" {
		return rcode
	}
	return rcode + ": " + says
}
