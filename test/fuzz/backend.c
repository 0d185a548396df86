/*
 * backend.c
 *		Stands in for the server: memory that a sanitizer can watch, errors
 *		that jump out, and the few tables and functions of the backend that
 *		the pure floor uses.
 */
#include "backend.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/memnodes.h"
#include "utils/datetime.h"
#include "utils/memutils.h"

/* Each allocation is one of malloc, kept in the list of its context. */
typedef struct Chunk
{
	struct Chunk *prev;
	struct Chunk *next;
	Size		size;
	struct Context *context;
} Chunk;

typedef struct Context
{
	MemoryContextData head;		/* only the links between contexts are used */
	Chunk		chunks;			/* the list's anchor */
} Context;

#define ANCHOR(context)		{&(context).chunks, &(context).chunks, 0, NULL}

jmp_buf		backend_error;
int			backend_sqlstate;

static Context top = {.chunks = ANCHOR(top)};
static Context cache = {.chunks = ANCHOR(cache)};
static Size allocated;
static Size most_allocated;

MemoryContext CurrentMemoryContext = &top.head;
MemoryContext CacheMemoryContext = &cache.head;

/* Nobody interrupts. */
volatile sig_atomic_t InterruptPending = false;

void
ProcessInterrupts(void)
{
}

static void *
chunk_insert(Chunk *chunk, Context *context, Size size)
{
	Chunk	   *anchor = &context->chunks;

	if (chunk == NULL)
		abort();
	chunk->size = size;
	chunk->context = context;
	chunk->prev = anchor;
	chunk->next = anchor->next;
	anchor->next->prev = chunk;
	anchor->next = chunk;
	allocated += size;
	most_allocated = Max(most_allocated, allocated);
	return chunk + 1;
}

static Chunk *
chunk_remove(void *pointer)
{
	Chunk	   *chunk = (Chunk *) pointer - 1;

	chunk->prev->next = chunk->next;
	chunk->next->prev = chunk->prev;
	allocated -= chunk->size;
	return chunk;
}

MemoryContext
AllocSetContextCreateInternal(MemoryContext parent, const char *name,
							  Size minContextSize, Size initBlockSize,
							  Size maxBlockSize)
{
	Context    *context = calloc(1, sizeof(Context));

	if (context == NULL)
		abort();
	context->chunks.prev = context->chunks.next = &context->chunks;
	context->head.parent = parent;
	context->head.nextchild = parent->firstchild;
	parent->firstchild = &context->head;
	return &context->head;
}

void
MemoryContextReset(MemoryContext context)
{
	Chunk	   *anchor = &((Context *) context)->chunks;

	while (context->firstchild != NULL)
		MemoryContextDelete(context->firstchild);
	while (anchor->next != anchor)
		free(chunk_remove(anchor->next + 1));
}

void
MemoryContextDelete(MemoryContext context)
{
	MemoryContext *link = &context->parent->firstchild;

	MemoryContextReset(context);
	while (*link != context)
		link = &(*link)->nextchild;
	*link = context->nextchild;
	free(context);
}

Size
MemoryContextMemAllocated(MemoryContext context, bool recurse)
{
	Chunk	   *anchor = &((Context *) context)->chunks;
	Size		size = 0;

	for (Chunk *chunk = anchor->next; chunk != anchor; chunk = chunk->next)
		size += chunk->size;
	for (MemoryContext child = context->firstchild; recurse && child != NULL;
		 child = child->nextchild)
		size += MemoryContextMemAllocated(child, true);
	return size;
}

void
backend_reset(Size max)
{
	CurrentMemoryContext = &top.head;
	MemoryContextReset(&top.head);
	MemoryContextReset(&cache.head);
	if (most_allocated > max)
	{
		fprintf(stderr, "%zu bytes were in use\n", most_allocated);
		abort();
	}
	most_allocated = 0;
}

void *
MemoryContextAlloc(MemoryContext context, Size size)
{
	return chunk_insert(malloc(sizeof(Chunk) + size), (Context *) context,
						size);
}

