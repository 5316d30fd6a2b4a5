package keys

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// maxIDLength is the longest kid, in bytes: kids are logged.
const maxIDLength = 1024

// publicKey is a key of somebody else.
type publicKey struct {
	id     string           // kid; empty where it has none
	alg    token.Algorithm  // empty where the key does not say
	public crypto.PublicKey // nil where it was passed over: it fits no algorithm
}

// fits says why the key must not verify a JWS of the algorithm, which is the
// key's own where it has one (RFC 8725 section 3.1).
func (k publicKey) fits(alg token.Algorithm) error {
	if k.alg != "" && k.alg != alg {
		return fmt.Errorf("it is for %s", k.alg)
	}
	return alg.CheckKey(k.public)
}

// digest is that of everything that decides what the key verifies.
func (k publicKey) digest() [sha256.Size]byte {
	var der []byte
	if k.public != nil {
		var err error
		if der, err = x509.MarshalPKIXPublicKey(k.public); err != nil {
			panic(err) // every key that fits an algorithm has this form
		}
	}
	return sha256.Sum256(fmt.Appendf(nil, "%q %q %x", k.id, k.alg, der))
}

// secretMembers are those in which the registered kinds of JWK keep what is
// secret (RFC 7518 section 6, RFC 8037 section 2, RFC 9964).
var secretMembers = []string{"d", "k", "priv", "p", "q", "dp", "dq", "qi", "oth"}

// checkPublic refuses keys that nobody must publish: whoever has seen them can
// sign as their owner. A member that is there and empty counts too.
func checkPublic(members map[string]json.RawMessage) error {
	if kty, _ := text(members, "kty"); kty == "oct" {
		return errors.New("it is symmetric: expected public keys alone")
	}
	for _, name := range secretMembers {
		if _, ok := members[name]; ok {
			return errors.New("it has members of a private key: expected public keys alone")
		}
	}
	return nil
}

// readPublicKey judges one key. The error says why it must not verify; the key
// then has its kid alone.
func readPublicKey(members map[string]json.RawMessage) (publicKey, error) {
	id, err := text(members, "kid")
	if err != nil {
		return publicKey{}, err
	}
	if len(id) > maxIDLength {
		return publicKey{}, fmt.Errorf("kid: longer than %d bytes", maxIDLength)
	}
	passedOver := publicKey{id: id}
	public, err := readMaterial(members)
	if err != nil {
		return passedOver, err
	}
	if err := checkPurpose(members); err != nil {
		return passedOver, err
	}
	alg, err := readAlgorithm(members)
	if err != nil {
		return passedOver, err
	}
	key := publicKey{id: id, alg: alg, public: public}
	if err := key.checkUse(); err != nil {
		return passedOver, err
	}
	return key, nil
}

// readMaterial returns the key itself. Everything else that a JWK may carry,
// certificates too, is kept away from the parser: it decides nothing here and
// must not make a key unreadable.
func readMaterial(members map[string]json.RawMessage) (crypto.PublicKey, error) {
	material := make(map[string]string)
	for _, name := range []string{"kty", "crv", "x", "y", "n", "e"} {
		value, err := text(members, name)
		if err != nil {
			return nil, err
		}
		if value != "" {
			material[name] = value
		}
	}
	for _, name := range []string{"x", "y", "n", "e"} {
		// The decoder skips line breaks.
		_, err := base64.RawURLEncoding.Strict().DecodeString(material[name])
		if err != nil || strings.ContainsAny(material[name], "\r\n") {
			return nil, fmt.Errorf("%s: expected base64url", name)
		}
	}
	if bits := base64.RawURLEncoding.DecodedLen(len(material["n"])) * 8; bits > token.MaxRSABits+8 {
		return nil, fmt.Errorf("an RSA key of more than %d bits", token.MaxRSABits)
	}
	encoded, err := json.Marshal(material)
	if err != nil {
		return nil, errors.New("it cannot be read")
	}
	var jwk jose.JSONWebKey
	if err := jwk.UnmarshalJSON(encoded); err != nil {
		return nil, describeMaterial(material["kty"], err)
	}
	return jwk.Key, checkMaterial(jwk.Key)
}

// describeMaterial says what the parser found, without its words.
func describeMaterial(kty string, err error) error {
	switch {
	case errors.Is(err, jose.ErrUnsupportedKeyType) && kty == "RSA":
		return fmt.Errorf("an RSA key of more than %d bits", token.MaxRSABits)
	case errors.Is(err, jose.ErrUnsupportedKeyType):
		return errors.New("kty, or the crv of such a key, is not known here")
	case kty == "EC":
		return errors.New("x and y: expected a point on the curve that crv names")
	case kty == "OKP":
		return errors.New("x: expected a point that an Ed25519 key can have")
	case kty == "RSA":
		return errors.New("n and e: expected those of an RSA key")
	}
	return errors.New("kty: expected EC, OKP or RSA")
}

// text returns a member that is a string; empty where there is none.
func text(members map[string]json.RawMessage, name string) (string, error) {
	raw, ok := members[name]
	if !ok {
		return "", nil
	}
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		return "", fmt.Errorf("%s: expected a string", name)
	}
	word, ok := value.(string)
	if !ok {
		return "", fmt.Errorf("%s: expected a string", name)
	}
	return word, nil
}

// checkPurpose refuses keys that are not for signatures (RFC 7517 sections 4.2
// and 4.3).
func checkPurpose(members map[string]json.RawMessage) error {
	use, err := text(members, "use")
	if err != nil {
		return err
	}
	if _, ok := members["use"]; ok && use != "sig" {
		return errors.New("use: expected sig")
	}
	raw, ok := members["key_ops"]
	if !ok {
		return nil
	}
	var operations []string
	if err := json.Unmarshal(raw, &operations); err != nil {
		return errors.New("key_ops: expected an array of strings")
	}
	if !slices.Contains(operations, "verify") {
		return errors.New("key_ops: expected verify among them")
	}
	return nil
}

func readAlgorithm(members map[string]json.RawMessage) (token.Algorithm, error) {
	name, err := text(members, "alg")
	if err != nil {
		return "", err
	}
	if _, ok := members["alg"]; !ok {
		return "", nil
	}
	alg, ok := token.AlgorithmOf(name)
	if !ok {
		return "", errors.New("alg: not one that is used here")
	}
	return alg, nil
}

// checkUse refuses a key that no algorithm can use.
func (k publicKey) checkUse() error {
	if k.alg != "" {
		return k.fits(k.alg)
	}
	// RSA first, for the sake of its error, which tells the size.
	if _, ok := k.public.(*rsa.PublicKey); ok {
		return k.fits(token.RS256)
	}
	if slices.ContainsFunc(token.Algorithms(), func(alg token.Algorithm) bool { return k.fits(alg) == nil }) {
		return nil
	}
	return errors.New("no algorithm that is used here has such keys")
}
