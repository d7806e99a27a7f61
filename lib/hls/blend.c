/* lib/hls/blend.c - a picture and a sound that come as two MPEG-TS, made one programme.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/hls/blend.h"

#include <string.h>

static const uint16_t pids[BLEND_KINDS] = {BLEND_VIDEO_PID, BLEND_AUDIO_PID};

struct work {
	struct blend *blend;
	struct ts ts;
	int kind;
	struct buf *out;
	bool found;
};

static void put_packet(void *ctx, const uint8_t packet[TS_PACKET], bool entry)
{
	(void)entry;
	buf_add(ctx, packet, TS_PACKET);
}

static void put_tables(struct blend *b, struct buf *out)
{
	struct psi psi = {.pmt_pid = BLEND_PMT_PID,
		.pcr_pid = BLEND_VIDEO_PID,
		.version = b->version,
		.counters = b->tables};

	for (int i = 0; i < BLEND_KINDS; i++) {
		if (b->streams[i].pid)
			psi.streams[psi.count++] = b->streams[i];
	}
	psi_print(&psi, put_packet, out);
}

/* What is taken; tables are put out before its first packet. */
static void begin(struct work *w, const struct ts_stream *s)
{
	struct psi_stream *to = &w->blend->streams[w->kind];

	if (w->found)
		return;
	w->found = true;
	if (to->pid && (to->codec != s->codec || to->type != s->type))
		w->blend->version++;
	*to = (struct psi_stream){pids[w->kind], s->codec, s->type};
	if (w->kind == BLEND_VIDEO)
		put_tables(w->blend, w->out);
}

static void on_packet(void *ctx, const struct ts_packet *p)
{
	struct work *w = ctx;
	const struct ts_program *program = &w->ts.program;
	const struct ts_stream *s = w->kind == BLEND_VIDEO ? ts_video(program) : ts_audio(program);
	uint8_t packet[TS_PACKET];

	if (!program->known || !s || p->pid != s->pid)
		return;
	begin(w, s);
	memcpy(packet, p->bytes, sizeof(packet));
	packet[1] = (uint8_t)((packet[1] & 0xe0) | pids[w->kind] >> 8);
	packet[2] = (uint8_t)pids[w->kind];
	buf_add(w->out, packet, sizeof(packet));
}

bool blend_add(struct blend *b, int kind, struct span bytes, struct buf *out)
{
	struct work w = {.blend = b, .kind = kind, .out = out};

	ts_init(&w.ts);
	ts_feed(&w.ts, bytes.ptr, bytes.len, on_packet, &w);
	return w.found;
}
