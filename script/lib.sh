# shellcheck shell=sh
#
# script/lib.sh: what script/test and script/demo share: find or install
# PostgreSQL, build and install the extension from a private copy of the
# checkout, run a throwaway server, and leave nothing of it behind.
#
# Knows nothing of tests or of the demo.  Sourced, with $0 of the caller.
#
# Environment:
#   PG_CONFIG   the pg_config of the PostgreSQL to use
#   PG_MAJOR    or its major version, among Debian's packages
#   PROFILE     added to the compiler flags (PROFILE=-Werror)

set -u
umask 022
LC_ALL=C.UTF-8
export LC_ALL

oldest_major=15
newest_major=18

me=script/${0##*/}
top=$(cd "$(dirname "$0")/.." && pwd) || exit 1
cd / || exit 1

# Settings of the caller's own servers, make and prove must not leak in.
for name in $(env | sed -n 's/^\(PG[A-Z]*\)=.*/\1/p'); do
	unset "$name"
done
unset MAKEFLAGS MAKELEVEL MFLAGS PERL5OPT HARNESS_OPTIONS

work=''					# private directory, removed at the end
child=''				# what `run` waits for
keep=''					# set: leave server and directory alone
apt=''					# what apt_get waits for
apt_log=''
cluster_conf=''			# set while Debian's packages are told to
						# create no cluster

say()
{
	printf '%s: %s\n' "$me" "$*"
}

die()
{
	printf '%s: %s\n' "$me" "$*" >&2
	exit 1
}

# ---------------------------------------------------------------------------
# Who does what
# ---------------------------------------------------------------------------

# PostgreSQL refuses to run as root, so root runs everything but package and
# extension installation as Debian's postgres account.
as_user()
{
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --reuid=postgres --regid="$(id -g postgres)" --init-groups \
			env HOME="${work:-/}" USER=postgres LOGNAME=postgres "$@"
	else
		env HOME="${work:-/}" "$@"
	fi
}

can_be_root()
{
	[ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null
}

as_root()
{
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# run LOG COMMAND...: as the ordinary user, in the copied checkout, with the
# output in $work/log/LOG, or on our own with LOG `-`.
#
# In the background and waited for, because a shell handles a signal only
# after its foreground command has ended.  Such a child would ignore INT and
# QUIT, which would change what the tests see.
run()
{
	# shellcheck disable=SC2016  # expanded by the inner shell
	as_user env --default-signal=INT,QUIT sh -c '
		cd "$1/src" || exit 1
		[ "$2" = - ] || exec >"$1/log/$2" 2>&1
		shift 2
		exec "$@"' sh "$work" "$@" </dev/null &
	child=$!
	wait "$child"
	set -- $?
	child=''
	return "$1"
}

# ---------------------------------------------------------------------------
# Leaving nothing behind
# ---------------------------------------------------------------------------

# Ends every process that works inside the directory $1: servers by a fast
# shutdown of their postmaster, everything else by TERM; after 30 s servers by
# an immediate shutdown, after 40 s all by KILL.  Runs as the ordinary user,
# so that what it reads there can never make root signal something else.
# shellcheck disable=SC2016  # expanded by the inner shell
end_processes='
	dir=$1
	tick=0.1
	round=0
	while [ "$round" -lt 400 ]; do
		left=$(find /proc -maxdepth 2 -path "/proc/[0-9]*/cwd" \
			\( -lname "$dir" -o -lname "$dir/*" \) -printf "%h %l\n" 2>/dev/null)
		[ -n "$left" ] || exit 0
		while read -r process cwd; do
			if [ ! -f "$cwd/PG_VERSION" ]; then
				kill -s TERM "${process#/proc/}"
			elif [ "$(head -n 1 "$cwd/postmaster.pid")" = "${process#/proc/}" ]; then
				if [ "$round" -lt 300 ]; then
					kill -s INT "${process#/proc/}"
				else
					kill -s QUIT "${process#/proc/}"
				fi
			fi
		done 2>/dev/null <<-LEFT
			$left
		LEFT
		round=$((round + 1))
		sleep "$tick"
	done
	while read -r process cwd; do
		kill -s KILL "${process#/proc/}"
	done 2>/dev/null <<-LEFT
		$left
	LEFT
	'

clean_up()
{
	# Whatever arrives now must not stop us half way.
	trap '' INT TERM HUP QUIT PIPE
	trap - EXIT

	if [ -n "$apt" ]; then
		say "waiting for apt-get to end"
		wait "$apt"
	fi
	rm -f "$apt_log"
	forbid_cluster_end
	if [ -n "$child" ]; then
		kill "$child" 2>/dev/null
	fi
	if [ -n "$work" ] && [ -z "$keep" ]; then
		as_user sh -c "$end_processes" sh "$work"
		rm -rf "$work"
	fi
}

trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 131' QUIT
trap 'exit 141' PIPE
trap 'exit 143' TERM

# ---------------------------------------------------------------------------
# PostgreSQL and the tools
# ---------------------------------------------------------------------------

major_of()
{
	"$1" --version 2>/dev/null | sed -n 's/^PostgreSQL \([0-9]*\).*/\1/p'
}

# Debian's client package has PGXS but not the headers that go with it.
can_build()
{
	[ -f "$("$1" --pgxs 2>/dev/null)" ] &&
		[ -f "$("$1" --includedir-server)/postgres.h" ]
}

# A pg_config may come alone, with the client library: of use is only one
# whose server and build files are there.
is_complete()
{
	can_build "$1" && [ -x "$("$1" --bindir)/postgres" ]
}

# Sets pg_config and major, the latter empty if only apt can tell.
choose_postgres()
{
	major=''
	if [ -n "${PG_CONFIG:-}" ]; then
		pg_config=$(command -v "$PG_CONFIG") ||
			die "PG_CONFIG names $PG_CONFIG, which is not there"
		major=$(major_of "$pg_config")
	elif [ -n "${PG_MAJOR:-}" ]; then
		major=$PG_MAJOR
	elif pg_config=$(command -v pg_config) && is_complete "$pg_config"; then
		major=$(major_of "$pg_config")
	else
		pg_config=''
		candidate=$newest_major
		while [ "$candidate" -ge "$oldest_major" ] && [ -z "$major" ]; do
			if [ -x "/usr/lib/postgresql/$candidate/bin/postgres" ]; then
				major=$candidate
			fi
			candidate=$((candidate - 1))
		done
		if [ -z "$major" ] && command -v pg_config >/dev/null; then
			major=$(major_of pg_config)
		fi
	fi
	check_major
}

check_major()
{
	[ -n "$major" ] || return 0
	[ "$major" -ge "$oldest_major" ] 2>/dev/null &&
		[ "$major" -le "$newest_major" ] ||
		die "PostgreSQL $major is not supported; $oldest_major to $newest_major are"
	debian_bindir=/usr/lib/postgresql/$major/bin
	: "${pg_config:=$debian_bindir/pg_config}"
}

# need PACKAGE COMMAND...: the package is missing unless the command succeeds
need()
{
	package=$1
	shift
	"$@" >/dev/null 2>&1 || missing="$missing $package"
}

# Sets missing to the packages wanted for $1, `build` or `test`.
find_missing()
{
	missing=''
	need make command -v make
	need gcc command -v gcc
	need libc6-dev test -f /usr/include/stdio.h
	need "postgresql-${major:-N}" \
		test -x "$("${pg_config:-false}" --bindir 2>/dev/null)/postgres"
	need "postgresql-server-dev-${major:-N}" can_build "${pg_config:-false}"
	[ "$1" = test ] || return 0
	need "postgresql-${major:-N}-pgtap" test -f \
		"$("${pg_config:-false}" --sharedir 2>/dev/null)/extension/pgtap.control"
	need libtap-parser-sourcehandler-pgtap-perl command -v pg_prove
	need libipc-run-perl perl -MIPC::Run -e 1
	need perl command -v prove
}

# Debian's server package creates and starts a cluster `main` unless told not
# to.  Nobody asked for that one.
forbid_cluster()
{
	cluster_conf=/etc/postgresql-common/createcluster.d/slapolicy.conf
	as_root mkdir -p "${cluster_conf%/*}" &&
		as_root sh -c "echo 'create_main_cluster = false' >$cluster_conf" ||
		die "could not write $cluster_conf"
}

forbid_cluster_end()
{
	[ -n "$cluster_conf" ] || return 0
	as_root rm -f "$cluster_conf"
	as_root rmdir -p --ignore-fail-on-non-empty "${cluster_conf%/*}"
	cluster_conf=''
}

# Package installation is never interrupted: in the background apt-get ignores
# INT, and whatever else arrives, clean_up waits for its end.
apt_get()
{
	: "${apt_log:=$(mktemp)}"
	as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get -q -y --no-install-recommends "$@" \
		</dev/null >"$apt_log" 2>&1 &
	apt=$!
	wait "$apt"
	set -- $?
	apt=''
	[ "$1" -eq 0 ] || tail -n 30 "$apt_log" >&2
	return "$1"
}

# Makes pg_config and its tools complete for $1, `build` or `test`.
prepare_tools()
{
	choose_postgres
	find_missing "$1"
	if [ -n "$missing" ]; then
		case $missing in
			*' postgresql-'*)
				# Debian's packages cannot complete another PostgreSQL.
				[ ! -x "${pg_config:-}" ] ||
					[ "$("$pg_config" --bindir)" = "$debian_bindir" ] ||
					die "$pg_config lacks what Debian calls:$missing"
				;;
		esac
		command -v apt-get >/dev/null ||
			die "please install what Debian calls:$missing"
		can_be_root ||
			die "neither root nor sudo; please have these installed:$missing"
		apt_get update || say "could not refresh the list of packages"
		if [ -z "$major" ]; then
			major=$(apt-cache depends postgresql |
				sed -n 's/.*Depends: postgresql-\([0-9][0-9]*\)$/\1/p')
			[ -n "$major" ] || die "apt knows no package postgresql"
			check_major
			find_missing "$1"
		fi
		say "installing$missing"
		forbid_cluster
		# shellcheck disable=SC2086  # one word per package
		apt_get install $missing || die "could not install$missing"
		forbid_cluster_end
		find_missing "$1"
		[ -z "$missing" ] ||
			die "$pg_config still lacks what Debian calls:$missing"
	fi
	bindir=$("$pg_config" --bindir)
	PATH=$bindir:$PATH
	export PATH
}

# ---------------------------------------------------------------------------
# The extension
# ---------------------------------------------------------------------------

# Copies the checkout, without what .gitignore names, to a directory of the
# ordinary user.
copy_checkout()
{
	parent=${TMPDIR:-/tmp}
	# The path of a Unix socket below it must fit 107 bytes.
	[ "${#parent}" -le 40 ] || parent=/tmp
	work=$(as_user mktemp -d "$parent/slapolicy.XXXXXX") || work=''
	[ -n "$work" ] || die "could not make a directory in $parent"
	as_user mkdir "$work/src" "$work/log" "$work/socket" "$work/tmp" || exit 1
	TMPDIR=$work/tmp
	export TMPDIR

	set -- --exclude=./.git
	while read -r pattern; do
		case $pattern in
			'' | '#'*) ;;
			/*) set -- "$@" "--exclude=.${pattern%/}" ;;
			*) set -- "$@" "--exclude=${pattern%/}" ;;
		esac
	done <"$top/.gitignore"
	# -m: a file dated in the future would make make complain.
	tar -C "$top" "$@" -cf - . | as_user tar -C "$work/src" -xmf - ||
		die "could not copy $top"

	# No trace of the directory's name in the library: unchanged sources then
	# give unchanged files, which need no new installation.
	COPT="${COPT:+$COPT }-ffile-prefix-map=$work/src=."
	export COPT
}

# Fails on any warning of the compilers or of make.
build()
{
	say "building with PostgreSQL $major ($bindir)"
	run build.log make -s -O -j "$(getconf _NPROCESSORS_ONLN)" \
		PG_CONFIG="$pg_config" ||
		{
			tail -n 60 "$work/log/build.log"
			return 1
		}
	if grep -A 5 'warning:' "$work/log/build.log"; then
		say "the build gave warnings"
		return 1
	fi
}

# Installs the files that differ from those already there, if any.
install_extension()
{
	run install.log make -s install PG_CONFIG="$pg_config" \
		DESTDIR="$work/stage" ||
		{
			tail -n 30 "$work/log/install.log"
			return 1
		}
	# shellcheck disable=SC2016  # expanded by the inner shell
	differing=$(as_user find "$work/stage" -type f -exec sh -c '
		stage=$1
		shift
		for file do
			cmp -s "$file" "${file#"$stage"}" || echo "$file"
		done' sh "$work/stage" {} +)
	[ -n "$differing" ] || return 0

	set -- make -s -C "$work/src" install PG_CONFIG="$pg_config"
	# shellcheck disable=SC2016  # expanded by the inner shell
	if as_user sh -c 'test -w "$1" && test -w "$2/extension"' sh \
		"$("$pg_config" --pkglibdir)" "$("$pg_config" --sharedir)"
	then
		output=$(as_user "$@" 2>&1)
	elif can_be_root; then
		say "installing the extension"
		output=$(as_root "$@" 2>&1)
	else
		say "the installed extension is another one, and neither root nor sudo" \
			"is there to replace it in $("$pg_config" --pkglibdir)"
		return 1
	fi ||
		{
			printf '%s\n' "$output"
			return 1
		}
}

# ---------------------------------------------------------------------------
# The throwaway server
# ---------------------------------------------------------------------------

# start_server [SETTING...]: starts a server that can be reached only through
# $PGHOST, a socket in the private directory.
start_server()
{
	PGHOST=$work/socket
	PGPORT=5432
	PGUSER=postgres
	export PGHOST PGPORT PGUSER

	run initdb.log initdb -D "$work/data" -U postgres -A trust --no-sync \
		-E UTF8 --locale=C.UTF-8 ||
		{
			tail -n 30 "$work/log/initdb.log"
			return 1
		}
	as_user tee -a "$work/data/postgresql.conf" >/dev/null <<-CONF
		listen_addresses = ''
		unix_socket_directories = '$work/socket'
		port = $PGPORT
		shared_preload_libraries = 'slapolicy'
		fsync = off
		full_page_writes = off
		max_worker_processes = 16
		log_checkpoints = off
		timezone = 'UTC'
		log_timezone = 'UTC'
		log_line_prefix = '%m [%p] %b %d '
		$(printf '%s\n' "$@")
	CONF
	run start.log pg_ctl -D "$work/data" -l "$work/log/server.log" \
		-w -t 60 start ||
		{
			tail -n 30 "$work/log/start.log" "$work/log/server.log"
			return 1
		}
}