void *
MemoryContextAllocZero(MemoryContext context, Size size)
{
	return chunk_insert(calloc(1, sizeof(Chunk) + size), (Context *) context,
						size);
}

void *
palloc(Size size)
{
	return MemoryContextAlloc(CurrentMemoryContext, size);
}

void *
palloc0(Size size)
{
	return MemoryContextAllocZero(CurrentMemoryContext, size);
}

void *
palloc_extended(Size size, int flags)
{
	return palloc(size);
}

void *
repalloc(void *pointer, Size size)
{
	Chunk	   *chunk = chunk_remove(pointer);
	Context    *context = chunk->context;

	return chunk_insert(realloc(chunk, sizeof(Chunk) + size), context, size);
}

void *
repalloc_huge(void *pointer, Size size)
{
	return repalloc(pointer, size);
}

void
pfree(void *pointer)
{
	free(chunk_remove(pointer));
}

char *
pnstrdup(const char *in, Size len)
{
	Size		size = strnlen(in, len);
	char	   *out = palloc(size + 1);

	memcpy(out, in, size);
	out[size] = '\0';
	return out;
}

char *
pstrdup(const char *in)
{
	return pnstrdup(in, strlen(in));
}

bool
errstart(int elevel, const char *domain)
{
	if (elevel < ERROR)
		return false;
	backend_sqlstate = 0;
	return true;
}

bool
errstart_cold(int elevel, const char *domain)
{
	return errstart(elevel, domain);
}

void
errfinish(const char *filename, int lineno, const char *funcname)
{
	longjmp(backend_error, 1);
}

int
errcode(int sqlerrcode)
{
	backend_sqlstate = sqlerrcode;
	return 0;
}

/* Formats the text, so that what it quotes is read. */
static void
format(const char *fmt, va_list args)
{
	static char out[4096];

	vsnprintf(out, sizeof(out), fmt, args);
}

#define FORMATS(name) \
int \
name(const char *fmt, ...) \
{ \
	va_list		args; \
\
	va_start(args, fmt); \
	format(fmt, args); \
	va_end(args); \
	return 0; \
}

FORMATS(errmsg)
FORMATS(errmsg_internal)
FORMATS(errdetail)
FORMATS(errhint)

/* From 16 on, errors that could be soft begin and end here. */
bool
errsave_start(struct Node *context, const char *domain)
{
	return errstart(ERROR, domain);
}

void
errsave_finish(struct Node *context, const char *filename, int lineno,
			   const char *funcname)
{
	errfinish(filename, lineno, funcname);
}

/* As for UTF-8: not inside of a character */
int
pg_mbcliplen(const char *mbstr, int len, int limit)
{
	if (len <= limit)
		return len;
	while (limit > 0 && ((unsigned char) mbstr[limit] & 0xC0) == 0x80)
		limit--;
	return limit;
}

const int	day_tab[2][13] = {
	{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0},
	{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0}
};

const char *const months[] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct",
	"Nov", "Dec", NULL
};

/* Fliegel and Van Flandern, Communications of the ACM 11 (1968), p. 657 */
int
date2j(int y, int m, int d)
{
	int			a = (m - 14) / 12;

	return 1461 * (y + 4800 + a) / 4 + 367 * (m - 2 - 12 * a) / 12 -
		3 * ((y + 4900 + a) / 100) / 4 + d - 32075;
}

void
j2date(int jd, int *year, int *month, int *day)
{
	int			l = jd + 68569;
	int			n = 4 * l / 146097;
	int			i,
				j;

	l -= (146097 * n + 3) / 4;
	i = 4000 * (l + 1) / 1461001;
	l -= 1461 * i / 4 - 31;
	j = 80 * l / 2447;
	*day = l - 2447 * j / 80;
	l = j / 11;
	*month = j + 2 - 12 * l;
	*year = 100 * (n - 49) + i + l;
}
