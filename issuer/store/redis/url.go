package redis

import (
	"errors"
	"net/url"
	"strconv"

	"github.com/redis/go-redis/v9"
)

// parseURL reads a URL. Errors do not quote it. Settings in the query would be
// a second place for what [Config] says, and are refused.
func parseURL(text string) (*redis.Options, error) {
	expected := errors.New("expected redis://host:port/database, rediss://... for TLS, or unix:///path")
	parsed, err := url.Parse(text)
	if err != nil {
		return nil, expected
	}
	if parsed.RawQuery != "" || parsed.Fragment != "" {
		return nil, errors.New("query or fragment: expected none")
	}
	if parsed.Scheme != "unix" && parsed.Hostname() == "" {
		return nil, expected
	}
	options, err := redis.ParseURL(text)
	if err != nil {
		return nil, expected
	}
	if port := parsed.Port(); port != "" {
		if number, err := strconv.ParseUint(port, 10, 16); err != nil || number == 0 {
			return nil, errors.New("port: expected 1 to 65535")
		}
	}
	if options.DB < 0 {
		return nil, errors.New("database: expected 0 or more")
	}
	return options, nil
}
