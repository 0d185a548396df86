/*
 * zone_version.c
 *		Tells which time-zone data the server answers from.
 *
 * Neither PostgreSQL nor the data itself says which release it is; but two
 * servers, or one before and after an update, agree about a zone exactly when
 * all its clock changes are the same.
 */
#include "postgres.h"

#include "common/cryptohash.h"
#include "common/sha2.h"
#include "fmgr.h"
#include "utils/builtins.h"

#include "slapolicy.h"
#include "zone.h"

PG_FUNCTION_INFO_V1(slapolicy_zone_version);

/* Clock changes from here to there are compared: 1800-01-01 to 2500-01-01 */
#define FIRST_SECOND	(-73048 * SLA_SECS_PER_DAY)
#define LAST_SECOND		(182622 * SLA_SECS_PER_DAY)

/* Hexadecimal digits of the answer */
#define DIGITS			16

static void
add_number(pg_cryptohash_ctx *ctx, int64 number)
{
	uint8		bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8) ((uint64) number >> (8 * i));
	if (pg_cryptohash_update(ctx, bytes, sizeof(bytes)) < 0)
		elog(ERROR, "could not compute hash: %s", pg_cryptohash_error(ctx));
}

Datum
slapolicy_zone_version(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	const ZoneTable *zone = zone_find(name);
	pg_cryptohash_ctx *ctx;
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	char		hex[DIGITS + 1];

	if (zone == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%s\" is not known to this server", name),
				 errhint("See the view pg_timezone_names.")));

	ctx = pg_cryptohash_create(PG_SHA256);
	if (pg_cryptohash_init(ctx) < 0)
		elog(ERROR, "could not compute hash: %s", pg_cryptohash_error(ctx));
	add_number(ctx, zone_offset(zone, FIRST_SECOND));
	for (int64 at = zone_next_change(zone, FIRST_SECOND); at < LAST_SECOND;
		 at = zone_next_change(zone, at))
	{
		add_number(ctx, at);
		add_number(ctx, zone_offset(zone, at));
	}
	if (pg_cryptohash_final(ctx, digest, sizeof(digest)) < 0)
		elog(ERROR, "could not compute hash: %s", pg_cryptohash_error(ctx));
	pg_cryptohash_free(ctx);

	for (int i = 0; i < DIGITS / 2; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	PG_RETURN_TEXT_P(cstring_to_text(hex));
}
