/*
 * worker_listen.c
 *		Runs a statement and writes down when the notifications that follow
 *		from it arrive: a line each of payload and microseconds since 1970.
 *
 *	worker_listen STATEMENT COUNT SECONDS
 *
 * Ends after COUNT notifications, or with status 1 after SECONDS. Connects as
 * libpq's environment says. For bench/worker.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <libpq-fe.h>

static long long
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000LL + ts.tv_nsec / 1000;
}

static void
run(PGconn *conn, const char *sql)
{
	PGresult   *result = PQexec(conn, sql);
	ExecStatusType status = PQresultStatus(result);

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
	{
		fprintf(stderr, "%s", PQerrorMessage(conn));
		exit(2);
	}
	PQclear(result);
}

int
main(int argc, char **argv)
{
	PGconn	   *conn;
	struct pollfd fd;
	long long	end;
	int			left;

	if (argc != 4)
	{
		fprintf(stderr, "usage: worker_listen STATEMENT COUNT SECONDS\n");
		return 2;
	}
	left = atoi(argv[2]);
	end = now_us() + atoi(argv[3]) * 1000000LL;

	conn = PQconnectdb("");
	if (PQstatus(conn) != CONNECTION_OK)
	{
		fprintf(stderr, "%s", PQerrorMessage(conn));
		return 2;
	}
	run(conn, "LISTEN sla_alert");
	run(conn, argv[1]);

	fd.fd = PQsocket(conn);
	fd.events = POLLIN;
	while (left > 0)
	{
		PGnotify   *heard;
		long long	rest = end - now_us();
		long long	at;

		if (rest <= 0)
			break;
		if (poll(&fd, 1, (int) (rest / 1000) + 1) < 0 && errno != EINTR)
			break;
		at = now_us();
		if (!PQconsumeInput(conn))
			break;
		while ((heard = PQnotifies(conn)) != NULL)
		{
			printf("%s\t%lld\n", heard->extra, at);
			PQfreemem(heard);
			left--;
		}
	}
	PQfinish(conn);
	return left > 0;
}
