/*
 * driver.c
 *		Runs a fuzz target without libFuzzer.
 *
 *	target FILE...				each file once: to repeat a finding, or for AFL++
 *								with @@ as the file
 *	target -t SECONDS FILE...	then random changes of the files; -s SEED
 *
 * The input that is being tried is kept in ./crash-input.
 */
#include "backend.h"

#include <time.h>
#include <unistd.h>

#define MAX_INPUT	4096

typedef struct Input
{
	uint8	   *data;
	size_t		size;
} Input;

static uint64 random_state = 1;

static uint32
random_below(uint32 n)
{
	random_state = random_state * UINT64CONST(6364136223846793005) +
		UINT64CONST(1442695040888963407);
	return (uint32) (random_state >> 33) % n;
}

static Input
read_input(const char *path)
{
	FILE	   *file = fopen(path, "rb");
	Input		input = {malloc(2 * 1024 * 1024), 0};

	if (file == NULL || input.data == NULL)
	{
		perror(path);
		exit(2);
	}
	input.size = fread(input.data, 1, 2 * 1024 * 1024, file);
	fclose(file);
	return input;
}

/* Copy, drop, double and overwrite stretches, some from another input. */
static size_t
change(uint8 *data, size_t size, const Input *other)
{
	for (int changes = 1 + random_below(4); changes > 0; changes--)
	{
		size_t		at = random_below(size + 1);
		size_t		wanted = random_below(64);
		size_t		len = Min(wanted / 4, size - at);
		size_t		from;

		switch (random_below(5))
		{
			case 0:
				if (at < size)
					data[at] = random_below(256);
				break;
			case 1:
				if (at < size)
					data[at] = " ;,-/|&()0123456789:+"[random_below(21)];
				break;
			case 2:
				memmove(data + at, data + at + len, size - at - len);
				size -= len;
				break;
			case 3:
				if (size + len > MAX_INPUT)
					break;
				memmove(data + at + len, data + at, size - at);
				size += len;
				break;
			default:
				from = random_below(other->size + 1);
				len = Min(wanted, other->size - from);
				if (size + len > MAX_INPUT)
					break;
				memmove(data + at + len, data + at, size - at);
				memcpy(data + at, other->data + from, len);
				size += len;
				break;
		}
	}
	return size;
}

int
main(int argc, char **argv)
{
	static uint8 data[MAX_INPUT];
	long		seconds = 0;
	time_t		end;
	int			ninputs;
	static Input *inputs;		/* reachable to the end for a leak checker */
	int			option;

	while ((option = getopt(argc, argv, "t:s:")) != -1)
	{
		if (option == 't')
			seconds = atol(optarg);
		else if (option == 's')
			random_state = strtoul(optarg, NULL, 10);
		else
			return 2;
	}
	ninputs = argc - optind;
	inputs = calloc(ninputs + 1, sizeof(Input));
	for (int i = 0; i < ninputs; i++)
	{
		inputs[i] = read_input(argv[optind + i]);
		LLVMFuzzerTestOneInput(inputs[i].data, inputs[i].size);
	}
	end = time(NULL) + seconds;
	while (ninputs > 0 && time(NULL) < end)
	{
		const Input *input = &inputs[random_below(ninputs)];
		size_t		size = Min(input->size, MAX_INPUT);
		FILE	   *file;

		memcpy(data, input->data, size);
		size = change(data, size, &inputs[random_below(ninputs)]);
		file = fopen("crash-input", "wb");
		if (file)
		{
			fwrite(data, 1, size, file);
			fclose(file);
		}
		LLVMFuzzerTestOneInput(data, size);
	}
	if (seconds > 0)
		remove("crash-input");
	return 0;
}
