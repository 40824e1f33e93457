# For the scripts beside this file. They change a draft of main.cf and master.cf; only
# when all went well it is shown and put in place, and the old files are kept beside them, or
# in the folder KEPT.

# No name of a service is a pattern: [2001:db8::1]:587 looks like one.
set -f

begin_changes() {
	test -z "${draft-}" || rm -rf "$draft"
	directory=$(postconf -h config_directory)
	draft=$(mktemp -d)
	trap 'rm -rf "$draft"' EXIT
	trap 'exit 1' HUP INT TERM
	cp "$directory/main.cf" "$directory/master.cf" "$draft"
	# What postconf reads and writes from here on.
	export MAIL_CONFIG="$draft"
	let_rest
}

# postconf waits for a second with a file that was just written, lest somebody still does.
let_rest() {
	touch -d "1 minute ago" "$draft/main.cf" "$draft/master.cf"
}

edit() {
	postconf "$@"
	let_rest
}

end_changes() {
	moment=$(date +%Y%m%d-%H%M%S)
	changed=
	for name in main.cf master.cf; do
		file=$(readlink -f "$directory/$name")
		! cmp -s "$file" "$draft/$name" || continue
		changed=yes
		diff -u --label "$file" --label "$file" "$file" "$draft/$name" || :
		old=${KEPT:-$(dirname "$file")}/$(basename "$file").$moment
		cp -p --backup=numbered "$file" "$old"
		cp -p "$file" "$file.new"
		cat "$draft/$name" >"$file.new"
		mv "$file.new" "$file"
		echo "Changed $file; the old one is $old"
	done
	test -n "$changed" || echo "Nothing to change in $directory"
	instances=$(postconf -h multi_instance_directories)
	test -z "$instances" ||
		echo "Other instances are left alone ($instances); for one: MAIL_CONFIG=DIRECTORY $0"
}

# Lists the services of master.cf: NAME/TYPE PORT PROGRAM. The port is what stands behind the
# last colon, as a number; it is 25 for what postscreen hands over (smtpd/pass), which
# listens there.
services() {
	postconf -M | while read -r name type _ _ _ _ _ program _; do
		port=none
		case "$type" in
		inet)
			port=${name##*:}
			number=$(getent services "$port/tcp" | sed 's,.*[[:space:]]\([0-9]*\)/tcp.*,\1,')
			port=${number:-$port}
			;;
		pass) port=25 ;;
		esac
		echo "$name/$type $port $program"
	done
}

# smtpd_on PORT...: the services there that smtpd serves.
smtpd_on() {
	services | awk -v ports=" $* " '$3 == "smtpd" && index(ports, " " $2 " ") { print $1 }'
}

smtpd_elsewhere() {
	services | awk '$3 == "smtpd" && $2 != 25 && $2 != 587 && $2 != 465 { print $1 }'
}

elsewhere="its port is none of 25, 465 and 587"

# is_taken PORT: whether another program listens where Postfix would, such as Dovecot's
# submission service. Postfix ends when it cannot open a port.
is_taken() {
	cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
		awk -v port="$(printf :%04X "$1")" -v where="$(postconf -h inet_interfaces)" '
			$4 == "0A" && substr($2, length($2) - 4) == port &&
				(where == "all" || $2 ~ /^0+:/) { found = 1 }
			END { exit !found }'
}

# has_own SERVICE/PARAMETER: whether master.cf sets it, perhaps to nothing.
has_own() {
	postconf -P "$1" 2>/dev/null | grep -q .
}

own_value() {
	postconf -Ph "$1" 2>/dev/null
}

# What holds for a service.
value_of() {
	if has_own "$1/$2"; then
		own_value "$1/$2"
	else
		postconf -h "$2"
	fi
}

has_certificate() {
	{ postconf -n; postconf -P; } | grep -Eq 'smtpd_tls_(ec|d)?(cert_file|chain_files) = .'
}

# set_list SERVICE PARAMETER NEW. postconf -P takes no value with a space, as in
# -o { smtpd_recipient_restrictions = a b }, so the service's whole line is written.
set_list() {
	case "$3" in
	*[[:space:]]*)
		line=$(postconf -M "$1" | tr -s '[:space:]' ' ')
		old="{$2=$(own_value "$1/$2" | tr -s '[:space:]' ' ' | sed 's/ $//')}"
		case "$line" in
		# The last one holds.
		*"$old"*) edit -M "$1=${line%"$old"*}{$2=$3}${line##*"$old"}" ;;
		*) echo "$0: cannot find $old in master.cf" >&2 && exit 1 ;;
		esac
		;;
	*) edit -P "$1/$2=$3" ;;
	esac
}

# names_portcullis LIST: whether it stands in there.
names_portcullis() {
	case ",$1," in
	*[,[:space:]]portcullis[,[:space:]]*) ;;
	*) return 1 ;;
	esac
}
