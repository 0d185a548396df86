# shellcheck shell=sh
#
# bench/lib.sh: gives the commands here a server and a database of its own.
#
# With PGHOST, PGPORT, PGUSER, PGSERVICE or PGDATABASE set, the server is the
# one they name; it must have the extension's files, and the user must be a
# superuser. The database is always a new one, removed at the end. With none
# of them set, script/lib.sh builds the extension and runs a throwaway server.
#
# Sourced, with $0 of the caller. Knows nothing of what is measured.

given_server=${PGHOST:-}${PGPORT:-}${PGUSER:-}${PGSERVICE:-}${PGDATABASE:-}
bench_database=''
bench_scratch=''

if [ -n "$given_server" ]; then
	set -u
	top=$(cd "$(dirname "$0")/.." && pwd) || exit 1
	cd "$top" || exit 1

	die()
	{
		printf '%s: %s\n' "$me" "$*" >&2
		exit 1
	}

	client()
	{
		"$@"
	}

	end_database()
	{
		trap '' INT TERM HUP
		trap - EXIT
		[ -z "$bench_database" ] || dropdb --if-exists --force "$bench_database"
		[ -z "$bench_scratch" ] || rm -rf "$bench_scratch"
	}

	trap end_database EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
else
	# shellcheck source=script/lib.sh
	. "$(dirname "$0")/../script/lib.sh"

	# With standard input, unlike `run`
	client()
	{
		(
			cd "$work/src" || exit 1
			as_user "$@"
		)
	}
fi

me=bench/${0##*/}

# bench_start [SETTING...]: makes the database; the settings are for a
# throwaway server only. Afterwards `client PROGRAM...` runs a client in the
# checkout, and $bench_scratch is a directory for its files.
bench_start()
{
	if [ -z "$given_server" ]; then
		prepare_tools build
		copy_checkout
		# What falls due while something is measured must not wake a worker.
		build && install_extension && start_server "$@" \
			"slapolicy.databases = 'no_such_database'" || exit 1
	fi
	bench_scratch=$(client mktemp -d) || exit 1
	bench_database=slapolicy_bench_$$
	client createdb "$bench_database" || exit 1
	PGDATABASE=$bench_database
	PGOPTIONS='-c client_min_messages=warning'
	export PGDATABASE PGOPTIONS
	client psql -X -q -v ON_ERROR_STOP=1 -c 'CREATE EXTENSION slapolicy' ||
		exit 1
}

# bench_sql FILE [PSQL ARGUMENT...]: runs a file of bench/
bench_sql()
{
	file=$1
	shift
	client psql -X -q -v ON_ERROR_STOP=1 -P pager=off "$@" -f "bench/$file"
}
