package stage

import (
	"fmt"
	"path/filepath"
)

// UpstreamConf is an nginx that answers with fixed objects: the cheapest
// upstream there is, so that the proxies are what is measured.
func UpstreamConf(dir string, port int) string {
	return nginx(dir, fmt.Sprintf(`
	server {
		listen 127.0.0.1:%d;
		default_type application/json;
		location ~ "^/v1/orders/([0-9]{6})$" { return 200 '%s'; }
		location = /v1/orders { add_header Location /v1/orders/%d; return 201 '%s'; }
	}`, port, object("$1"), firstID, object(fmt.Sprint(firstID))))
}

// ProxyConf is an nginx that does nothing but end TLS and pass on.
func ProxyConf(dir, keyDir string, port, upstream int) string {
	return nginx(dir, fmt.Sprintf(`
	upstream api { server 127.0.0.1:%d; keepalive 128; keepalive_requests 100000000; }
	server {
		listen 127.0.0.1:%d ssl;
		ssl_protocols TLSv1.3;
		ssl_certificate %s;
		ssl_certificate_key %s;
		location / {
			proxy_pass http://api;
			proxy_http_version 1.1;
			proxy_set_header Connection "";
			proxy_set_header Host $host;
		}
	}`, upstream, port, filepath.Join(keyDir, CertFile), filepath.Join(keyDir, KeyFile)))
}

func nginx(dir, server string) string {
	return fmt.Sprintf(`daemon off;
worker_processes auto;
pid %[1]s/nginx.pid;
error_log %[1]s/error.log warn;
worker_rlimit_nofile 8192;
events { worker_connections 2048; }
http {
	access_log off;
	keepalive_requests 100000000;
	keepalive_timeout 300s;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
%[2]s
}
`, dir, server)
}
