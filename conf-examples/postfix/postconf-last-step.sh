#!/bin/sh
# The last step, when encryption and submission-port have been enforced for a
# while and nobody is rejected any more. portcullis-policyd stops mail, not a
# password on its way in clear: from here on Postfix does not even offer a login
# without TLS, nor any on port 25. What is turned away so is not recorded.
#
# Run it as root, then "postfix reload". Shows what it changes, keeps the old
# files, and says of each service of smtpd who may log in there. Changes nothing where
# nobody could log in any more.
set -eu
. "$(dirname "$0")/common.sh"

refuse() {
	echo "$0: $* Nothing is changed." >&2
	exit 1
}

# yes SERVICE PARAMETER
yes() {
	test "$(value_of "$1" "$2")" = yes
}

begin_changes

submission=
for service in $(smtpd_on 587 465); do
	! yes "$service" smtpd_sasl_auth_enable || submission="$submission $service"
done
test -n "$submission" || is_taken 587 || is_taken 465 ||
	refuse "there is no login on port 587 or 465 yet (postconf-commands.sh)."
has_certificate ||
	refuse "without a certificate (smtpd_tls_cert_file) there is no TLS to log in by."

test "$(postconf -nh smtpd_tls_auth_only 2>/dev/null)" = yes ||
	edit -e 'smtpd_tls_auth_only = yes'
for service in $submission; do
	yes "$service" smtpd_tls_auth_only || edit -P "$service/smtpd_tls_auth_only=yes"
done
for service in $(smtpd_on 25); do
	test "$(own_value "$service/smtpd_sasl_auth_enable")" = no ||
		edit -P "$service/smtpd_sasl_auth_enable=no"
done

end_changes
for service in $(smtpd_on 25 587 465); do
	! yes "$service" smtpd_sasl_auth_enable && logins="has no logins" ||
		logins="has logins with TLS only"
	echo "$service $logins."
done
for service in $(smtpd_elsewhere); do
	! yes "$service" smtpd_sasl_auth_enable && logins="has no logins" ||
		logins="has logins, smtpd_tls_auth_only = $(value_of "$service" smtpd_tls_auth_only)"
	echo "$service is left alone: $elsewhere; it $logins."
done
