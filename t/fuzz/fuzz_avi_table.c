/* t/fuzz/fuzz_avi_table.c - any bytes as the table of an AVI in a record: its entries are possible.
 * SPDX-License-Identifier: BSD-2-Clause
 * Input: the table, for two streams. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/av/avi_table.h"
#include "lib/base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static AVStream streams[2];
static int64_t added;

/* What libav would be told. */
int av_add_index_entry(
	AVStream *st, int64_t pos, int64_t timestamp, int size, int distance, int flags)
{
	must(st == &streams[0] || st == &streams[1]);
	must(pos >= 0 && pos <= INT64_MAX / 4 && timestamp >= 0 && timestamp <= INT64_MAX / 4);
	must(size >= 0 && distance == 0 && (flags & ~AVINDEX_KEYFRAME) == 0);
	added++;
	return 0;
}

/* What writing a table needs, which is not done here. */
int avformat_index_get_entries_count(const AVStream *st)
{
	(void)st;
	return 0;
}

const AVIndexEntry *avformat_index_get_entry(AVStream *st, int i)
{
	(void)st, (void)i;
	return NULL;
}

int av_index_search_timestamp(AVStream *st, int64_t timestamp, int flags)
{
	(void)st, (void)timestamp, (void)flags;
	return -1;
}

int64_t av_rescale_q(int64_t a, AVRational b, AVRational c)
{
	(void)b, (void)c;
	return a;
}

void *av_mallocz(size_t size)
{
	return calloc(1, size);
}

void av_free(void *p)
{
	free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AVStream *list[] = {&streams[0], &streams[1]};
	AVFormatContext format = {.nb_streams = 2, .streams = list};
	struct reader r = {.format = &format};

	added = 0;
	avi_table_give(&r, span_make((const char *)data, size));
	/* An entry takes three bytes or more. */
	must(added * 3 <= (int64_t)size);
	return 0;
}
