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
# Run it as root, then "postfix reload". What a service has already, stays. Shows
# what it changes, keeps the old files, and says what each service of smtpd is called.
set -eu
. "$(dirname "$0")/common.sh"

# name_services NAME PORT
name_services() {
	for service in $(smtpd_on "$2"); do
		has_own "$service/smtpd_sasl_service" || edit -P "$service/smtpd_sasl_service=$1"
	done
}

begin_changes
name_services smtp:25 25
name_services submission 587
name_services submissions 465
end_changes

for service in $(smtpd_on 25 587 465); do
	echo "$service is \"$(own_value "$service/smtpd_sasl_service")\" to Dovecot."
done
for service in $(smtpd_elsewhere); do
	echo "$service is left alone: $elsewhere."
done
