/* lib/svc/claim.c - which of several hosts makes a file, where they publish into one store.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/claim.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/num.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/io/mc.h"
#include "lib/io/sign.h"

enum { KEY_BYTES = 400, ID_DIGITS = CLAIM_STORE_BYTES - 1, TRIES = 2 };

static const char family[] = "lease", id_file[] = ".store";

static bool read_store(int root, char to[CLAIM_STORE_BYTES])
{
	int fd = openat(root, id_file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, to, ID_DIGITS);

	if (fd >= 0)
		close(fd);
	to[n == ID_DIGITS ? ID_DIGITS : 0] = '\0';
	return n == ID_DIGITS && strspn(to, "0123456789abcdef") == ID_DIGITS;
}

/* Written whole aside, then linked: whoever comes second reads the first one's. */
static void name_store(int root)
{
	unsigned char bytes[ID_DIGITS / 2];
	char id[CLAIM_STORE_BYTES], aside[sizeof(id_file) + CLAIM_STORE_BYTES];
	int fd;

	sign_random(bytes, sizeof(bytes));
	num_print_hex(bytes, sizeof(bytes), id);
	file_path(aside, sizeof(aside), "%s-%s", id_file, id);
	fd = openat(root, aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	if (write(fd, id, ID_DIGITS) == ID_DIGITS)
		(void)!linkat(root, aside, root, id_file, 0);
	close(fd);
	unlinkat(root, aside, 0);
}

void claims_open(struct claims *c, const struct conf *conf, struct mc *mc, int root)
{
	struct stat run = {0};

	*c = (struct claims){.mc = mc};
	stat(conf->run_dir, &run);
	file_path(c->owner, sizeof(c->owner), "%s %llx:%llx", conf->host_name,
		(unsigned long long)run.st_dev, (unsigned long long)run.st_ino);
	if (read_store(root, c->store))
		return;
	name_store(root);
	if (!read_store(root, c->store))
		c->store[0] = '\0';
}

/* False where nobody can be asked. */
static bool key_of(const struct claims *c, const char *name, char to[KEY_BYTES])
{
	return *c->store && mc_count(c->mc) > 0 &&
	       file_path(to, KEY_BYTES, "seg:%s:%s", c->store, name);
}

/* Whose it is, and what mc_cas() wants to know. */
static enum mc_result ask(const struct claims *c, const char *key, bool *ours, uint64_t *cas)
{
	enum mc_result result;
	struct buf owner;

	buf_init(&owner, CLAIM_OWNER_BYTES);
	result = mc_get(c->mc, family, key, &owner, cas);
	*ours = result == MC_OK && span_is(buf_span(&owner), c->owner);
	buf_release(&owner);
	return result;
}

bool claim_take(const struct claims *c, const char *name)
{
	char key[KEY_BYTES];
	uint64_t cas;
	bool ours;

	if (!key_of(c, name, key))
		return true;
	for (int i = 0; i < TRIES; i++) {
		if (mc_add(c->mc, family, key, span_of(c->owner), CLAIM_LIFE_S) != MC_MISS)
			return true;
		if (ask(c, key, &ours, &cas) == MC_OK) {
			if (ours)
				mc_cas(c->mc, family, key, span_of(c->owner), CLAIM_LIFE_S, cas);
			return ours;
		}
		/* It has ended between the two, or memcached takes nothing. */
	}
	return true;
}

void claim_renew(const struct claims *c, const char *name)
{
	char key[KEY_BYTES];
	uint64_t cas;
	bool ours;

	if (!key_of(c, name, key))
		return;
	if (ask(c, key, &ours, &cas) == MC_MISS)
		mc_add(c->mc, family, key, span_of(c->owner), CLAIM_LIFE_S);
	else if (ours)
		mc_cas(c->mc, family, key, span_of(c->owner), CLAIM_LIFE_S, cas);
}

void claim_drop(const struct claims *c, const char *name)
{
	char key[KEY_BYTES];
	uint64_t cas;
	bool ours;

	if (key_of(c, name, key) && ask(c, key, &ours, &cas) == MC_OK && ours)
		mc_delete(c->mc, family, key);
}
