#!/usr/bin/env bash
#
# listen.sh: prints one line, a JSON object, for each alert of slapolicy; with
# psql and nothing else.
#
#   examples/listen.sh FILE [option of psql]...
#
# FILE keeps the id of the last alert that was handled; the first time it need
# not be there.  The role needs SELECT on sla.alert, sla.ticket and sla.clock.
#
# psql cannot wait for a notification: it tells of those that have come when it
# has run a statement.  So it is given one that does nothing, five times a
# second.  The rows are read when we connect, when a notification came, and
# every ten seconds, because notifications can be missed and withdrawals come
# without.  What a notification says is not looked at: anyone can send one.
#
# The file is written when the lines are out.  Killed in between, we print some
# of them again; none is lost.

set -u
export LC_ALL=C			# psql's word for a notification
trap '' PIPE			# psql may have ended before we write to it
trap 'exit 143' TERM
trap 'exit 130' INT
trap '[ -z "$psql" ] || kill "$psql" 2>/dev/null' EXIT

psql=''

[ $# -ge 1 ] || { echo "usage: $0 FILE [option of psql]..." >&2; exit 2; }
file=$1
shift
last=0
[ ! -e "$file" ] || last=$(cat "$file") || exit 1
[[ $last =~ ^[0-9]{1,18}$ ]] || { echo "$0: $file: holds no id" >&2; exit 1; }

# ask SQL: rows of the answer go to `rows`, those of two columns as ID and
# JSON; `hint` is set when a notification came.  Fails when psql is gone.
#
# Whoever sends a notification decides what psql prints of it.  Nothing of
# that can pass for a row or for the end, which begin with what nobody knows.
ask()
{
	rows=()
	printf '%s;\n\\echo %s end\n' "$1" "$secret" >&3 || return 1
	while IFS= read -r -t 30 line <&4; do
		case $line in
			"$secret end") return 0 ;;
			"$secret "*) rows+=("${line#"$secret "}") ;;
			*notification*) hint=yes ;;
		esac
	done
	return 1
}

# What is to be done about an alert.
handle()
{
	printf '%s\n' "$1"
}

# All alerts after the last one.  sla.alerts_after gives ids in order, and
# nothing behind one that may still be committed.
catch_up()
{
	while
		hint=''
		ask "SELECT '$secret', a.id, json_build_object('id', a.id, 'kind', a.kind, 'threshold', a.threshold,
				'due_at', a.due_at, 'flagged_at', a.flagged_at, 'table', n.ticket_table, 'ticket', t.key,
				'metric', c.metric, 'severity', c.severity)
			FROM sla.alerts_after($last) a LEFT JOIN sla.ticket t ON t.id = a.ticket_id
				LEFT JOIN sla.attachment n ON n.id = t.attachment_id LEFT JOIN sla.clock c ON c.id = a.clock_id
			ORDER BY a.id" || return 1
		[ ${#rows[@]} -gt 0 ]
	do
		for row in "${rows[@]}"; do
			handle "${row#* }" || exit 1
			last=${row%% *}
		done
		printf '%s\n' "$last" >"$file.new" && mv "$file.new" "$file" || exit 1
	done
}

follow()
{
	ask 'LISTEN sla_alert' && catch_up || return
	pause=1
	ticks=0
	while ask 'SELECT'; do
		ticks=$((ticks + 1))
		if [ -n "$hint" ] || [ $((ticks % 50)) -eq 0 ]; then
			catch_up || return
		else
			sleep 0.2
		fi
	done
}

# psql with its input and output on 3 and 4
connect()
{
	secret=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
	pipes=$(mktemp -d) && mkfifo "$pipes/in" "$pipes/out" || exit 1
	psql -XqAt -F ' ' -v ON_ERROR_STOP=1 "$@" <"$pipes/in" >"$pipes/out" &
	psql=$!
	exec 3>"$pipes/in" 4<"$pipes/out"
	rm -r "$pipes"
	hint=''
}

disconnect()
{
	exec 3>&- 4<&-
	kill "$psql" 2>/dev/null
	wait "$psql" 2>/dev/null
	psql=''
}

pause=1
while :; do
	connect "$@"
	follow
	disconnect
	echo "$0: not connected; trying again in $pause s" >&2
	sleep "$pause"
	pause=$((pause < 16 ? pause * 2 : 16))
done
