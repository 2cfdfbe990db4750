/* A machine that is busy elsewhere: of EVERY waits of a Python process, one lasts up to
   STALL_MOST_MS longer. Waits for a socket, a lock and another thread count; Python has let go of
   its own lock in all of them, so the other threads run on. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static uint64_t every, most_ms;
static __thread uint64_t drawn;

__attribute__((constructor)) static void look_who_we_are(void) {
    char program[4096] = "";
    const char *told_every = getenv("STALL_EVERY"), *told_ms = getenv("STALL_MOST_MS");
    if (readlink("/proc/self/exe", program, sizeof program - 1) < 0) return;
    if (!strstr(program, "python") || !told_every || !told_ms) return;
    every = strtoull(told_every, NULL, 10);
    most_ms = strtoull(told_ms, NULL, 10);
}

static void stall_now_and_then(void) {
    struct timespec pause;
    int error = errno;
    if (!every || !most_ms) return;
    if (!drawn) {
        clock_gettime(CLOCK_MONOTONIC, &pause);
        drawn = ((uint64_t)pause.tv_nsec << 32) ^ ((uint64_t)getpid() << 16);
        drawn = (drawn ^ (uint64_t)(uintptr_t)&drawn) | 1;
    }
    /* xorshift, Marsaglia 2003 */
    drawn ^= drawn << 13;
    drawn ^= drawn >> 7;
    drawn ^= drawn << 17;
    if (drawn % every) return;
    uint64_t ms = 1 + (drawn >> 24) % most_ms;
    pause.tv_sec = (time_t)(ms / 1000);
    pause.tv_nsec = (long)(ms % 1000) * 1000000;
    nanosleep(&pause, NULL);
    errno = error;
}

#define STALLED(result, name, parameters, arguments)                       \
    result name parameters {                                               \
        static result(*real) parameters;                                   \
        if (!real) real = (result(*) parameters)dlsym(RTLD_NEXT, #name);   \
        result came = real arguments;                                      \
        stall_now_and_then();                                              \
        return came;                                                       \
    }

STALLED(ssize_t, recv, (int from, void *into, size_t size, int how), (from, into, size, how))
STALLED(ssize_t, send, (int to, const void *bytes, size_t size, int how), (to, bytes, size, how))
STALLED(int, poll, (struct pollfd * all, nfds_t count, int ms), (all, count, ms))
STALLED(int, sem_wait, (sem_t * lock), (lock))
STALLED(int, sem_timedwait, (sem_t * lock, const struct timespec *end), (lock, end))
STALLED(int, sem_clockwait, (sem_t * lock, clockid_t clock, const struct timespec *end),
        (lock, clock, end))
