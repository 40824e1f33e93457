#!/bin/sh
# Hooks portcullis-policyd into Postfix, as the lines in main.cf and master.cf
# beside this file do. Shows what it changes, and keeps the old files.
#
#	postconf-commands.sh [ENDPOINT]
#
# Run it as root, then "postfix reload". Run twice, it changes nothing more;
# postconf-remove.sh takes it back.
# ENDPOINT is where the daemon listens: unix:portcullis/policyd (the default; a
# path below the queue directory, so that a chrooted smtpd finds it), or
# inet:127.0.0.1:10040, which every local user can reach, too.
set -eu
. "$(dirname "$0")/common.sh"

endpoint=${1:-unix:portcullis/policyd}
begin_changes

# 1. What asking the daemon means. When it cannot be reached, mail goes on
# (DUNNO): Postfix's own default would answer 451 to all of it.
classes=$(postconf -h smtpd_restriction_classes)
case ",$classes," in
*[,\ ]portcullis[,\ ]*) ;;
*) edit -e "smtpd_restriction_classes = ${classes:+$classes, }portcullis" ;;
esac
asking="check_policy_service { $endpoint, timeout=10s, default_action=DUNNO }"
test "$(postconf -nh portcullis 2>/dev/null)" = "$asking" || edit -e "portcullis = $asking"

# 2. Ask it first, before anything permits.
restrictions=$(postconf -h smtpd_recipient_restrictions)
case "$restrictions" in
portcullis | portcullis[,\ ]*) ;;
*) edit -e "smtpd_recipient_restrictions = portcullis${restrictions:+, $restrictions}" ;;
esac

# 3. The ports that clients shall use instead of 25, where they are missing.
has_one_of() {
	for service in "$@"; do
		test -z "$(postconf -M "$service" 2>/dev/null)" || return 0
	done
	return 1
}

add_service() {
	service=$1
	shift
	edit -M "$service/inet=$service inet n - y - - smtpd"
	for setting in syslog_name=postfix/"$service" "$@" smtpd_sasl_auth_enable=yes \
		smtpd_reject_unlisted_recipient=no \
		smtpd_recipient_restrictions=permit_sasl_authenticated,reject; do
		edit -P "$service/inet/$setting"
	done
}

# "may" lets the policy see, record and reject a client without TLS; "encrypt"
# would turn it away unseen.
has_one_of $port_587 || add_service submission smtpd_tls_security_level=may
has_one_of $port_465 || add_service submissions smtpd_tls_wrappermode=yes

# 4. Services whose own restrictions hide those of main.cf. Not those by which a
# content filter gives mail back.
for service in $port_25 $port_587 $port_465; do
	parameter=$service/smtpd_recipient_restrictions
	line=$(postconf -P | grep "^$parameter =") || continue
	value=${line#"$parameter ="}
	value=${value# }
	case "$value" in
	portcullis | portcullis[,\ ]*) ;;
	*[[:space:]]*) set_restrictions "$service" "$value" "portcullis, $value" ;;
	*) set_restrictions "$service" "$value" "portcullis${value:+,$value}" ;;
	esac
done

end_changes
