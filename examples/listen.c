/*
 * listen.c
 *		Prints one line, a JSON object, for each alert of slapolicy.
 *
 * Build and run:
 *
 *	cc -O2 -Wall -o listen listen.c -I"$(pg_config --includedir)" \
 *		-L"$(pg_config --libdir)" -lpq
 *	./listen FILE "dbname=helpdesk user=listener"
 *
 * FILE keeps the id of the last alert that was handled; the first time it need
 * not be there. The role needs SELECT on sla.alert, sla.ticket and sla.clock.
 *
 * A notification is a hint that something may have happened, and anyone in the
 * database can send one: what it says is not looked at. The rows are the fact.
 * They are read from where we were when we connect, at each hint, and
 * every POLL_SECONDS, because hints can be missed and withdrawals come without.
 *
 * The file is written when the lines are out. Killed in between, we print some
 * of them again; none is lost. There is nothing to clean up, so signals may
 * end us at any time.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

#include <libpq-fe.h>

#define POLL_SECONDS	10

/* Pauses between attempts to connect, doubling, in ms */
#define PAUSE_FIRST		100
#define PAUSE_LAST		10000

/*
 * alerts_after() gives ids in order, and nothing behind one that may still be
 * committed.
 */
static const char *const query =
"SELECT a.id, pg_catalog.json_build_object("
"  'id', a.id, 'kind', a.kind, 'threshold', a.threshold,"
"  'due_at', a.due_at, 'flagged_at', a.flagged_at,"
"  'table', n.ticket_table, 'ticket', t.key,"
"  'metric', c.metric, 'severity', c.severity)"
" FROM sla.alerts_after($1) a"
"  LEFT JOIN sla.ticket t ON t.id OPERATOR(pg_catalog.=) a.ticket_id"
"  LEFT JOIN sla.attachment n ON n.id OPERATOR(pg_catalog.=) t.attachment_id"
"  LEFT JOIN sla.clock c ON c.id OPERATOR(pg_catalog.=) a.clock_id"
" ORDER BY a.id";

static const char *file;
static int64_t last = 0;		/* id of the last alert handled */

static void
fail(const char *what)
{
	fprintf(stderr, "listen: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Where we were; 0 when there is no file yet. */
static void
recall(void)
{
	FILE	   *f = fopen(file, "r");

	if (f == NULL && errno == ENOENT)
		return;
	if (f == NULL)
		fail(file);
	if (fscanf(f, "%" SCNd64, &last) != 1 || last < 0)
	{
		fprintf(stderr, "listen: %s: holds no id\n", file);
		exit(1);
	}
	fclose(f);
}

/* Old or new, but never half of it, whatever happens. */
static void
remember(void)
{
	char		name[4096];
	FILE	   *f;

	if (snprintf(name, sizeof(name), "%s.new", file) >= (int) sizeof(name))
	{
		errno = ENAMETOOLONG;
		fail(file);
	}
	f = fopen(name, "w");
	if (f == NULL || fprintf(f, "%" PRId64 "\n", last) < 0 ||
		fflush(f) != 0 || fsync(fileno(f)) != 0 || fclose(f) != 0 ||
		rename(name, file) != 0)
		fail(name);
}

static void
complain(PGconn *conn)
{
	fprintf(stderr, "listen: %s", PQerrorMessage(conn));
}

/* What is to be done about an alert. */
static void
handle(const char *alert)
{
	if (puts(alert) < 0)
		fail("output");
}

/* Handle all alerts after the last one; false when the connection failed. */
static bool
catch_up(PGconn *conn)
{
	for (;;)
	{
		char		after[32];
		const char *values[1] = {after};
		PGresult   *result;
		int			n;

		snprintf(after, sizeof(after), "%" PRId64, last);
		result = PQexecParams(conn, query, 1, NULL, values, NULL, NULL, 0);
		if (PQresultStatus(result) != PGRES_TUPLES_OK)
		{
			complain(conn);
			PQclear(result);
			return false;
		}
		n = PQntuples(result);
		for (int i = 0; i < n; i++)
		{
			handle(PQgetvalue(result, i, 1));
			last = strtoll(PQgetvalue(result, i, 0), NULL, 10);
		}
		PQclear(result);
		if (n == 0)
			return true;
		if (fflush(stdout) != 0)
			fail("output");
		remember();
	}
}

/* Wait for a hint, or for POLL_SECONDS; false when the connection failed. */
static bool
wait_for_hint(PGconn *conn)
{
	struct timeval timeout = {POLL_SECONDS, 0};
	PGnotify   *hint;
	fd_set		fds;

	FD_ZERO(&fds);
	FD_SET(PQsocket(conn), &fds);
	if (select(PQsocket(conn) + 1, &fds, NULL, NULL, &timeout) < 0 &&
		errno != EINTR)
		fail("select");
	if (!PQconsumeInput(conn))
	{
		complain(conn);
		return false;
	}
	while ((hint = PQnotifies(conn)) != NULL)
		PQfreemem(hint);		/* any number of them: one look is enough */
	return true;
}

/* First listen, then look: what comes in between is hinted at. */
static bool
start_listening(PGconn *conn)
{
	PGresult   *result;
	bool		ok;

	if (PQstatus(conn) != CONNECTION_OK)
	{
		complain(conn);
		return false;
	}
	result = PQexec(conn, "LISTEN sla_alert");
	ok = PQresultStatus(result) == PGRES_COMMAND_OK;
	if (!ok)
		complain(conn);
	PQclear(result);
	return ok;
}

int
main(int argc, char **argv)
{
	long		pause = PAUSE_FIRST;

	if (argc != 3)
	{
		fprintf(stderr, "usage: %s FILE CONNECTION\n", argv[0]);
		return 2;
	}
	file = argv[1];
	recall();

	for (;;)
	{
		PGconn	   *conn = PQconnectdb(argv[2]);
		struct timespec ts;

		if (start_listening(conn))
			while (catch_up(conn))
			{
				pause = PAUSE_FIRST;
				if (!wait_for_hint(conn))
					break;
			}
		PQfinish(conn);

		ts.tv_sec = pause / 1000;
		ts.tv_nsec = pause % 1000 * 1000000;
		nanosleep(&ts, NULL);
		pause = pause * 2 < PAUSE_LAST ? pause * 2 : PAUSE_LAST;
	}
}
