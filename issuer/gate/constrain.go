package gate

import (
	"context"

	"github.com/dd99cb49/caddy-client-credentials/issuer/proof"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// constrain asks for what the token is bound to (RFC 7800): the certificate of
// the connection (RFC 8705 section 3), a proof of the key (RFC 9449 section 7).
// A token that is bound to both needs both.
func (g *Gate) constrain(ctx context.Context, claims *token.Claims, raw string, r *Request, verdict *Verdict) error {
	var bound token.Confirmation
	if claims.Confirmation != nil {
		bound = *claims.Confirmation
	}
	if want := bound.CertificateThumbprint; want != "" {
		if proof.Thumbprint(r.Certificate) != want { // empty without a certificate
			return &token.Error{Check: token.CheckCertificate}
		}
	}
	switch {
	case bound.KeyThumbprint == "" && verdict.scheme == schemeDPoP:
		// RFC 9449 section 7.1: whoever asks for proofs must not be satisfied with
		// a token that anybody can use.
		return &token.Error{Check: token.CheckUnbound}
	case bound.KeyThumbprint == "":
		return nil
	case verdict.scheme != schemeDPoP: // RFC 9449 section 7.2: no downgrade
		return &token.Error{Check: token.CheckBound}
	case r.Proved == bound.KeyThumbprint:
		verdict.Proved = r.Proved
		return nil
	}
	return g.prove(ctx, claims, raw, r, verdict)
}

// prove asks for a DPoP proof of the key.
func (g *Gate) prove(ctx context.Context, claims *token.Claims, raw string, r *Request, verdict *Verdict) error {
	thumbprint := claims.Confirmation.KeyThumbprint
	if len(r.DPoP) == 0 {
		return &proof.Error{Check: proof.CheckMissing}
	}
	url, err := g.proofURL(r.Target)
	if err != nil {
		return &proof.Error{Check: proof.CheckURL, Cause: err}
	}
	proven, err := g.config.Proofs.Check(ctx, r.DPoP, &proof.Request{
		Method: r.Target.Method, URLs: []string{url}, AccessToken: raw, Thumbprint: thumbprint, Owner: claims.ClientID,
	})
	verdict.Nonce, verdict.Proved = proven.Nonce, proven.Thumbprint
	return err
}

// proofURL is the url that a proof must be for.
func (g *Gate) proofURL(target Target) (string, error) {
	if g.config.ExternalURL != "" {
		return proof.NormalURL(g.config.ExternalURL + target.Path)
	}
	return proof.NormalURL(target.Scheme + "://" + target.Host + target.Path)
}

// refuse makes a denial of what was wrong with the token or its proof.
func (g *Gate) refuse(verdict *Verdict, err error) {
	verdict.Err = err
	if check, ok := token.Failed(err); ok {
		verdict.outcome, verdict.Reason, verdict.description = badToken, Reason(check), check.Description()
		return
	}
	check, ok := proof.Failed(err)
	switch {
	case !ok: // a proof that may have been used before must not pass
		verdict.outcome, verdict.Reason = unavailable, ReasonReplayMarks
		return
	case check == proof.CheckBinding: // RFC 9449 section 7.1 calls it invalid_token
		verdict.outcome = badToken
	case check == proof.CheckNonce:
		verdict.outcome, verdict.Nonce = needsNonce, g.config.Proofs.NewNonce()
	default:
		verdict.outcome = badProof
	}
	verdict.Reason, verdict.description = Reason(check), check.Description()
}
