#include "heroku/marks.h"

uint64_t
marks_in_rest(struct slice rest)
{
	char block[BLOCK] = {0};

	if (rest.len > 0)
		memcpy(block, rest.ptr, rest.len);
	return marks_in_block(block) & (((uint64_t)1 << rest.len) - 1);
}
