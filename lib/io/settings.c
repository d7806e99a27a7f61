/* lib/io/settings.c - the table of all settings.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/settings.h"

#include "lib/io/conf.h"

#define AT(member) offsetof(struct conf, member)
#define GB ((int64_t)1 << 30)

const struct setting settings[] = {
	{"state_dir", SETTING_PATH, AT(state_dir), LOCALSTATEDIR "/lib/sluice", 0, 0, NULL,
		"Where everything is kept: published files (www), live television, the catalogue."},
	{"run_dir", SETTING_PATH, AT(run_dir), RUNSTATEDIR "/sluice", 0, 0, NULL,
		"Sockets, locks and the pid file. At most 80 bytes, because sockets have short "
		"names."},
	{"live_dir", SETTING_PATH, AT(live_dir), "", 0, 0, NULL,
		"Segments of live television; a tmpfs saves the disk. Empty: live, below "
		"state_dir."},
	{"web_dir", SETTING_PATH, AT(web_dir), PKGDATADIR "/web", 0, 0, NULL,
		"The player's pages and parts, as installed."},
	{"slate_dir", SETTING_PATH, AT(slate_dir), PKGDATADIR "/slates", 0, 0, NULL,
		"What a channel shows that has nothing else to show, as installed or made by "
		"`sluice slates`. Empty: nothing."},
	{"user", SETTING_TEXT, AT(user), "", 0, 0, NULL,
		"Whom to become when started as root. A reload reads the file as this user. Empty: "
		"stay."},
	{"group", SETTING_TEXT, AT(group), "", 0, 0, NULL,
		"The group of the sockets, which the front server must be in. Empty: the user's "
		"own."},
	{"log_file", SETTING_PATH, AT(log_file), "", 0, 0, NULL,
		"Where log lines go. Empty: standard error."},
	{"log_level", SETTING_WORD, AT(log_level), "info", 0, 0, "error warn info debug",
		"What is worth a line."},
	{"api_processes", SETTING_NUMBER, AT(api_processes), "2", 1, 64, NULL,
		"Worker processes for short requests."},
	{"api_threads", SETTING_NUMBER, AT(api_threads), "8", 2, 256, NULL,
		"Requests that each of them answers at once; half of them may wait."},
	{"relay_processes", SETTING_NUMBER, AT(relay_processes), "2", 1, 64, NULL,
		"Worker processes for long bodies."},
	{"relay_threads", SETTING_NUMBER, AT(relay_threads), "64", 2, 1024, NULL,
		"Long bodies that each of them sends at once."},
	{"stream_max", SETTING_NUMBER, AT(stream_max), "1000", 1, 20000, NULL,
		"Streams that lie elsewhere and are not whole here, which each of the relay "
		"processes sends at once, each to a reader that may be slow; further ones "
		"take a thread of the pool."},
	{"live_max", SETTING_NUMBER, AT(live_max), "auto", 1, 400, "auto",
		"Channels that are encoded at once on this host; auto: as many as its processors "
		"can, as measured. Further ones wait for room, and say so."},
	{"import_every", SETTING_TIME, AT(import_every_s), "6h", 60, 2592000, NULL,
		"How old a source's list of channels may grow before it is read again."},
	{"ladder", SETTING_TEXT, AT(ladder), "720p 480p 360p 240p audio", 0, 0, NULL,
		"What a channel is encoded to, of 1080p 720p 480p 360p 240p and audio alone."},
	{"audio_language", SETTING_TEXT, AT(audio_language), "", 0, 0, NULL,
		"Which sound is taken of several, such as \"eng deu\": the first that there is. "
		"Empty: the source's first."},
	{"default_quality", SETTING_CHOICE, AT(default_quality), "720p", 0, 0,
		"144p 240p 360p 480p 720p 1080p source",
		"What stands first in a master and is the page's first choice."},
	{"default_audio_quality", SETTING_CHOICE, AT(default_audio_quality), "high", 0, 0,
		"low medium high",
		"What is given of a source of sound to who does not say: at most 64 kb/s, 128 "
		"kb/s, "
		"or the best."},
	{"max_quality", SETTING_CHOICE, AT(max_quality), "1080p", 0, 0,
		"144p 240p 360p 480p 720p 1080p source", "Rungs above it are left out."},
	{"live_idle", SETTING_TIME, AT(live_idle_s), "30s", 5, 86400, NULL,
		"A channel that nobody has asked for so long stops."},
	{"direct_max", SETTING_NUMBER, AT(direct_max), "200", 1, 10000, NULL,
		"How many viewers of channels' own streams (/api/live/{id}/direct) this host "
		"serves at once."},
	{"live_token_ttl", SETTING_TIME, AT(live_token_ttl_s), "300s", 5, 86400, NULL,
		"How long a gateway's redirect is kept, unless it says itself that it ends "
		"sooner."},
	{"encoder_threads", SETTING_NUMBER, AT(encoder_threads), "4", 1, 64, NULL,
		"Threads of one encoder."},
	{"ffmpeg", SETTING_TEXT, AT(ffmpeg), "ffmpeg", 0, 0, NULL,
		"The ffmpeg program, by name or path."},
	{"film_ladder", SETTING_TEXT, AT(film_ladder), "1080p 720p 480p 360p 240p", 0, 0, NULL,
		"What films can be encoded to, beside what they are; only what somebody plays is."},
	{"watch_dirs", SETTING_NUMBER, AT(watch_dirs), "50000", 0, 10000000, NULL,
		"How many directories below one of films are watched for what changes there, as "
		"far "
		"as the kernel allows; what is beyond is looked through every five minutes. 0: "
		"none, for file systems that tell nothing."},
	{"direct_play", SETTING_CHOICE, AT(direct_play), "auto", 0, 0, "auto redirect proxy",
		"A film at a gateway that the viewer's player can play as it is: auto and redirect "
		"send the viewer to the gateway's edge, where its address holds no credentials and "
		"suits the page; proxy sends its bytes through here, which an account with few "
		"connections is better off with."},
	{"film_jobs", SETTING_NUMBER, AT(film_jobs), "auto", 1, 64, "auto",
		"Parts of films that are encoded at once on this host; auto: one for each "
		"processor. Parts that are only copied do not count."},
	{"look_ahead", SETTING_NUMBER, AT(look_ahead), "2", 0, 16, NULL,
		"How many parts are encoded ahead of the one that is asked for."},
	{"segment_ttl", SETTING_TIME, AT(segment_ttl_s), "30d", 60, 315360000, NULL,
		"How long a part of a film is kept, as far as bytes_quota and free_floor allow."},
	{"media_program", SETTING_TEXT, AT(media_program), PKGLIBEXECDIR "/sluice-media", 0, 0,
		NULL, "The program that reads and encodes films, as installed."},
	{"url_ttl", SETTING_TIME, AT(url_ttl_s), "4h", 10, 604800, NULL,
		"How long a resolved address is kept, unless it says itself that it ends sooner."},
	{"art_ttl", SETTING_TIME, AT(art_ttl_s), "24h", 60, 604800, NULL,
		"How old a logo, poster or thumbnail may be before it is fetched again."},
	{"prefetch_bytes", SETTING_BYTES, AT(prefetch_bytes), "2M", 65536, GB, NULL,
		"How much of a stream is fetched ahead when somebody asks for that (/prefetch)."},
	{"prefetch_ttl", SETTING_TIME, AT(prefetch_ttl_s), "30min", 60, 604800, NULL,
		"How long that is kept though nobody plays it."},
	{"resolvers", SETTING_NUMBER, AT(resolvers), "4", 1, 32, NULL,
		"How many programs of sources of type command run at once on this host."},
	{"resolve_timeout", SETTING_TIME, AT(resolve_timeout_s), "30s", 1, 600, NULL,
		"How long one of them may take."},
	{"resolve_memory", SETTING_BYTES, AT(resolve_memory), "1G", 16 << 20, 64 * GB, NULL,
		"How much memory each of their processes may write to."},
	{"resolve_fragments", SETTING_NUMBER, AT(resolve_fragments), "4", 1, 64, NULL,
		"{fragments} in their words: how many pieces they fetch at once."},
	{"resolve_chunk", SETTING_BYTES, AT(resolve_chunk), "10M", 65536, GB, NULL,
		"{chunk} in their words: how many bytes they ask for at once."},
	{"resolve_retries", SETTING_NUMBER, AT(resolve_retries), "3", 0, 100, NULL,
		"{retries} in their words: how often they try again."},
	{"stream_dir", SETTING_PATH, AT(stream_dir), "", 0, 0, NULL,
		"Where the bytes of streams are kept that were fetched from a source. Empty: "
		"bytes, "
		"below run_dir, which is memory on most systems. A directory on a disk keeps them "
		"through a restart, and makes room for films."},
	{"stream_quota", SETTING_BYTES, AT(stream_quota), "100M", 1 << 20, 1024 * 1024 * GB, NULL,
		"What they may take; those used longest ago go first. One larger than a quarter of "
		"it "
		"is passed on and not kept."},
	{"bytes_quota", SETTING_BYTES, AT(bytes_quota), "10G", 1 << 20, 1024 * 1024 * GB, NULL,
		"What published files may take; the oldest go first, but for what viewers ask for "
		"most (where access_log is set)."},
	{"free_floor", SETTING_BYTES, AT(free_floor), "512M", 0, 1024 * GB, NULL,
		"What must stay free on the disk; below it nothing is kept but what is watched "
		"live."},
	{"memcached_servers", SETTING_TEXT, AT(memcached_servers), "127.0.0.1:11211", 0, 0, NULL,
		"host:port or /path.sock, by blanks; every host must write the same. Empty: none."},
	{"memcached_prefix", SETTING_TEXT, AT(memcached_prefix), "sluice:", 0, 0, NULL,
		"What our keys begin with."},
	{"memcached_user", SETTING_TEXT, AT(memcached_user), "", 0, 0, NULL,
		"For a memcached that asks for it (SASL)."},
	{"memcached_password", SETTING_SECRET, AT(memcached_password), "", 0, 0, NULL,
		"Goes with memcached_user."},
	{"access_log", SETTING_PATH, AT(access_log), "", 0, 0, NULL,
		"The front server's access log, as the shipped configurations write it, from which "
		"hits and bytes are counted. Empty: they are not."},
	{"bandwidth_budget", SETTING_BYTES, AT(bandwidth_budget), "500G", 0, 1024 * 1024 * GB, NULL,
		"What may be sent to viewers in a month, for /api/stats/bandwidth; nothing is "
		"refused "
		"beyond it."},
	{"bandwidth_free", SETTING_BYTES, AT(bandwidth_free), "100G", 0, 1024 * 1024 * GB, NULL,
		"What of it costs nothing."},
	{"bandwidth_alert", SETTING_NUMBER, AT(bandwidth_alert), "80", 1, 100, NULL,
		"The part of the budget, in percent, from which on it is said that it will not "
		"last."},
	{"cost_per_gb", SETTING_FACTOR, AT(cost_per_gb), "0.1", 0, 1000000, NULL,
		"What each further gigabyte costs, in whatever currency."},
	{"trusted_proxies", SETTING_TEXT, AT(trusted_proxies), "", 0, 0, NULL,
		"Proxies in front of the front server, as ADDRESS or ADDRESS/BITS, by blanks: who "
		"asks is what they say. Nobody else is believed."},
	{"proxy_field", SETTING_WORD, AT(proxy_field), "x-forwarded-for", 0, 0,
		"x-forwarded-for forwarded",
		"The header in which they say it. The other one is anybody's, and not read."},
	{"rate_video_info", SETTING_NUMBER, AT(rate_video_info), "10", 1, 1000000, "none",
		"How often a client may ask for /api/video-info in a minute, on all hosts "
		"together. "
		"A client is an IPv4 address or 64 bits of an IPv6 address; memcached counts, and "
		"without it all may."},
	{"rate_download", SETTING_NUMBER, AT(rate_download), "3", 1, 1000000, "none",
		"The same for new downloads."},
	{"rate_refresh", SETTING_NUMBER, AT(rate_refresh), "30", 1, 1000000, "none",
		"The same for new tokens of channels (/api/live/{id}/refresh)."},
	{"rate_resolve", SETTING_NUMBER, AT(rate_resolve), "60", 1, 1000000, "none",
		"The same for streams, prefetches and pictures of which nobody knows yet where "
		"they are, so that a program has to be run. Who is on this host is not counted."},
	{"rate_api", SETTING_NUMBER, AT(rate_api), "6000", 1, 1000000, "none",
		"The same for all other addresses that are no media, pages among them; counted in "
		"steps, so a few more may pass. Who is on this host is not counted."},
	{"rate_factor", SETTING_FACTOR, AT(rate_factor), "1", 1, 1000000, NULL,
		"Multiplies all of these limits: 0.5 halves them."},
	{"access", SETTING_WORD, AT(access), "open", 0, 0, "open password",
		"Whether the front server asks for a name and a password."},
	{"htpasswd", SETTING_PATH, AT(htpasswd), SYSCONFDIR "/sluice/htpasswd", 0, 0, NULL,
		"The file of users that the front server reads and `sluice user` writes."},
	{"admin_token", SETTING_SECRET, AT(admin_token), "", 0, 0, NULL,
		"Asked for by admin requests. Empty: they are answered on loopback only."},
	{"public_url", SETTING_TEXT, AT(public_url), "", 0, 0, NULL,
		"How this host is reached, such as https://tv.example.org, without a slash at the "
		"end. "
		"Empty: answers hold paths."},
	{"cors_origin", SETTING_TEXT, AT(cors_origin), "*", 0, 0, NULL,
		"Which pages may use our answers (Access-Control-Allow-Origin). Empty: ours "
		"alone."},
	{"host_name", SETTING_TEXT, AT(host_name), "", 0, 0, NULL,
		"Names this host among others. Empty: what the system calls itself."},
	{"site_name", SETTING_TEXT, AT(site_name), "Sluice", 0, 0, NULL, "The name on the pages."},
	{"site_logo", SETTING_TEXT, AT(site_logo), "", 0, 0, NULL,
		"A picture for the pages: an address or a path."},
	{"site_colour", SETTING_TEXT, AT(site_colour), "#2f7de1", 0, 0, NULL,
		"The colour of the pages, as #rrggbb."},
};
const size_t setting_count = sizeof(settings) / sizeof(settings[0]);
