#!/bin/sh
# The last step, when encryption and submission-port have been enforced for a
# while and nobody is rejected any more. portcullis-policyd stops mail, not a
# password on its way in clear: from here on Postfix does not even offer a login
# without TLS, nor any on port 25. What is turned away so is not recorded.
#
# Run it as root, then "postfix reload".
set -eu

# Behind postscreen, port 25 is the service smtpd/pass.
is_smtpd() {
	postconf -M | awk -v name="$1" '$1 "/" $2 == name && $8 == "smtpd" { found = 1 } END { exit !found }'
}

postconf -e 'smtpd_tls_auth_only = yes'
for service in smtp/inet 25/inet smtpd/pass; do
	! is_smtpd "$service" || postconf -P "$service/smtpd_sasl_auth_enable=no"
done
