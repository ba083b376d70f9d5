/*
 * A shim around ptrace(2) for User-Mode Linux 6.1, to be preloaded.
 *
 * UML keeps a process's floating point state in a buffer that ends with the last
 * x86 component it knows (PKRU, 2696 octets). Reading the state into it works on
 * every CPU: the host fills the buffer as far as it goes. Writing it back does
 * not: the host takes nothing but a whole state, and where the CPU has more, as
 * with AMX, refuses a short one with EFAULT. UML then dies at its first exec.
 *
 * So a short write becomes: read the whole state of the process, put UML's part
 * over its beginning, declare every component beyond UML's part to be in its
 * initial state (UML has not saved it, so it may be another process's), and
 * write the whole back. Everything else goes straight to libc.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <dlfcn.h>
#include <elf.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/uio.h>

#define XSAVE_LEAF 0x0d       /* CPUID: where each component stands */
#define XSTATE_BV 512         /* offset of the bit map of components in use */
#define LEGACY_COMPONENTS 0x3 /* x87 and SSE stand before the map */
#define FIRST_EXTENDED 2
#define SUPERVISOR 0x1        /* flag of a component that only the kernel sees */
#define COMPONENTS 63

static long (*libc_ptrace)(int, ...);

/* UML's kernel stacks are small and only one of its threads traces. */
static unsigned char whole[1 << 16];

__attribute__((constructor)) static void find_libc(void)
{
	libc_ptrace = (long (*)(int, ...))dlsym(RTLD_NEXT, "ptrace");
}

/* The components that end within the first len octets of a state. */
static uint64_t components_within(size_t len)
{
	uint64_t within = LEGACY_COMPONENTS;
	for (unsigned int i = FIRST_EXTENDED; i < COMPONENTS; i++) {
		unsigned int size, offset, flags, unused;
		__cpuid_count(XSAVE_LEAF, i, size, offset, flags, unused);
		(void)unused;
		if (size != 0 && !(flags & SUPERVISOR) && (size_t)offset + size <= len)
			within |= UINT64_C(1) << i;
	}
	return within;
}

/* Write a state that may be shorter than the host's. */
static long set_xstate(pid_t pid, struct iovec *part)
{
	struct iovec state = { whole, sizeof whole };
	uint64_t in_use;

	if (libc_ptrace(PTRACE_GETREGSET, pid, NT_X86_XSTATE, &state) < 0)
		return -1;
	if (part->iov_len >= state.iov_len || part->iov_len < XSTATE_BV + sizeof in_use)
		return libc_ptrace(PTRACE_SETREGSET, pid, NT_X86_XSTATE, part);
	memcpy(whole, part->iov_base, part->iov_len);
	memcpy(&in_use, whole + XSTATE_BV, sizeof in_use);
	in_use &= components_within(part->iov_len);
	memcpy(whole + XSTATE_BV, &in_use, sizeof in_use);
	return libc_ptrace(PTRACE_SETREGSET, pid, NT_X86_XSTATE, &state);
}

long ptrace(enum __ptrace_request request, ...)
{
	va_list args;
	va_start(args, request);
	pid_t pid = va_arg(args, pid_t);
	void *addr = va_arg(args, void *);
	void *data = va_arg(args, void *);
	va_end(args);
	if (request == PTRACE_SETREGSET && (uintptr_t)addr == NT_X86_XSTATE)
		return set_xstate(pid, data);
	return libc_ptrace(request, pid, addr, data);
}
