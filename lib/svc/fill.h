/* lib/svc/fill.h - what is said between those who want bytes of an object and the filler.
 * SPDX-License-Identifier: BSD-2-Clause
 * The filler (fcgi-app/processes/filler/filler.h) listens at run_dir "/filler.sock", where messages
 * stay apart (SOCK_SEQPACKET). One connection is one reader: it says what it wants, and again as it
 * goes on; it wants nothing any more when it closes. The filler answers once the object is known,
 * and whenever that changes; what is kept it writes where all can read it, what is not it sends
 * here. */
#ifndef SLUICE_SVC_FILL_H
#define SLUICE_SVC_FILL_H

#include <stdint.h>

#include "lib/io/block_map.h"
#include "lib/svc/object.h"

enum { FILL_VERSION = 1, FILL_DATA_MAX = 65536, FILL_AHEAD = 16 /* blocks before a reader */ };

/* The supervisor starts a filler when it is told. */
#define FILL_VERB "fill"
#define FILL_ID "url-all"

struct fill_want {
	uint32_t version;
	uint32_t again;	     /* 1: only first and last have changed */
	int64_t first, last; /* bytes that are wanted next, both inclusive; last -1: to the end */
	struct object_ask ask;
};

enum { FILL_NEWS = 1, FILL_DATA };

struct fill_news {
	uint32_t what;	  /* FILL_NEWS */
	uint32_t kind;	  /* enum fail_kind: FAIL_NONE when `info` says what the object is */
	uint32_t passed;  /* 1: its bytes come as FILL_DATA, from `first` on; else they are in its
			     map */
	uint32_t retry_s; /* of a failure: when it may be otherwise; 0: not known */
	uint32_t joined, unused; /* 1: others had asked for it before */
	struct block_map_info info;
	char text[200]; /* of a failure */
};

struct fill_data_head {
	uint32_t what, unused; /* FILL_DATA */
	int64_t offset;
};

struct fill_data {
	struct fill_data_head head;
	char bytes[FILL_DATA_MAX]; /* as many as the message holds */
};

#endif
