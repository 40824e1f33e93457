#!/bin/sh
# Hooks portcullis-policyd into Postfix, as the lines in main.cf and master.cf
# beside this file do.
#
#	postconf-commands.sh [ENDPOINT]
#
# Run it as root, then "postfix reload". Run twice, it changes nothing more.
# ENDPOINT is where the daemon listens: unix:portcullis/policyd (the default; a
# path below the queue directory, so that a chrooted smtpd finds it), or
# inet:127.0.0.1:10040, which every local user can reach, too.
set -eu

endpoint=${1:-unix:portcullis/policyd}

# 1. What asking the daemon means. When it cannot be reached, mail goes on
# (DUNNO): Postfix's own default would answer 451 to all of it.
classes=$(postconf -h smtpd_restriction_classes)
case ",$classes," in
*[,\ ]portcullis[,\ ]*) ;;
*) postconf -e "smtpd_restriction_classes = ${classes:+$classes, }portcullis" ;;
esac
postconf -e "portcullis = check_policy_service { $endpoint, timeout=10s, default_action=DUNNO }"

# 2. Ask it first, before anything permits.
restrictions=$(postconf -h smtpd_recipient_restrictions)
case "$restrictions" in
portcullis | portcullis[,\ ]*) ;;
*) postconf -e "smtpd_recipient_restrictions = portcullis${restrictions:+, $restrictions}" ;;
esac

# 3. The ports that clients shall use instead of 25, where they are missing.
has_service() {
	postconf -M | awk -v name="$1" '$1 == name && $2 == "inet" { found = 1 } END { exit !found }'
}

add_service() {
	service=$1
	shift
	postconf -M "$service/inet=$service inet n - y - - smtpd"
	for setting in syslog_name=postfix/"$service" "$@" smtpd_sasl_auth_enable=yes \
		smtpd_reject_unlisted_recipient=no \
		smtpd_recipient_restrictions=permit_sasl_authenticated,reject; do
		postconf -P "$service/inet/$setting"
	done
	echo "Added to master.cf: $service"
}

# "may" lets the policy see, record and reject a client without TLS; "encrypt"
# would turn it away unseen.
has_service submission || has_service 587 ||
	add_service submission smtpd_tls_security_level=may
has_service submissions || has_service smtps || has_service 465 ||
	add_service submissions smtpd_tls_wrappermode=yes

# 4. Services whose own restrictions hide those of main.cf; behind postscreen, port
# 25 is smtpd/pass. Not those by which a content filter gives mail back.
for service in smtp/inet 25/inet smtpd/pass submission/inet 587/inet submissions/inet smtps/inet \
	465/inet; do
	parameter=$service/smtpd_recipient_restrictions
	line=$(postconf -P | grep "^$parameter =") || continue
	value=${line#"$parameter ="}
	value=${value# }
	case "$value" in
	portcullis | portcullis[,\ ]*) ;;
	*) postconf -P "$parameter=portcullis${value:+,$value}" ;;
	esac
done
