/*
 * ticket_set.c
 *		A set of ids of tickets: a hash table of pieces of a bitmap.
 *
 * Knows nothing of tickets.
 */
#include "postgres.h"

#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "ticket_set.h"

#define IDS_PER_PIECE	1024
#define WORDS_PER_PIECE	(IDS_PER_PIECE / 64)

typedef struct Piece
{
	int64		number;			/* hash key: id / IDS_PER_PIECE */
	uint64		words[WORDS_PER_PIECE];
} Piece;

struct TicketSet
{
	HTAB	   *pieces;
};

TicketSet *
ticket_set_create(void)
{
	TicketSet  *set = palloc(sizeof(TicketSet));
	HASHCTL		ctl;

	ctl.keysize = sizeof(int64);
	ctl.entrysize = sizeof(Piece);
	ctl.hcxt = CurrentMemoryContext;
	set->pieces = hash_create("slapolicy tickets", 64, &ctl,
							  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	return set;
}

void
ticket_set_add(TicketSet *set, int64 id)
{
	uint64		bit = (uint64) id % IDS_PER_PIECE;
	int64		number = (int64) ((uint64) id / IDS_PER_PIECE);
	bool		found;
	Piece	   *piece = hash_search(set->pieces, &number, HASH_ENTER, &found);

	if (!found)
		memset(piece->words, 0, sizeof(piece->words));
	piece->words[bit / 64] |= UINT64CONST(1) << bit % 64;
}

bool
ticket_set_has(const TicketSet *set, int64 id)
{
	uint64		bit = (uint64) id % IDS_PER_PIECE;
	int64		number = (int64) ((uint64) id / IDS_PER_PIECE);
	Piece	   *piece = hash_search(set->pieces, &number, HASH_FIND, NULL);

	return piece != NULL && (piece->words[bit / 64] >> bit % 64 & 1) != 0;
}

void
ticket_set_free(TicketSet *set)
{
	hash_destroy(set->pieces);
	pfree(set);
}
