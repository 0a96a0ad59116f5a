// System calls on process descriptors (pidfd_open(2) and its kin), which older headers do not
// number.
#pragma once

#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

namespace multiprocess {

// waitid's P_PIDFD, which headers before glibc 2.36 lack: the id is a process descriptor.
constexpr auto kByDescriptor = static_cast<idtype_t>(3);

}  // namespace multiprocess
