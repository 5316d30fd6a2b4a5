package e2e

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"
)

// The id that a refused caller was told finds both lines of that request: the gate's,
// and the true reason. Both say whose it was, as far as that may be logged.
func TestBridgeRefusalIsFound(t *testing.T) {
	t.Parallel()
	c := launchBridge(t, time.Now().Add(time.Hour))
	basic := func(user, password string) string {
		return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
	}
	for name, test := range map[string]struct{ field, reason, client string }{
		"wrong secret": {basic("legacy", wrongSecret), "wrong_secret", `"legacy"`},
		"no bridge":    {basic("batch", batchSecret), "no_bridge", `"batch"`},
		"swapped":      {basic(batchSecret, "batch"), "unknown_client", `"(withheld)"`},
		"wrong key":    {"X-Api-Key: " + wrongSecret, "unknown_key", ""}, // it names nobody
	} {
		got := c.get(t, "/orders/7", test.field)
		id, _ := got.members(t)["error_id"].(string)
		if got.status != 401 || len(id) != 36 {
			t.Fatalf("%s: %s", name, got)
		}
		// The gate's line is the later one.
		if err := c.await(`"error_id":"`+id+`","resource"`, patience); err != nil {
			t.Fatal(err)
		}
		found := map[string]string{}
		for line := range strings.Lines(c.output.String()) {
			for _, message := range []string{"bridge refused", "request refused"} {
				if strings.Contains(line, `"error_id":"`+id+`"`) && strings.Contains(line, `"msg":"`+message+`"`) {
					found[message] += line
				}
			}
		}
		for message, line := range found {
			if strings.Count(line, "\n") != 1 || !strings.Contains(line, `"reason":"`+test.reason+`"`) ||
				test.client != "" && !strings.Contains(line, `"client_id":`+test.client) {
				t.Errorf("%s: %s: %s", name, message, line)
			}
		}
		if len(found) != 2 {
			t.Errorf("%s: the id finds %q", name, found)
		}
	}
}
