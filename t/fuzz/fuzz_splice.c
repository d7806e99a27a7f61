/* t/fuzz/fuzz_splice.c - any packets that a source may send, over any connections.
 * SPDX-License-Identifier: BSD-2-Clause
 * Input: the stream; each byte 0xc0 that begins 188 of them stands for a new connection. What comes
 * out is packets on our own pids alone, their counters without a gap. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/hls/splice.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz {
	struct splice splice;
	struct ts ts;
	int counters[0x2000]; /* of the last packet, plus 1 */
};

static void on_out(void *ctx, const uint8_t packet[TS_PACKET], bool entry)
{
	struct fuzz *f = ctx;
	int pid = (packet[1] & 0x1f) << 8 | packet[2], counter = packet[3] & 15;

	(void)entry;
	if (packet[0] != 0x47 || (pid != 0 && pid != SPLICE_PMT_PID && pid != SPLICE_VIDEO_PID &&
					 pid != SPLICE_AUDIO_PID))
		abort();
	if (f->counters[pid] && counter != f->counters[pid] % 16)
		abort();
	f->counters[pid] = counter + 1;
}

static void on_in(void *ctx, const struct ts_packet *p)
{
	struct fuzz *f = ctx;

	splice_packet(&f->splice, &f->ts.program, p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz *f = calloc(1, sizeof(*f));

	if (!f || !splice_init(&f->splice, "eng", on_out, f)) {
		free(f);
		return 0;
	}
	ts_init(&f->ts);
	for (size_t at = 0; at < size; at += TS_PACKET) {
		f->splice.now_ms += 40;
		if (data[at] == 0xc0) {
			ts_resync(&f->ts);
			splice_join(&f->splice);
		}
		ts_feed(&f->ts, data + at, size - at < TS_PACKET ? size - at : TS_PACKET, on_in, f);
	}
	splice_tables(&f->splice, on_out, f);
	splice_release(&f->splice);
	free(f);
	return 0;
}
