/* fcgi-app/processes/packager/askers.c - who waits for the packager: a connection and a wish each.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/packager/askers.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fcgi-app/processes/packager/parts.h"
#include "lib/io/file.h"
#include "lib/io/pass.h"
#include "lib/io/sock.h"

void askers_init(struct askers *a)
{
	for (size_t i = 0; i < ASKERS_MAX; i++)
		a->list[i] = (struct asker){.fd = -1};
}

struct asker *askers_accept(struct askers *a, int listen_fd, bool *rest)
{
	for (size_t i = 0; i < ASKERS_MAX; i++) {
		if (a->list[i].fd >= 0)
			continue;
		a->list[i].fd = sock_accept(listen_fd, rest);
		return a->list[i].fd >= 0 ? &a->list[i] : NULL;
	}
	*rest = true;
	return NULL;
}

size_t askers_watch(struct askers *a, struct pollfd *wake, struct asker **who)
{
	size_t count = 0;

	for (size_t i = 0; i < ASKERS_MAX; i++) {
		if (a->list[i].fd < 0)
			continue;
		who[count] = &a->list[i];
		wake[count++] = (struct pollfd){a->list[i].fd, POLLIN | POLLRDHUP, 0};
	}
	return count;
}

void asker_forget(struct asker *asker)
{
	close(asker->fd);
	*asker = (struct asker){.fd = -1};
}

void asker_answer(struct asker *asker, const struct fail *why, bool changed, int output)
{
	struct package_answer a = {.version = PACKAGE_VERSION, .changed = changed};

	if (why) {
		a.kind = (uint32_t)why->kind;
		file_path(a.text, sizeof(a.text), "%.*s", (int)sizeof(a.text) - 1, why->text);
	}
	pass_send(asker->fd, &a, sizeof(a), &output, output >= 0);
	asker_forget(asker);
}

static bool is_ours(const struct package_request *rq)
{
	return rq->version == PACKAGE_VERSION && rq->part < PACKAGE_PARTS &&
	       memchr(rq->id, '\0', sizeof(rq->id)) && memchr(rq->ver, '\0', sizeof(rq->ver)) &&
	       memchr(rq->rendition, '\0', sizeof(rq->rendition)) &&
	       memchr(rq->suffix, '\0', sizeof(rq->suffix));
}

enum asker_says asker_read(struct asker *asker)
{
	char *to = (char *)&asker->rq;
	ssize_t n;

	if (asker->part)
		return ASKER_GONE; /* it has nothing more to say */
	n = recv(asker->fd, to + asker->got, sizeof(asker->rq) - asker->got, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return ASKER_NOTHING;
	if (n <= 0)
		return ASKER_GONE;
	asker->got += (size_t)n;
	if (asker->got < sizeof(asker->rq))
		return ASKER_NOTHING;
	return is_ours(&asker->rq) ? ASKER_WISH : ASKER_GONE;
}

/* Whether it asks for a picture to be played now. */
static bool is_picture(const struct package_request *rq)
{
	return part_is_heavy(rq) && part_priority(rq) == 0;
}

/* Whether this one, of the same viewer, waits for a picture of the same film, but elsewhere in
 * it. */
static bool is_elsewhere(const struct asker *asker, const struct package_request *rq)
{
	const struct package_request *old = &asker->rq;

	return asker->fd >= 0 && asker->part && old->viewer == rq->viewer &&
	       strcmp(old->id, rq->id) == 0 && is_picture(old) && is_picture(rq) &&
	       (old->n + ASKERS_NEAR < rq->n || rq->n + ASKERS_NEAR < old->n);
}

uint64_t askers_oldest_place(const struct askers *a, const struct package_request *rq)
{
	uint64_t places[ASKERS_PLACES_MAX], oldest;
	size_t count = 0;

	for (size_t i = 0; rq->viewer && i < ASKERS_MAX && count < ASKERS_PLACES_MAX; i++) {
		bool known = !is_elsewhere(&a->list[i], rq);

		for (size_t k = 0; k < count; k++)
			known = known || places[k] == a->list[i].part;
		if (!known)
			places[count++] = a->list[i].part;
	}
	if (count < ASKERS_PLACES_MAX)
		return 0;
	oldest = places[0];
	for (size_t k = 1; k < count; k++)
		oldest = places[k] < oldest ? places[k] : oldest;
	return oldest;
}

/* All who wait there for the viewer are told that they have gone on. */
static void drop_place(struct askers *a, struct part *part, const struct package_request *rq)
{
	struct fail why;

	fail_set(&why, FAIL_BUSY, "Other parts of the film were asked for since");
	for (size_t i = 0; i < ASKERS_MAX; i++) {
		struct asker *asker = &a->list[i];

		if (asker->part != part->id || !is_elsewhere(asker, rq))
			continue;
		part->waiters--;
		part->passed -= asker->passed;
		asker_answer(asker, &why, false, -1);
	}
}

struct part *askers_pass_by(struct askers *a, struct parts *p, const struct package_request *rq)
{
	struct part *part;

	for (size_t i = 0; rq->viewer && i < ASKERS_MAX; i++) {
		struct asker *asker = &a->list[i];

		if (asker->passed || !is_elsewhere(asker, rq))
			continue;
		part = parts_find(p, asker->part);
		asker->passed = part != NULL;
		if (part)
			part->passed++;
	}
	part = parts_find(p, askers_oldest_place(a, rq));
	if (part)
		drop_place(a, part, rq);
	return part && part->waiters == 0 ? part : NULL;
}
