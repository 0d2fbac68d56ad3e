package check

import "testing"

// TestSuites holds what the names of suites are taken for.
func TestSuites(t *testing.T) {
	for _, test := range []struct {
		suite   string
		weak    bool
		forgets bool
	}{
		{"TLS_AES_128_GCM_SHA256", false, true},
		{"TLS_SHA256_SHA256", true, true},
		{"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", false, true},
		{"TLS_DHE_RSA_WITH_AES_256_CBC_SHA", false, true},
		{"TLS_PSK_DHE_WITH_AES_128_CCM_8", false, true},
		{"TLS_ECDHE_PSK_WITH_NULL_SHA", true, true},
		{"TLS_DH_anon_WITH_AES_128_GCM_SHA256", true, true},
		{"TLS_ECDH_anon_WITH_NULL_SHA", true, true},
		{"TLS_SRP_SHA_RSA_WITH_AES_128_CBC_SHA", false, true},
		{"TLS_RSA_WITH_AES_128_GCM_SHA256", false, false},
		{"TLS_RSA_PSK_WITH_AES_128_GCM_SHA256", false, false},
		{"TLS_PSK_WITH_AES_128_CCM", false, false},
		{"TLS_DH_RSA_WITH_AES_128_CBC_SHA", false, false},
		{"TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA", false, false},
		{"TLS_RSA_WITH_SEED_CBC_SHA", false, false},
		{"TLS_RSA_EXPORT1024_WITH_RC4_56_SHA", true, false},
		{"TLS_DHE_RSA_WITH_DES_CBC_SHA", true, true},
		{"TLS_DHE_RSA_EXPORT_WITH_DES40_CBC_SHA", true, true},
		{"TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", true, true},
		{"TLS_RSA_WITH_IDEA_CBC_SHA", true, false},
		{"TLS_RSA_WITH_NULL_MD5", true, false},
		{"SSL_CK_DES_192_EDE3_CBC_WITH_MD5", true, false},
		{"SSL_CK_IDEA_128_CBC_WITH_MD5", true, false},
		{"0xFEED", false, true},
	} {
		if got := weakness(test.suite); (got != "") != test.weak {
			t.Errorf("weakness(%s) = %q, want something: %v", test.suite, got, test.weak)
		}
		if got := forgets(test.suite); got != test.forgets {
			t.Errorf("forgets(%s) = %v, want %v", test.suite, got, test.forgets)
		}
	}
}
