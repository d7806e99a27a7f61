/* lib/io/sandbox.c - system calls that a child working on untrusted bytes does not get.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/sandbox.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "config.h"
#include "lib/base/must.h"

#if defined(SANITIZED)
#define ARCH 0
#elif defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#define ARCH 0
#endif

bool sandbox_works(void)
{
	return ARCH != 0;
}

#if ARCH == 0

bool sandbox_enter(void)
{
	return true;
}

#else

enum { X32_BIT = 0x40000000 };

static const uint32_t refused[] = {
	/* the network, and io_uring, which can do all of it unseen */
	SYS_socket,
	SYS_socketpair,
	SYS_connect,
	SYS_bind,
	SYS_listen,
	SYS_accept,
	SYS_accept4,
	SYS_io_uring_setup,
	SYS_io_uring_enter,
	SYS_io_uring_register,
	/* other processes */
	SYS_ptrace,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_kcmp,
	SYS_pidfd_open,
	SYS_pidfd_getfd,
	SYS_pidfd_send_signal,
	SYS_kill,
	SYS_tkill,
	SYS_rt_sigqueueinfo,
	SYS_rt_tgsigqueueinfo,
	SYS_setsid,
	SYS_setpgid,
#ifdef SYS_fork
	SYS_fork,
	SYS_vfork,
#endif
	/* the file system's shape */
	SYS_mount,
	SYS_umount2,
	SYS_pivot_root,
	SYS_chroot,
	SYS_open_tree,
	SYS_move_mount,
	SYS_fsopen,
	SYS_fsconfig,
	SYS_fsmount,
	SYS_fspick,
	SYS_unshare,
	SYS_setns,
	SYS_open_by_handle_at,
	SYS_name_to_handle_at,
	SYS_quotactl,
	SYS_swapon,
	SYS_swapoff,
	/* the kernel */
	SYS_bpf,
	SYS_perf_event_open,
	SYS_userfaultfd,
	SYS_init_module,
	SYS_finit_module,
	SYS_delete_module,
	SYS_kexec_load,
	SYS_reboot,
	SYS_acct,
	SYS_keyctl,
	SYS_add_key,
	SYS_request_key,
	SYS_personality,
	SYS_settimeofday,
	SYS_clock_settime,
};

struct program {
	struct sock_filter code[2 * sizeof(refused) / sizeof(refused[0]) + 32];
	unsigned short len;
};

static void put(struct program *p, struct sock_filter instruction)
{
	must(p->len < sizeof(p->code) / sizeof(p->code[0]));
	p->code[p->len++] = instruction;
}

static void load(struct program *p, size_t offset)
{
	put(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void answer(struct program *p, uint32_t action)
{
	put(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

/* The next `skip` instructions run only when the loaded word is `value`. */
static void when(struct program *p, uint32_t value, unsigned char skip)
{
	put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip));
}

/* `args` are little-endian on both machines: the low word comes first. */
static void put_rules(struct program *p)
{
	const uint32_t deny = SECCOMP_RET_ERRNO | EPERM, allow = SECCOMP_RET_ALLOW;
	const size_t first = offsetof(struct seccomp_data, args[0]);

	load(p, offsetof(struct seccomp_data, arch));
	put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0));
	answer(p, SECCOMP_RET_KILL_PROCESS);
	load(p, offsetof(struct seccomp_data, nr));
	put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1));
	answer(p, deny);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		when(p, refused[i], 1);
		answer(p, deny);
	}
	/* Its flags lie in memory, out of reach; the C library falls back to clone. */
	when(p, SYS_clone3, 1);
	answer(p, SECCOMP_RET_ERRNO | ENOSYS);
	when(p, SYS_clone, 4);
	load(p, first);
	put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0));
	answer(p, deny);
	answer(p, allow);
	when(p, SYS_tgkill, 4);
	load(p, first);
	when(p, (uint32_t)getpid(), 1);
	answer(p, allow);
	answer(p, deny);
	answer(p, allow);
}

bool sandbox_enter(void)
{
	struct program p = {.len = 0};
	struct sock_fprog filter;

	put_rules(&p);
	filter = (struct sock_fprog){p.len, p.code};
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

#endif
