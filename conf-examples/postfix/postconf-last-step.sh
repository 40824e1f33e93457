#!/bin/sh
# The last step, when encryption and submission-port have been enforced for a
# while and nobody is rejected any more. portcullis-policyd stops mail, not a
# password on its way in clear: from here on Postfix does not even offer a login
# without TLS, nor any on port 25. What is turned away so is not recorded.
#
# Run it as root, then "postfix reload". Shows what it changes, and keeps the old
# files.
set -eu
. "$(dirname "$0")/common.sh"

begin_changes
test "$(postconf -nh smtpd_tls_auth_only 2>/dev/null)" = yes ||
	edit -e 'smtpd_tls_auth_only = yes'
for service in $port_25; do
	! is_smtpd "$service" || edit -P "$service/smtpd_sasl_auth_enable=no"
done
end_changes
