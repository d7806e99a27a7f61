/* lib/io/sandbox.h - system calls that a child working on untrusted bytes does not get.  seccomp(2)
 * SPDX-License-Identifier: BSD-2-Clause
 * Refused with EPERM: sockets of any kind, io_uring, new processes (threads are fine), signals to
 * others, looking into other processes, mounts and namespaces, kernel modules, BPF, keys. It is
 * kept across exec and cannot be undone. */
#ifndef SLUICE_IO_SANDBOX_H
#define SLUICE_IO_SANDBOX_H

#include <stdbool.h>

/* True on the machines whose system calls it knows, and never in a sanitizer build. */
bool sandbox_works(void);

/* Puts this process in; a success without effect where sandbox_works() is false. False with errno
 * set when the kernel refuses. */
bool sandbox_enter(void);

/* The other way round, for a child that has all it needs: what it may call is named, and all else
 * gives EPERM, opening files and executing included. Reading and writing descriptors, memory,
 * threads and time remain. As sandbox_enter() otherwise. */
bool sandbox_enter_bare(void);

#endif
