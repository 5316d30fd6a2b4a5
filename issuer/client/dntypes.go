package client

import (
	"crypto/x509"
	"fmt"
	"strings"
)

// attributeTypes has the names of attribute types in lower case: those of
// RFC 4514 section 3, and those that openssl, Java and Windows print.
//
// SN is the surname, as in RFC 4519 section 2.32 and openssl; Bouncy Castle
// alone takes it for the serial number.
var attributeTypes = map[string]string{
	"cn": "2.5.4.3", "commonname": "2.5.4.3",
	"sn": "2.5.4.4", "surname": "2.5.4.4",
	"serialnumber": "2.5.4.5",
	"c":            "2.5.4.6", "countryname": "2.5.4.6",
	"l": "2.5.4.7", "localityname": "2.5.4.7",
	"st": "2.5.4.8", "s": "2.5.4.8", "stateorprovincename": "2.5.4.8",
	"street": "2.5.4.9", "streetaddress": "2.5.4.9",
	"o": "2.5.4.10", "organizationname": "2.5.4.10",
	"ou": "2.5.4.11", "organizationalunitname": "2.5.4.11",
	"title": "2.5.4.12", "t": "2.5.4.12",
	"description":      "2.5.4.13",
	"businesscategory": "2.5.4.15",
	"postalcode":       "2.5.4.17",
	"postofficebox":    "2.5.4.18",
	"telephonenumber":  "2.5.4.20",
	"name":             "2.5.4.41",
	"givenname":        "2.5.4.42", "gn": "2.5.4.42", "g": "2.5.4.42",
	"initials":            "2.5.4.43",
	"generationqualifier": "2.5.4.44",
	"dnqualifier":         "2.5.4.46", "dnq": "2.5.4.46",
	"pseudonym":              "2.5.4.65",
	"role":                   "2.5.4.72",
	"organizationidentifier": "2.5.4.97",

	"uid": "0.9.2342.19200300.100.1.1", "userid": "0.9.2342.19200300.100.1.1",
	"dc": "0.9.2342.19200300.100.1.25", "domaincomponent": "0.9.2342.19200300.100.1.25",

	"emailaddress": "1.2.840.113549.1.9.1", "email": "1.2.840.113549.1.9.1", "e": "1.2.840.113549.1.9.1",
	"unstructuredname":    "1.2.840.113549.1.9.2",
	"unstructuredaddress": "1.2.840.113549.1.9.8",

	"jurisdictionl": "1.3.6.1.4.1.311.60.2.1.1", "jurisdictionlocalityname": "1.3.6.1.4.1.311.60.2.1.1",
	"jurisdictionst": "1.3.6.1.4.1.311.60.2.1.2", "jurisdictionstateorprovincename": "1.3.6.1.4.1.311.60.2.1.2",
	"jurisdictionc": "1.3.6.1.4.1.311.60.2.1.3", "jurisdictioncountryname": "1.3.6.1.4.1.311.60.2.1.3",
}

// parseAttributeType returns the object identifier that a word stands for: one
// of [attributeTypes], or digits and dots, also behind "OID." as Java writes.
func parseAttributeType(word string) (string, error) {
	lowered := lowerASCII(word)
	dotted, known := attributeTypes[lowered]
	if !known {
		dotted = strings.TrimPrefix(lowered, "oid.")
	}
	oid, err := x509.ParseOID(dotted)
	if err != nil || oid.String() != dotted { // leading zeros
		return "", fmt.Errorf("unknown attribute type %q: expected CN, O, OU, C or another name that RFC 4514 or openssl has, or an object identifier such as 2.5.4.3", word)
	}
	der, err := oid.MarshalBinary()
	if err != nil {
		return "", fmt.Errorf("attribute type %q: %w", word, err)
	}
	return string(der), nil
}
