package report

const hexDigits = "0123456789ABCDEF"

// appendPrintable adds what a stranger wrote as printable ASCII of a bounded
// length: a terminal that shows it obeys it in nothing. Other octets are
// percent-encoded, so are the backslash and the percent sign, and "..." stands
// for what was cut off.
func appendPrintable(to []byte, text string, length int) []byte {
	kept := text
	if len(kept) > length {
		kept = kept[:length]
	}
	for i := range len(kept) {
		if c := kept[i]; c < ' ' || c > '~' || c == '\\' || c == '%' {
			to = appendEncoded(to, c)
		} else {
			to = append(to, c)
		}
	}
	if len(kept) < len(text) {
		to = append(to, "..."...)
	}
	return to
}

// appendConfigured adds what the operator wrote: whole, since two rules must
// not become one, and in any script.
func appendConfigured(to []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c == 0x7F {
			to = appendEncoded(to, c)
		} else {
			to = append(to, c)
		}
	}
	return to
}

func appendEncoded(to []byte, c byte) []byte {
	return append(to, '%', hexDigits[c>>4], hexDigits[c&15])
}
