#!/bin/sh
# Takes out of Postfix what postconf-commands.sh and postconf-sasl-service.sh put
# into it. The services on 587 and 465 stay: people send their mail there. What
# postconf-last-step.sh set stays, too: it needs no Portcullis.
#
# Run it as root. Shows what it changes, keeps the old files, and reloads a Postfix that
# runs.
set -eu
. "$(dirname "$0")/common.sh"

without_portcullis() {
	printf '%s\n' "$1" | sed -E 's/(^|[, ])portcullis[, ]+/\1/; s/[, ]*(^|[, ])portcullis$//'
}

# An empty list in main.cf is its default.
take_out_of() {
	value=$(without_portcullis "$(postconf -h "$1")")
	if [ -n "$value" ]; then
		edit -e "$1 = $value"
	else
		edit -X "$1"
	fi
}

# A process of smtpd keeps the options of the old master.cf, but reads main.cf when it starts,
# which takes a while on a busy machine. Whoever still has them after that has read it.
has_old_options() {
	(set +f && cat /proc/[0-9]*/cmdline 2>/dev/null || :) | tr '\0' '\n' |
		grep -q '[_]restriction[a-z_]*=.*portcullis'
}

wait_for_old_options() {
	left=10
	sleep 1
	while [ $left -gt 0 ] && has_old_options; do
		sleep 1
		left=$((left - 1))
	done
}

begin_changes

# 1. Those who ask.
take_out_of smtpd_recipient_restrictions
postconf -P | while read -r parameter _ value; do
	case "$parameter" in
	*/smtpd_recipient_restrictions | */smtpd_restriction_classes)
		left=$(without_portcullis "$value")
		test "$left" = "$value" || set_list "${parameter%/*}" "${parameter##*/}" "$left"
		;;
	*/smtpd_sasl_service)
		case "$value" in
		smtp:25 | submission | submissions) edit -PX "$parameter" ;;
		esac
		;;
	esac
done

# Without what asking means, whoever still asks would turn all mail away.
if { postconf -n; postconf -P; } | grep -E '_restrictions = (.*[, ])?portcullis([, ]|$)' >&2; then
	echo "$0: take portcullis out of these first, and run this again." >&2
	exit 1
fi
if { postconf -n; postconf -P; } | grep -v '^portcullis = ' | grep -F portcullis/policyd >&2; then
	echo "$0: these ask the daemon by themselves; take that out first, and run this again." >&2
	exit 1
fi
end_changes

# 2. What asking means, once nobody does: until the reload, new processes of smtpd have the
# restrictions of the old master.cf.
export MAIL_CONFIG="$directory"
if postfix status 2>/dev/null; then
	postfix reload
	wait_for_old_options
fi
begin_changes
take_out_of smtpd_restriction_classes
edit -X portcullis
end_changes
