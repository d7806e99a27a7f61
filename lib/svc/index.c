/* lib/svc/index.c - the index records of films, kept.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/index.h"

#include <limits.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/io/mc.h"

static const char family[] = "idx";

static bool path_of(const struct conf *conf, const char *id, char to[PATH_MAX])
{
	return file_path(to, PATH_MAX, "%s/idx/%s", conf->state_dir, id);
}

bool index_load(const struct conf *conf, struct mc *mc, const char *id, struct buf *to)
{
	char path[PATH_MAX];

	if (path_of(conf, id, path) && file_read(path, to, NULL) == 0)
		return true;
	buf_clear(to);
	return mc_get(mc, family, id, to, NULL) == MC_OK;
}

void index_save(const struct conf *conf, struct mc *mc, const char *id, struct span record)
{
	char path[PATH_MAX];

	mc_set(mc, family, id, record, INDEX_TTL_S);
	if (!file_path(path, sizeof(path), "%s/idx", conf->state_dir) ||
		file_mkdirs(path, 0750, NULL) < 0 || !path_of(conf, id, path))
		return;
	/* An old one would be believed before memcached is asked. */
	if (file_replace(path, record, 0640, NULL) < 0)
		unlink(path);
	else
		index_confirm(conf, id);
}

void index_drop(const struct conf *conf, struct mc *mc, const char *id)
{
	char path[PATH_MAX];

	mc_delete(mc, family, id);
	if (path_of(conf, id, path))
		unlink(path);
}

void index_confirm(const struct conf *conf, const char *id)
{
	char path[PATH_MAX];

	if (path_of(conf, id, path) && access(path, F_OK) == 0)
		file_touch(path);
}

bool index_is_fresh(const struct conf *conf, const char *id)
{
	char path[PATH_MAX];
	int64_t age_ms;

	if (!path_of(conf, id, path))
		return false;
	age_ms = clock_real_ms() - file_mtime_ms(path);
	return age_ms >= 0 && age_ms < INDEX_LOOK_MS;
}
