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

bool sandbox_enter_bare(void)
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

/* Nothing here names a file, a process or an address. */
static const uint32_t bare[] = {
	SYS_read,
	SYS_readv,
	SYS_pread64,
	SYS_write,
	SYS_writev,
	SYS_pwrite64,
	SYS_lseek,
	SYS_fstat,
	SYS_close,
#ifdef SYS_poll
	SYS_poll,
#endif
	SYS_ppoll,
	SYS_mmap,
	SYS_munmap,
	SYS_mremap,
	SYS_mprotect,
	SYS_brk,
	SYS_madvise,
	SYS_futex,
	SYS_set_robust_list,
	SYS_rseq,
	SYS_membarrier,
	SYS_sched_getaffinity,
	SYS_sched_yield,
	SYS_getpid,
	SYS_gettid,
	SYS_getrusage,
	SYS_clock_gettime,
	SYS_clock_getres,
	SYS_clock_nanosleep,
	SYS_nanosleep,
	SYS_getrandom,
	SYS_rt_sigaction,
	SYS_rt_sigprocmask,
	SYS_rt_sigreturn,
	SYS_sigaltstack,
	SYS_exit,
	SYS_exit_group,
};

struct program {
	struct sock_filter code[2 * sizeof(refused) / sizeof(refused[0]) + 40];
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

static const uint32_t deny = SECCOMP_RET_ERRNO | EPERM, allow = SECCOMP_RET_ALLOW;

/* Loads the call's number, once it is one of this machine's. */
static void put_number(struct program *p)
{
	load(p, offsetof(struct seccomp_data, arch));
	put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0));
	answer(p, SECCOMP_RET_KILL_PROCESS);
	load(p, offsetof(struct seccomp_data, nr));
	put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1));
	answer(p, deny);
}

static void put_list(struct program *p, const uint32_t *calls, size_t count, uint32_t action)
{
	for (size_t i = 0; i < count; i++) {
		when(p, calls[i], 1);
		answer(p, action);
	}
}

/* New threads, and signals within the process. `args` are little-endian on both machines: the low
 * word comes first. */
static void put_threads(struct program *p)
{
	const size_t first = offsetof(struct seccomp_data, args[0]);

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
}

static bool install(struct program *p)
{
	struct sock_fprog filter = {p->len, p->code};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

bool sandbox_enter(void)
{
	struct program p = {.len = 0};

	put_number(&p);
	put_list(&p, refused, sizeof(refused) / sizeof(refused[0]), deny);
	put_threads(&p);
	answer(&p, allow);
	return install(&p);
}

bool sandbox_enter_bare(void)
{
	struct program p = {.len = 0};

	put_number(&p);
	put_list(&p, bare, sizeof(bare) / sizeof(bare[0]), allow);
	put_threads(&p);
	/* A thread gives itself a name; nothing else is asked of prctl(). */
	when(&p, SYS_prctl, 4);
	load(&p, offsetof(struct seccomp_data, args[0]));
	when(&p, PR_SET_NAME, 1);
	answer(&p, allow);
	answer(&p, deny);
	answer(&p, deny);
	return install(&p);
}

#endif
