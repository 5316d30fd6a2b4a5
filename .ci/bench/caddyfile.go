package main

import "fmt"

// head is what all have: admin for profiles, no log line for each request.
const head = `{
	admin 127.0.0.1:{{port "admin"}}
	persist_config off
	auto_https off
	storage file_system "{{folder}}/storage"
{{define "sites"}}
{{url "bare"}} {
	reverse_proxy {{upstream}}
}
{{url "gate"}} {
	oauth2_gate read
	reverse_proxy {{upstream}}
}
{{url "issuer"}} {
	oauth2_issuer
}
{{url "runtime"}} {
	bench_runtime
}
{{end}}{{define "bench client"}}
		issuer {{url "issuer"}}
		client bench {
			secret {env.BENCH_SECRET}
			scopes read
		}
{{end}}`

// layouts are the processes by their names. There are many, since what one row leaves in
// memory makes collecting garbage rarer and longer for the others.
var layouts = map[string]string{
	"main": `
	log {
		level WARN
	}
	oauth2 {
		{{template "bench client"}}
		client argon {
			secret_hash "` + argonHash + `"
			scopes read
		}
		client key {
			jwks "{{folder}}/jwks.json"
			scopes read
		}
		{{clients 7}}
	}
}
{{template "sites"}}
{{url "sign"}} {
	bench_sign ES256
}
{{url "verify"}} {
	bench_sign ES256 "{{folder}}/key.pem"
}
{{url "sign RS256"}} {
	bench_sign RS256
}
`,
	"gate":                  twoGates,
	"many tokens":           twoGates,
	"rules and issuers":     rulesAndIssuers,
	"new tokens of issuers": rulesAndIssuers,
	"new tokens": `
	log {
		level WARN
	}
	oauth2 {
		{{template "bench client"}}
	}
}
{{template "sites"}}
{{url "checked"}} {
	bench_check ES256 "{{folder}}/key.pem"
	reverse_proxy {{upstream}}
}
`,
	"certificates": `
	log {
		level WARN
	}
	oauth2 {
		{{template "bench client"}}
		client ca {
			tls_client_auth san_dns bench.example
			scopes read
			require mtls
		}
		client own {
			self_signed_tls_client_auth "{{folder}}/certificate.pem"
			scopes read
			require mtls
		}
	}
}
(certificate) {
	tls "{{folder}}/certificate.pem" "{{folder}}/certificate.key" {
		client_auth {
			mode require_and_verify
			trust_pool file "{{folder}}/certificate.pem"
		}
	}
}
{{template "sites"}}
{{url "bare over TLS"}} {
	import certificate
	reverse_proxy {{upstream}}
}
{{url "gate over TLS"}} {
	import certificate
	oauth2_gate read
	reverse_proxy {{upstream}}
}
{{url "issuer over TLS"}} {
	import certificate
	oauth2_issuer
}
{{url "sign over TLS"}} {
	import certificate
	bench_sign ES256
}
`,
	"RS256": `
	log {
		level WARN
	}
	oauth2 {
		signing RS256
		{{template "bench client"}}
	}
}
{{template "sites"}}
`,
	"1,000 clients":   manyClients(1000),
	"100,000 clients": manyClients(100_000),

	"none revoked":             manyClients(10),
	"1,000,000 revoked":        manyClients(10),
	"100,000 run-time clients": manyClients(10),

	// Two that are flooded, with the audit log as it is by default.
	"flooded": `
	log {
		output file "{{folder}}/audit.log"
	}
	oauth2 {
		{{template "bench client"}}
	}
}
{{template "sites"}}
`,
	"flooded argon2id": `
	log {
		output file "{{folder}}/audit.log"
	}
	oauth2 {
		{{template "bench client"}}
		client argon {
			secret_hash "` + argonHash + `"
			scopes read
		}
	}
}
{{template "sites"}}
`,
}

const twoGates = `
	log {
		level WARN
	}
	oauth2 {
		{{template "bench client"}}
	}
}
{{template "sites"}}
{{url "bare with the same fields"}} {
	reverse_proxy {{upstream}} {
		header_up X-Client-Id bench
		header_up X-Client-Scope read
		header_up X-Client-Issuer {{url "issuer"}}
		header_up -Authorization
	}
}
{{url "gate without headers"}} {
	oauth2_gate read {
		identity_headers off
	}
	reverse_proxy {{upstream}}
}
`

const rulesAndIssuers = `
	log {
		level WARN
	}
	oauth2 {
		{{template "bench client"}}
		{{trusted 50}}
	}
}
{{template "sites"}}
{{range $count := rules.Counts}}
{{url (printf "rules %d" $count)}} {
	oauth2_gate {
		{{rules.Lines $count}}
	}
	reverse_proxy {{upstream}}
}
{{end}}
{{range $count := issuers.Counts}}
{{url (printf "issuers %d" $count)}} {
	oauth2_gate read {
		{{issuers.Line $count}}
	}
	reverse_proxy {{upstream}}
}
{{end}}
`

// argonHash is that of secret.
const argonHash = "$argon2id$v=19$m=19456,t=2,p=1$YmVuY2gtc2FsdC0xNmJ5dA$d6Bp1kdAG6dKybx0+6Vtu0jGTZINhkM924HgkfAy9YI"

func manyClients(count int) string {
	return `
	log {
		level WARN
	}
	oauth2 {
		{{template "bench client"}}
		{{clients ` + fmt.Sprint(count-1) + `}}
	}
}
{{template "sites"}}
`
}
