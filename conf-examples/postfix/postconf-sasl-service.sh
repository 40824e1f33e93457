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
# what it changes, and keeps the old files.
set -eu
. "$(dirname "$0")/common.sh"

# name_services NAME SERVICE...
name_services() {
	name=$1
	shift
	for service in "$@"; do
		is_smtpd "$service" || continue
		postconf -P | grep -q "^$service/smtpd_sasl_service =" ||
			edit -P "$service/smtpd_sasl_service=$name"
	done
}

begin_changes
name_services smtp:25 $port_25
name_services submission $port_587
name_services submissions $port_465
end_changes
