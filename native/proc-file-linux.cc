#include "proc-file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace multiprocess {

int readProcFile(const char* path, std::string* out) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  char part[16384];
  ssize_t got;
  out->clear();
  while ((got = read(fd, part, sizeof part)) > 0) out->append(part, static_cast<size_t>(got));
  const int failure = got < 0 ? -errno : 0;
  close(fd);
  return failure;
}

}  // namespace multiprocess
