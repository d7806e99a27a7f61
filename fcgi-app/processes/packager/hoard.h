/* fcgi-app/processes/packager/hoard.h - the blocks of a film that its feeder has at hand.
 * SPDX-License-Identifier: BSD-2-Clause
 * Those read last are in memory. Those that the index was made from, or the first part of a film
 * whose index is known, hold the container's tables: the moov of an MP4, the idx1 of an AVI. Every
 * job that opens the film reads them again, so they are kept in a file for the feeders that come
 * after this one: then a part costs the source that part's own bytes. */
#ifndef SLUICE_PROCESSES_PACKAGER_HOARD_H
#define SLUICE_PROCESSES_PACKAGER_HOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/io/feed.h"

struct board;
struct conf;

enum {
	HOARD_BLOCK_BYTES = FEED_MAX_BYTES,
	HOARD_BLOCKS = 96, /* in memory: 24 MiB */
	HOARD_KEPT = 64,   /* in the file: 16 MiB. Tables that are longer are not kept */
	HOARD_VALIDATOR_BYTES = 200,
	HOARD_KEPT_S = 86400 /* the file goes when nobody has asked for the film so long */
};

struct hoard_block {
	int64_t n;  /* bytes [n * HOARD_BLOCK_BYTES ..) of the film; -1: free */
	size_t len; /* bytes that it holds */
	char *bytes;
	uint64_t used;
};

/* What the file says of itself, before its blocks. */
struct hoard_file {
	uint32_t version, count;
	int64_t size; /* of the film */
	char validator[HOARD_VALIDATOR_BYTES];
	struct {
		int64_t n;
		uint64_t len, sum;
	} list[HOARD_KEPT]; /* in the order in which they stand there, each on HOARD_BLOCK_BYTES
			       bytes */
};

struct hoard {
	struct hoard_block list[HOARD_BLOCKS];
	uint64_t turn;
	int64_t noted[HOARD_KEPT];
	size_t noted_count;
	bool noted_too_many;
	int fd; /* of the file; -1: none */
	struct hoard_file file;
};

void hoard_init(struct hoard *h);
void hoard_release(struct hoard *h);

/* The block in memory; NULL: it is not there. */
struct hoard_block *hoard_find(struct hoard *h, int64_t n);

/* A place for block n: free, or that which was not used for longest. NULL: there is no memory. */
struct hoard_block *hoard_new(struct hoard *h, int64_t n);

void hoard_use(struct hoard *h, struct hoard_block *block);

/* The container's tables are in block n, or may be. */
void hoard_note(struct hoard *h, int64_t n);

/* The film whose blocks they are, as it is now. All is borrowed. */
struct hoard_film {
	const struct conf *conf;
	const char *id, *validator;
	int64_t size; /* bytes */
};

/* Writes those blocks to the film's file. Where there is no room for it they will be fetched
 * again. */
void hoard_keep(struct hoard *h, const struct hoard_film *film, struct board *board);

/* Opens the film's file, if it is of the film as it is now. */
void hoard_open(struct hoard *h, const struct hoard_film *film);

/* Block n out of the file, into memory; NULL: it is not there whole. */
struct hoard_block *hoard_recall(struct hoard *h, int64_t n);

/* Whether there is a file of the film, as far as that can be told without looking into it. */
bool hoard_is_kept(const struct conf *conf, const char *id);

/* Removes the files of films that nobody has asked for lately. */
void hoard_sweep(const struct conf *conf);

#endif
