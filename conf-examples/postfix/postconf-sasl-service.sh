#!/bin/sh
# Has Postfix tell Dovecot by which port somebody logs in. Dovecot's gate can then
# refuse a login on one port that it lets in on another: a rule of the kind
# submission-port or implicit-tls with reject = "before-password", or any with
# smtp-enforcement = "auth".
#
# Look before: to Dovecot, the service (%s in 2.3, %{protocol} in 2.4) of such a
# login was "smtp", and will be "smtp:25", "submission" or "submissions". A
# password query that asks for it, or a section "protocol smtp", has to know.
#
# Run it as root, then "postfix reload". What a service has already, stays.
set -eu

name_service() {
	postconf -M | awk -v name="$1" '$1 "/" $2 == name && $8 == "smtpd" { found = 1 } END { exit !found }' ||
		return 0
	postconf -P | grep -q "^$1/smtpd_sasl_service =" ||
		postconf -P "$1/smtpd_sasl_service=$2"
}

name_service smtp/inet smtp:25
name_service 25/inet smtp:25
# Behind postscreen.
name_service smtpd/pass smtp:25
name_service submission/inet submission
name_service 587/inet submission
name_service submissions/inet submissions
name_service smtps/inet submissions
name_service 465/inet submissions
