package client

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
)

func basicValue(pair string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(pair))
}

// RFC 6749 section 2.3.1: both parts are form-encoded, the first colon parts them.
func TestFromBasic(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ value, id, secret string }{
		"plain":                 {basicValue("batch:secret"), "batch", "secret"},
		"scheme in capitals":    {"bASIC" + basicValue("batch:secret")[5:], "batch", "secret"},
		"several spaces":        {"Basic   " + basicValue("batch:secret")[6:], "batch", "secret"},
		"colon encoded in id":   {basicValue("a%3Ab:p%25q%2Br+s"), "a:b", "p%q+r s"},
		"first colon":           {basicValue("batch:a:b:c"), "batch", "a:b:c"},
		"small hex digits":      {basicValue("b%c3%a4:s"), "bä", "s"},
		"raw UTF-8":             {basicValue("bä:ßecret"), "bä", "ßecret"},
		"NUL":                   {basicValue("batch:a%00b"), "batch", "a\x00b"},
		"empty id":              {basicValue(":secret"), "", "secret"},
		"empty secret":          {basicValue("batch:"), "batch", ""},
		"only a colon":          {basicValue(":"), "", ""},
		"generated secret, raw": {basicValue("batch:cc_A-_z"), "batch", "cc_A-_z"},
		"percent encoded twice": {basicValue("batch:%2525"), "batch", "%25"},
		"characters + and /":    {basicValue("b:\xc3\xbe\xc3\xbf>>>???"), "b", "þÿ>>>???"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := FromBasic(test.value)
			want := Credentials{Method: SecretBasic, ClientID: test.id, Secret: test.secret}
			if err != nil || got != want {
				t.Errorf("id %q, secret %q, %v", got.ClientID, got.Secret, err)
			}
		})
	}
}

func TestFromBasicRefuses(t *testing.T) {
	t.Parallel()
	good := basicValue("batch:secretsecret")[6:] // needs no padding
	for name, value := range map[string]string{
		"nothing":               "",
		"scheme alone":          "Basic",
		"scheme and space":      "Basic ",
		"another scheme":        "Bearer " + good,
		"no scheme":             good,
		"longer scheme":         "BasicX " + good,
		"tab":                   "Basic\t" + good,
		"leading space":         " Basic " + good,
		"two values":            "Basic " + good + " " + good,
		"trailing comma":        "Basic " + good + ",",
		"line break":            "Basic " + good[:4] + "\n" + good[4:],
		"not base64":            "Basic !!!!",
		"url alphabet":          "Basic YjrDvsO_Pj4-Pz8_",
		"padding left out":      strings.TrimRight(basicValue("batch:secret12"), "="),
		"bits left over":        "Basic YTpi" + "YR==",
		"no colon":              basicValue("batch"),
		"colon encoded":         basicValue("batch%3Asecret"),
		"bad escape in id":      basicValue("ba%zzch:secretsecret"),
		"bad escape in secret":  basicValue("batch:secret%"),
		"half an escape":        basicValue("batch:secret%4"),
		"not UTF-8, raw":        basicValue("batch:\xff\xfe"),
		"not UTF-8, encoded":    basicValue("batch:%ff"),
		"not UTF-8, id":         basicValue("%C3:secret"),
		"overlong UTF-8":        basicValue("batch:%C0%80"),
		"half a surrogate pair": basicValue("batch:%ED%A0%80"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := FromBasic(value)
			if err == nil || got != (Credentials{}) {
				t.Fatalf("id %q, secret %q, error %v", got.ClientID, got.Secret, err)
			}
			for _, hidden := range []string{"secret%", "zz", "%ff", "secretsecret", good} {
				if strings.Contains(err.Error(), hidden) {
					t.Errorf("%q quotes the credentials", err)
				}
			}
		})
	}
}

// What is read, and encoded again as a client must, reads the same; an error
// comes without credentials.
func FuzzFromBasic(f *testing.F) {
	for _, seed := range []string{basicValue("batch:secret"), basicValue("a%3Ab:p%25q%2Br+s"), basicValue(":"), "Basic", "basic YTpi\r\n", basicValue("%C0%80:%")} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		bridged, err := FromBridgeBasic(value)
		if err != nil && bridged != (Credentials{}) {
			t.Error("an error came with credentials")
		}
		if again, failed := FromBridgeBasic(basicValue(bridged.ClientID + ":" + bridged.Secret)); err == nil && (failed != nil || again != bridged) {
			t.Errorf("id %q, secret %q read again as id %q, secret %q, %v", bridged.ClientID, bridged.Secret, again.ClientID, again.Secret, failed)
		}
		got, err := FromBasic(value)
		if err != nil {
			if got != (Credentials{}) {
				t.Error("an error came with credentials")
			}
			return
		}
		again, err := FromBasic(basicValue(url.QueryEscape(got.ClientID) + ":" + url.QueryEscape(got.Secret)))
		if err != nil || again != got {
			t.Errorf("id %q, secret %q read again as id %q, secret %q, %v", got.ClientID, got.Secret, again.ClientID, again.Secret, err)
		}
	})
}
