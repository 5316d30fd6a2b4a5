package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

const formCaddyfile = `{
	admin {$ADMIN}
	servers {
		protocols h1 h2c
	}
	oauth2 {
		issuer http://localhost
		client batch {
			secret {env.BATCH_SECRET}
			scopes read
		}
	}
}

http://:{$PORT} {
	bind 127.0.0.1
	oauth2_issuer
	oauth2_gate {
		bearer_methods body
		require * /closed/ read
	}
	reverse_proxy {$UPSTREAM}
}
`

// chunked spells a body in chunks of a few bytes each, with trailers.
func chunked(body string, trailers ...string) string {
	var text strings.Builder
	for len(body) > 0 {
		size := min(7, len(body))
		_, _ = fmt.Fprintf(&text, "%x\r\n%s\r\n", size, body[:size])
		body = body[size:]
	}
	return text.String() + "0\r\n" + strings.Join(append(trailers, "", ""), "\r\n")
}

// However a form arrives, the token is found and taken out, and the API gets all
// else byte for byte; what is no such form is left alone (RFC 6750 section 2.2).
func TestFormTokens(t *testing.T) {
	t.Parallel()
	c := launch(t, formCaddyfile, "BATCH_SECRET="+batchSecret)
	raw := c.token(t, "batch", batchSecret)
	send := func(fields []string, body string) string {
		all := append([]string{"POST /closed/x HTTP/1.1", "Host: localhost", "Connection: close"}, fields...)
		return exchange(t, fmt.Sprintf("127.0.0.1:%d", c.port), lines(append(all, "", body)...))
	}
	length := func(body string) string { return fmt.Sprintf("Content-Length: %d", len(body)) }
	const odd = "a=%C3%A4&b=\x00\xff\r\n+&&=&c"
	with := strings.Replace(odd, "&&", "&access_token="+raw+"&&", 1)
	for name, one := range map[string]struct {
		fields []string
		body   string
		status string
		heard  string
	}{
		"length":       {[]string{formType, length(with)}, with, "200", odd},
		"chunks":       {[]string{formType, "Transfer-Encoding: chunked"}, chunked(with), "200", odd},
		"trailers":     {[]string{formType, "Transfer-Encoding: chunked", "Trailer: X-Client-Id"}, chunked(with, "X-Client-Id: root"), "200", odd},
		"capitals":     {[]string{"content-type: Application/X-WWW-Form-Urlencoded ; Charset=UTF-8", length(with)}, with, "200", odd},
		"encoded name": {[]string{formType, length("acc%65ss_token=" + raw)}, "acc%65ss_token=" + raw, "200", ""},
		"twice":        {[]string{formType, length(with + "&access_token=" + raw)}, with + "&access_token=" + raw, "400", ""},
		"other way":    {[]string{formType, bearer(raw), length("a=1")}, "a=1", "401", ""},
		"multipart":    {[]string{"Content-Type: multipart/form-data; boundary=access_token", length(with)}, with, "401", ""},
		"two types":    {[]string{formType, "Content-Type: text/plain", length(with)}, with, "401", ""},
		"compressed":   {[]string{formType, "Content-Encoding: gzip", length(with)}, with, "401", ""},
		"broken type":  {[]string{formType + "; charset", length(with)}, with, "401", ""},
		"similar type": {[]string{formType + "-x", length(with)}, with, "401", ""},
		"no type":      {[]string{length(with)}, with, "401", ""},
	} {
		got := send(one.fields, one.body)
		if !strings.HasPrefix(got, "HTTP/1.1 "+one.status) {
			t.Errorf("%s: %.200q", name, got)
		}
		if one.status != "200" {
			c.upstream.silent(t)
			continue
		}
		heard := c.upstream.only(t)
		if heard.body != one.heard || len(heard.copies("X-Client-Id")) != 1 || heard.value("X-Client-Id") != "batch" {
			t.Errorf("%s: the API heard %q", name, heard)
		}
	}
}

// Who waits to be asked for the body is asked, and only then refused.
func TestFormTokenIsAskedFor(t *testing.T) {
	t.Parallel()
	c := launch(t, formCaddyfile, "BATCH_SECRET="+batchSecret)
	body := "a=1&access_token=" + c.token(t, "batch", batchSecret)
	for sent, status := range map[string]string{body: "200", strings.ToUpper(body): "401"} {
		connection, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", c.port))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = connection.Close() })
		_ = connection.SetDeadline(time.Now().Add(20 * time.Second))
		write := func(text string) {
			if _, err := io.WriteString(connection, text); err != nil {
				t.Fatal(err)
			}
		}
		write(lines("POST /closed/x HTTP/1.1", "Host: localhost", "Connection: close", "Expect: 100-continue", formType, fmt.Sprintf("Content-Length: %d", len(sent)), "", ""))
		reader := bufio.NewReader(connection)
		if line, err := reader.ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 100 ") {
			t.Fatalf("%q %v", line, err)
		}
		write(sent)
		rest, _ := io.ReadAll(reader)
		if !strings.HasPrefix(strings.TrimLeft(string(rest), "\r\n"), "HTTP/1.1 "+status) {
			t.Errorf("%.200q", rest)
		}
	}
	if heard := c.upstream.only(t); heard.body != "a=1" {
		t.Errorf("the API heard %q", heard)
	}
}
