package token

import "fmt"

// memberReader takes typed members out of a claim set and keeps the first error.
type memberReader struct {
	members object
	err     error
}

// take is the member with the name; nil where it is missing.
func (r *memberReader) take(name string) *member {
	found := r.members.find(name)
	if found != nil {
		found.taken = true
	}
	return found
}

func (r *memberReader) fail(name, expected string) {
	if r.err == nil {
		r.err = fmt.Errorf("%s is not %s", name, expected)
	}
}

func (r *memberReader) text(name string) string {
	found := r.take(name)
	text, isText := found.text()
	if found != nil && !isText {
		r.fail(name, "a string")
	}
	return text
}

func (r *memberReader) texts(name string, single bool) []string {
	found := r.take(name)
	if found == nil {
		return nil
	}
	if text, isText := found.text(); isText && single {
		return []string{text}
	}
	list, areTexts := found.texts()
	if !areTexts {
		r.fail(name, "an array of strings")
	}
	if len(list) == 0 {
		return nil
	}
	return list
}

// optionalTexts takes an array of strings; anything else stays.
func (r *memberReader) optionalTexts(name string) []string {
	found := r.members.find(name)
	texts, areTexts := found.texts()
	if areTexts {
		found.taken = true
	}
	return texts
}

func (r *memberReader) date(name string) int64 {
	found := r.take(name)
	if found == nil {
		return 0
	}
	seconds, ok := found.date()
	if !ok {
		r.fail(name, "a date")
	}
	return seconds
}

func (r *memberReader) scope(name string) Scopes {
	found := r.take(name)
	if found == nil {
		return nil
	}
	text, isText := found.text()
	if !isText {
		r.fail(name, "a string")
		return nil
	}
	scopes, err := ParseScope(text)
	if err != nil || text == "" {
		r.fail(name, "a list of scope values")
	}
	return scopes
}

func (r *memberReader) confirmation(name string) *Confirmation {
	found := r.take(name)
	if found == nil {
		return nil
	}
	methods, isObject := found.value.(map[string]any)
	if !isObject {
		r.fail(name, "an object")
		return nil
	}
	confirmation := new(Confirmation)
	for method, value := range methods {
		text, isText := value.(string)
		switch {
		case isText && method == "x5t#S256":
			confirmation.CertificateThumbprint = text
		case isText && method == "jkt":
			confirmation.KeyThumbprint = text
		default:
			// A confirmation method that is not understood must not be dropped: the
			// token would pass as one that nobody has to prove (RFC 7800 section 3.1).
			r.fail(name, "a known confirmation method")
		}
	}
	if *confirmation == (Confirmation{}) {
		r.fail(name, "a known confirmation method")
	}
	return confirmation
}
