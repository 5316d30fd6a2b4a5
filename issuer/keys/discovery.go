package keys

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// location is the url of the key set: the configured one, or the one that the
// issuer's metadata names. It is asked for again when it no longer answers.
func (r *Remote) location(ctx context.Context) (string, error) {
	if r.url != "" {
		return r.url, nil
	}
	if r.found != "" {
		return r.found, nil
	}
	places, err := metadataURLs(r.issuer)
	if err != nil {
		return "", err
	}
	var problems []error
	for _, place := range places {
		found, err := r.discover(ctx, place)
		if err == nil {
			r.found = found
			return found, nil
		}
		problems = append(problems, fmt.Errorf("metadata of issuer %s at %s: %w", r.issuer, withoutQuery(place), err))
	}
	return "", errors.Join(problems...)
}

// metadataURLs lists where an issuer's metadata may be: the well-known path is
// inserted before the issuer's own (RFC 8414 section 3.1), or appended to it
// (OpenID Connect Discovery section 4).
func metadataURLs(issuer string) ([]string, error) {
	u, err := url.Parse(issuer)
	if err != nil {
		return nil, errors.New("issuer: expected an absolute url")
	}
	base, path := u.Scheme+"://"+u.Host, strings.TrimSuffix(u.EscapedPath(), "/")
	return []string{
		base + "/.well-known/oauth-authorization-server" + path,
		base + path + "/.well-known/openid-configuration",
	}, nil
}

// discover reads where the key set is. The metadata must be that of this very
// issuer (RFC 8414 section 3.3): another server's would bring other keys.
func (r *Remote) discover(ctx context.Context, place string) (string, error) {
	body, err := r.get(ctx, place)
	if err != nil {
		return "", err
	}
	if len(body) > MaxSetLength {
		return "", fmt.Errorf("expected at most %d bytes", MaxSetLength)
	}
	members, err := readMembers(body)
	if err != nil {
		return "", fmt.Errorf("not a JSON object: %w", err)
	}
	var issuer, location string
	if json.Unmarshal(members["issuer"], &issuer) != nil || issuer != r.issuer {
		return "", errors.New("issuer: expected the very url that is configured")
	}
	if json.Unmarshal(members["jwks_uri"], &location) != nil {
		return "", errors.New("jwks_uri: expected a url")
	}
	if err := CheckURL(location); err != nil {
		return "", fmt.Errorf("jwks_uri: %w", err)
	}
	// http is for those who are on this machine anyway: another server must not
	// have this one ask around here.
	if strings.HasPrefix(r.issuer, "https:") && !strings.HasPrefix(location, "https:") {
		return "", errors.New("jwks_uri: expected https, as the issuer has it")
	}
	return location, nil
}
