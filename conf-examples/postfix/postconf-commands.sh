#!/bin/sh
# Hooks portcullis-policyd into Postfix, as the lines in main.cf and master.cf
# beside this file do. Shows what it changes, keeps the old files, and says of each
# service of smtpd whether it asks the daemon.
#
#	postconf-commands.sh [--open-no-port] [ENDPOINT]
#
# Run it as root, then "postfix reload". Run twice, it changes nothing more;
# postconf-remove.sh takes it back.
# --open-no-port: 587 and 465 are left closed where they are.
# ENDPOINT is where the daemon listens: unix:portcullis/policyd (the default; a
# path below the queue directory, so that a chrooted smtpd finds it), or
# inet:127.0.0.1:10040, which every local user can reach, too.
set -eu
. "$(dirname "$0")/common.sh"

open_ports=yes
if [ "${1-}" = --open-no-port ]; then
	open_ports=
	shift
fi
endpoint=${1:-unix:portcullis/policyd}
begin_changes

# 1. What asking the daemon means. When it cannot be reached, mail goes on
# (DUNNO): Postfix's own default would answer 451 to all of it.
classes=$(postconf -h smtpd_restriction_classes)
names_portcullis "$classes" ||
	edit -e "smtpd_restriction_classes = ${classes:+$classes, }portcullis"
asking="check_policy_service { $endpoint, timeout=10s, default_action=DUNNO }"
test "$(postconf -nh portcullis 2>/dev/null)" = "$asking" || edit -e "portcullis = $asking"

# 2. Ask it first, before anything permits.
restrictions=$(postconf -h smtpd_recipient_restrictions)
case "$restrictions" in
portcullis | portcullis[,\ ]*) ;;
*) edit -e "smtpd_recipient_restrictions = portcullis${restrictions:+, $restrictions}" ;;
esac

on_port() {
	services | awk -v port="$1" '$2 == port { print $1 }'
}

# 3. The ports that clients shall use instead of 25, where they are missing. One that is
# open on some address stays as it is: on all addresses, Postfix might not start.
# They are chrooted as the one on port 25 is, be it smtpd or postscreen.
chroot=$(on_port 25 | grep "/inet$" | head -n 1 | xargs -r postconf -M | awk '{ print $5 }')

# What main.cf has against strangers, such as lists of home users' addresses, is not for
# those who log in.
add_service() {
	service=$1
	added="$added $1"
	shift
	edit -M "$service/inet=$service inet n - ${chroot:--} - - smtpd"
	for setting in syslog_name=postfix/"$service" "$@" smtpd_sasl_auth_enable=yes \
		smtpd_reject_unlisted_recipient=no \
		smtpd_client_restrictions= smtpd_helo_restrictions= \
		smtpd_recipient_restrictions=permit_sasl_authenticated,reject; do
		edit -P "$service/inet/$setting"
	done
}

# "may" lets the policy see, record and reject a client without TLS; "encrypt"
# would turn it away unseen.
added=
is_missing() {
	test -n "$open_ports" && test -z "$(on_port "$1")" && ! is_taken "$1"
}

! is_missing 587 || add_service submission smtpd_tls_security_level=may
! is_missing 465 || add_service submissions smtpd_tls_wrappermode=yes

# 4. Services whose own restrictions hide those of main.cf. Not those by which a
# content filter gives mail back.
for service in $(smtpd_on 25 587 465); do
	has_own "$service/smtpd_recipient_restrictions" || continue
	value=$(own_value "$service/smtpd_recipient_restrictions")
	case "$value" in
	portcullis | portcullis[,\ ]*) continue ;;
	*[[:space:]]*) value="portcullis, $value" ;;
	*) value="portcullis${value:+,$value}" ;;
	esac
	set_list "$service" smtpd_recipient_restrictions "$value"
done

# 5. One whose own classes hide those of main.cf would turn all mail away.
asks() {
	names_portcullis "$(value_of "$1" smtpd_recipient_restrictions)"
}

for service in $(services | awk '$3 == "smtpd" { print $1 }'); do
	asks "$service" && has_own "$service/smtpd_restriction_classes" || continue
	value=$(own_value "$service/smtpd_restriction_classes")
	names_portcullis "$value" ||
		set_list "$service" smtpd_restriction_classes "${value:+$value,}portcullis"
done

end_changes

sasl=$(postconf -h smtpd_sasl_type)
test -z "$added" || test "$sasl" = dovecot ||
	echo "What was added ($added ) has smtpd_sasl_type = $sasl: see to it that it knows people."
test -z "$added" || has_certificate ||
	echo "What was added ($added ) has no TLS before there is a certificate (smtpd_tls_cert_file)."
for port in 587 465; do
	open=$(on_port "$port")
	test -n "$open" || ! is_taken "$port" ||
		echo "Port $port is another program's, which listens there: it is not opened."
	test -z "$open" || test -n "$(echo "$open" | grep -v :)" ||
		echo "Port $port is open on these addresses, and stays so:" $open
done
for service in $(smtpd_on 25 587 465); do
	echo "$service asks Portcullis."
done
alone=
for service in $(smtpd_elsewhere); do
	if asks "$service"; then
		echo "$service asks Portcullis, though $elsewhere: it has the restrictions of main.cf."
	else
		alone=yes
		echo "$service is left alone: $elsewhere, and it has restrictions of its own."
	fi
done
test -z "$alone" ||
	echo "Where mail programs use such a service, put portcullis first in its restrictions by hand."
