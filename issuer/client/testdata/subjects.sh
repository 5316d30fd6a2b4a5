#!/usr/bin/env bash
# Prints subjects.pem: certificates that openssl made, each behind its subject as
# openssl prints it (-nameopt RFC2253). No test runs this. To make them anew:
#
#	bash issuer/client/testdata/subjects.sh >issuer/client/testdata/subjects.pem
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT
cd -- "$folder"

# certificate STRINGS LINE... makes a certificate whose subject is the LINEs, in
# string types that STRINGS allows (string_mask of openssl's configuration).
certificate() {
	{
		printf '[req]\nprompt=no\nutf8=yes\nstring_mask=%s\ndistinguished_name=subject\n[subject]\n' "$1"
		shift
		printf '%s\n' "$@"
	} >subject.cnf
	openssl req -config subject.cnf -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout key.pem \
		-days 36500 -out certificate.pem 2>errors || {
		cat errors >&2
		exit 1
	}
	openssl x509 -in certificate.pem -noout -subject -nameopt RFC2253 | sed 's/^subject=/\n# /'
	cat certificate.pem
}

printf '# Made with subjects.sh.\n'
certificate utf8only C=DE 'O=Example, Inc.' OU=Batch CN=nightly-batch
certificate pkix C=DE O=Example OU=Batch +CN=nightly +UID=17
certificate MASK:0x800 O=Größe 'CN=Straße 中' # BMPString
certificate MASK:0x4 O=Größe CN=Älg          # T61String
certificate utf8only O=Größe CN=Älg
certificate utf8only DC=com 2.DC=example 'CN=\#x \+ y \"z\" <a>\;b \\\\ =' emailAddress=batch@example.com
certificate pkix jurisdictionC=DE jurisdictionST=Berlin jurisdictionL=Mitte 'businessCategory=Private Organization' \
	'serialNumber=HRB 1234' organizationIdentifier=PSDDE-BAFIN-1234 GN=Ada SN=Byron title=Dr initials=AB \
	pseudonym=ada dnQualifier=q generationQualifier=II name=x description=y role=z telephoneNumber=1 postOfficeBox=2 \
	postalCode=10115 'street=Allee 1' ST=Berlin L=Berlin unstructuredName=u unstructuredAddress=v CN=ada
certificate default 0.2.999.1=custom CN=x
certificate utf8only 'CN=two  spaces'
