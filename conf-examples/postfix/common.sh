# For the scripts beside this file. They change a draft of main.cf and master.cf; only
# when all went well it is shown and put in place, and the old files are kept.

begin_changes() {
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
		cp -p --backup=numbered "$file" "$file.$moment"
		cp -p "$file" "$file.new"
		cat "$draft/$name" >"$file.new"
		mv "$file.new" "$file"
		echo "Changed $file; the old one is $file.$moment"
	done
	test -n "$changed" || echo "Nothing to change in $directory"
}

# The lines of services that mail programs use have none or one of these names; behind
# postscreen, port 25 is smtpd/pass.
port_25="smtp/inet 25/inet smtpd/pass"
port_587="submission/inet 587/inet"
port_465="submissions/inet smtps/inet 465/inet"

is_smtpd() {
	postconf -M | awk -v name="$1" '$1 "/" $2 == name && $8 == "smtpd" { found = 1 } END { exit !found }'
}

# set_restrictions SERVICE OLD NEW. postconf -P takes no value with a space, as in
# -o { smtpd_recipient_restrictions = a b }, so the service's whole line is written.
set_restrictions() {
	case "$3" in
	*[[:space:]]*)
		line=$(postconf -M "$1" | tr -s '[:space:]' ' ')
		old="{smtpd_recipient_restrictions=$(printf %s "$2" | tr -s '[:space:]' ' ')}"
		case "$line" in
		*"$old"*) edit -M "$1=${line%%"$old"*}{smtpd_recipient_restrictions=$3}${line#*"$old"}" ;;
		*) echo "$0: cannot find $old in master.cf" >&2 && exit 1 ;;
		esac
		;;
	*) edit -P "$1/smtpd_recipient_restrictions=$3" ;;
	esac
}
