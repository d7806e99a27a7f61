/* lib/hls/splice.h - one clean stream out of whatever a source sends, connection after connection.
 * SPDX-License-Identifier: BSD-2-Clause
 * Whoever reads the output sees one programme with at most one picture and one sound on pids that
 * never change, whole PES packets, counters without a gap, tables that say the truth, and one
 * timeline: a unit that came before (gateways send their last seconds again at each connection) is
 * left out, and where the source's clock jumps the times go on as if it had not.
 *
 * What is left to the reader are holes of up to SPLICE_HOLE, where the source sent nothing, and
 * changes of `shape`: what comes after one makes no sense to a decoder set up before it. */
#ifndef SLUICE_HLS_SPLICE_H
#define SLUICE_HLS_SPLICE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/hls/es.h"
#include "lib/hls/pes.h"
#include "lib/hls/psi.h"
#include "lib/hls/ts.h"

enum {
	SPLICE_PMT_PID = 0x1000,
	SPLICE_VIDEO_PID = 0x100,
	SPLICE_AUDIO_PID = 0x101,
	SPLICE_TABLES = PSI_TABLES /* packets of them */
};

enum { SPLICE_VIDEO, SPLICE_AUDIO, SPLICE_KINDS };

struct splice_shape {
	bool known;
	enum ts_codec video, audio;  /* TS_OTHER: there is none */
	uint8_t types[SPLICE_KINDS]; /* stream_type of the source, for codecs without a name */
	struct es_picture picture;
};

bool splice_shape_same(const struct splice_shape *a, const struct splice_shape *b);

/* One of the two streams; times in 1/90000 s. */
struct splice_stream {
	int pid; /* in the source; -1: the programme has none */
	uint8_t type, counter;
	enum ts_codec codec;
	struct pes unit;
	bool begun, joining;	/* something was given out; since the connection nothing was */
	bool anew;		/* its clock begins anew with the next unit */
	bool waits;		/* for a unit that a decoder can begin with */
	bool ready, absent;	/* it is known what it is; it is named and does not come */
	unsigned era, doubts;	/* of its offset; units in a row that look like another codec */
	int64_t offset;		/* what is added to the source's times */
	int64_t src, out, step; /* of the last unit given out: 33 bits; without end; before it */
	int64_t seen;		/* of the last unit: 33 bits */
	int64_t run, other_run; /* time that went by; and in the other one when this last had one */
	int64_t jump_run;	/* when its clock jumped */
	int64_t waited;
};

struct splice {
	struct splice_stream streams[SPLICE_KINDS];
	struct splice_shape shape;
	bool used;	       /* a table was read */
	unsigned era, version; /* version_number of the PMT */
	uint8_t table_counters[SPLICE_TABLES];
	struct es_picture picture;
	int64_t now_ms, joined_ms; /* monotonic; the caller sets now_ms before it gives packets */
	int64_t tables_at;
	int64_t units, left_out, jumps; /* ever */
	char languages[64];		/* wanted for the sound, the best first: "eng deu" */
	pes_packet_fn *each;
	void *ctx;
};

/* `each` gets every packet of the output, with whether a decoder can begin there. False without
 * memory. `languages` (ISO 639 codes, by blanks) is cut at 63 bytes; NULL: the first sound. */
bool splice_init(struct splice *s, const char *languages, pes_packet_fn *each, void *ctx);
void splice_release(struct splice *s); /* accepts a zeroed one */

/* The source's next packets come from a new connection. */
void splice_join(struct splice *s);

/* The source's packets so far were a file, and the next ones are of another: counters may begin
 * anew. `anew`: the clock does too, wherever it stands, and nothing goes on. */
void splice_seam(struct splice *s, bool anew);

/* There is a new reader: it gets a timeline of its own, beginning where a decoder can. */
void splice_restart(struct splice *s);

/* Takes a packet of `program`. Shape changes before the packets that have it are given out. */
void splice_packet(struct splice *s, const struct ts_program *program, const struct ts_packet *p);

/* How much the reader has been given, microseconds since its beginning. */
int64_t splice_given_us(const struct splice *s);

/* The tables as they stand now, for a reader that begins. */
void splice_tables(const struct splice *s, pes_packet_fn *each, void *ctx);

#endif
