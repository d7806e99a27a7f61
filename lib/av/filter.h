/* lib/av/filter.h - what is done to a decoded picture before it is encoded.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_AV_FILTER_H
#define SLUICE_AV_FILTER_H

#include <libavfilter/avfilter.h>
#include <libavutil/frame.h>

#include "lib/av/picture.h"

struct filter {
	const struct record *record;
	const struct picture_want *want;
	AVFilterGraph *graph;
	AVFilterContext *in, *out;
	int width, height, format; /* of what goes in */
};

/* Whether the frame is like those that the filter was made for. */
bool filter_takes(const struct filter *x, const AVFrame *frame);

/* Makes a filter for frames like this one, in place of what there was. */
int filter_set(struct filter *x, const AVFrame *frame, struct fail *f);

/* Gives it a frame (NULL: the end), whose reference it takes. */
int filter_send(struct filter *x, AVFrame *frame, struct fail *f);

/* The next picture: 1; 0: none yet. Its pts is as of what went in. */
int filter_receive(struct filter *x, AVFrame *frame, struct fail *f);

void filter_release(struct filter *x);

#endif
