/* lib/io/media_job.h - what the packager asks of sluice-media, and what it is told.
 * SPDX-License-Identifier: BSD-2-Clause
 * One message each over a SOCK_SEQPACKET pair, whose other end sluice-media finds as descriptor
 * MEDIA_SOCKET. Both are of one build: the version only tells a mistake of installing. A job brings
 * its descriptors along (lib/io/pass.h), in the order of enum media_fd. */
#ifndef SLUICE_IO_MEDIA_JOB_H
#define SLUICE_IO_MEDIA_JOB_H

#include <stdint.h>

enum { MEDIA_VERSION = 1, MEDIA_SOCKET = 3, MEDIA_RENDITION_BYTES = 16, MEDIA_TEXT_BYTES = 200 };

enum media_kind {
	MEDIA_CANCEL,  /* the job of that id is not wanted any more; no descriptors, no answer */
	MEDIA_INDEX,   /* the output is the record (lib/hls/record.h) */
	MEDIA_INIT,    /* of the rendition */
	MEDIA_SEGMENT, /* number n of the rendition */
	MEDIA_ART,     /* the source is a picture; it is made to fit into n by n */
	MEDIA_MUSIC    /* the sound of the source as a file of `suffix` ("mp3") of n kb/s */
};

enum media_fd {
	MEDIA_SOURCE, /* a regular file; or a feeder's socket (lib/io/feed.h) where `fed` says so */
	MEDIA_OUTPUT, /* an empty file, to be written from its start */
	MEDIA_RECORD, /* the index record; not for MEDIA_INDEX */
	MEDIA_FDS
};

struct media_job {
	uint32_t version, kind;
	uint64_t id;			     /* ours, given back in the answer */
	uint64_t source_bytes, source_stamp; /* the record's validator */
	uint32_t fed;
	uint32_t n;
	uint32_t urgent;  /* somebody waits for it */
	uint32_t threads; /* of decoder and encoder */
	int32_t nice;
	char rendition[MEDIA_RENDITION_BYTES]; /* "720p", "a0"; a name of ours with a NUL */
	char suffix[8];			       /* "m4s", "ts", "vtt", "mp4", "jpg" */
	int64_t as_bytes, cpu_s, fsize_bytes;  /* limits of the child */
	int64_t wall_ms;		       /* after which it is killed */
};

enum media_outcome {
	MEDIA_DONE,
	MEDIA_FAILED, /* `kind` and `text` say why; the same again would fail again */
	MEDIA_DIED    /* it crashed, was killed, or took too long: `text` says which */
};

struct media_answer {
	uint32_t version, outcome;
	uint64_t id;
	uint32_t kind; /* enum fail_kind */
	char text[MEDIA_TEXT_BYTES];
};

#endif
