package issuer

import (
	"context"
	"fmt"
	"net/http"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/proof"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// proofURLs are the spellings in which a proof's `htu` is compared. They come
// from the configuration: what host the request names tells nothing.
func proofURLs(urls []string) ([]string, error) {
	normal := make([]string, len(urls))
	for i, one := range urls {
		var err error
		if normal[i], err = proof.NormalURL(one); err != nil {
			return nil, fmt.Errorf("token endpoint %s: %w", one, err)
		}
	}
	return normal, nil
}

// bind finds out what the token will be bound to; nil: to nothing. A proof
// binds whenever one comes, a certificate only where the client's tokens must
// be bound to it: it may be there for other reasons.
func (s *Server) bind(ctx context.Context, c *client.Client, req *request, urls []string) (*token.Confirmation, error) {
	var bound token.Confirmation
	if len(req.dpop) > 0 || c.Require == client.BoundByDPoP {
		thumbprint, err := s.prove(ctx, c.ID, req, urls)
		if err != nil {
			return nil, err
		}
		bound.KeyThumbprint = thumbprint
	}
	if c.Require == client.BoundByCertificate {
		if req.peer.Certificate == nil {
			return nil, invalidRequest("certificate", "the client must connect with a TLS client certificate")
		}
		bound.CertificateThumbprint = proof.Thumbprint(req.peer.Certificate)
	}
	if bound == (token.Confirmation{}) {
		return nil, nil
	}
	return &bound, nil
}

// prove judges the DPoP proof of a token request (RFC 9449 section 5) and
// returns the thumbprint of its key.
func (s *Server) prove(ctx context.Context, owner string, req *request, urls []string) (string, error) {
	proven, err := s.config.Proofs.Check(ctx, req.dpop, &proof.Request{Method: req.method, URLs: urls, Owner: owner})
	if err == nil {
		req.nonce = proven.Nonce
		return proven.Thumbprint, nil
	}
	check, refused := proof.Failed(err)
	if !refused {
		return "", unavailable("replay_marks", err)
	}
	if check == proof.CheckNonce {
		return "", s.needsNonce(req, err)
	}
	return "", refuseProof(InvalidDPoPProof, check, err)
}

// needsNonce tells the client to come back with the nonce (RFC 9449 section 8).
func (s *Server) needsNonce(req *request, cause error) *Error {
	req.nonce = s.config.Proofs.NewNonce()
	return refuseProof(UseDPoPNonce, proof.CheckNonce, cause)
}

func refuseProof(code Code, check proof.Check, cause error) *Error {
	return &Error{
		Code: code, Status: http.StatusBadRequest, Reason: string(check), Description: check.Description(), Cause: cause,
	}
}
