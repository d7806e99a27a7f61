/* lib/svc/publish_inside.h - what the files of publishing share.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_SVC_PUBLISH_INSIDE_H
#define SLUICE_SVC_PUBLISH_INSIDE_H

#include <stdatomic.h>

#include "lib/svc/publish.h"

struct publisher {
	const struct conf *conf;
	struct board *board;
	int root[PUBLISH_STORES];
	int lives, made; /* state_dir/lives and /made */
	bool has_proc;	 /* a file can be linked by its descriptor */
	atomic_uint n;	 /* temporaries made */
};

#endif
