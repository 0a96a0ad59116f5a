// The memory of forks: which of it they inherit, and what it costs them.
//
// A page that the template and its forks share is copied at the first write of either, by a fault
// of its own: some microseconds each, and a child that loads a module writes to 500 pages. So the
// pages that a first child had touched are noted, and every other one gets its copies of them in a
// few calls, before anybody waits for it.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <algorithm>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "arguments.h"
#include "exports.h"
#include "fork.h"
#include "proc-file.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

namespace multiprocess {
namespace {

// Of an entry of /proc/self/pagemap (Documentation/admin-guide/mm/pagemap.rst).
constexpr uint64_t kPresent = uint64_t{1} << 63;
constexpr uint64_t kOfFile = uint64_t{1} << 61;
constexpr uint64_t kExclusive = uint64_t{1} << 56;

// Ranges beyond this are reservations, not memory in use.
constexpr uint64_t kMost = uint64_t{1} << 30;

// Appends the runs of touched pages of one mapping: start, bytes, and 1 where they were written to.
void addRuns(int pagemap, uint64_t start, uint64_t end, bool writable, uint64_t page, std::vector<double>* runs) {
  uint64_t entries[512];
  uint64_t run = 0;  // where the one under way starts
  for (uint64_t at = start; at < end;) {
    const size_t wanted = std::min<uint64_t>(512, (end - at) / page);
    const ssize_t got = pread(pagemap, entries, wanted * sizeof entries[0], static_cast<off_t>(at / page * sizeof entries[0]));
    if (got <= 0) break;
    for (size_t i = 0; i < got / sizeof entries[0]; i++, at += page) {
      const uint64_t entry = entries[i];
      // What it has not written to since the fork it shares; what it reads of files a fork has to
      // find anew.
      const bool touched = (entry & kPresent) != 0 && (!writable || ((entry & kExclusive) != 0 && (entry & kOfFile) == 0));
      if (touched && run == 0) run = at;
      if (!touched && run != 0) {
        runs->insert(runs->end(), {static_cast<double>(run), static_cast<double>(at - run), writable ? 1.0 : 0.0});
        run = 0;
      }
    }
  }
  if (run != 0) runs->insert(runs->end(), {static_cast<double>(run), static_cast<double>(end - run), writable ? 1.0 : 0.0});
}

// touchedPages() -> Float64Array of (address, bytes, 1 if written to), in a fork: the pages that it
// has written to since, and those of files that it has read. Empty where the system does not say.
napi_value touchedPages(napi_env env, napi_callback_info) {
  std::vector<double> runs;
  FILE* maps = fopen("/proc/self/maps", "re");
  const int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  char line[4352];
  while (maps != nullptr && pagemap >= 0 && fgets(line, sizeof line, maps) != nullptr) {
    uint64_t start;
    uint64_t end;
    char modes[5];
    uint64_t inode;
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*s %*s %" SCNu64, &start, &end, modes, &inode) != 4) continue;
    const bool writable = modes[1] == 'w';
    if (modes[0] != 'r' || modes[3] != 'p' || end - start > kMost || (!writable && inode == 0)) continue;
    addRuns(pagemap, start, end, writable, page, &runs);
  }
  if (maps != nullptr) fclose(maps);
  if (pagemap >= 0) close(pagemap);
  napi_value buffer;
  void* data = nullptr;
  napi_value result = nullptr;
  napi_create_arraybuffer(env, runs.size() * sizeof(double), &data, &buffer);
  if (data != nullptr) std::copy(runs.begin(), runs.end(), static_cast<double*>(data));
  napi_create_typedarray(env, napi_float64_array, runs.size(), buffer, 0, &result);
  return result;
}

// populatePages(runs): makes such pages this process's own, or present. What is no longer there is
// skipped, and all where Linux is older than 5.14.
napi_value populatePages(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, in.values[0], &type, &length, &data, nullptr, nullptr) != napi_ok || type != napi_float64_array) {
    return answer(env, 0);
  }
  const auto* runs = static_cast<const double*>(data);
  int done = 0;
  for (size_t i = 0; i + 2 < length; i += 3) {
    auto* start = reinterpret_cast<void*>(static_cast<uintptr_t>(runs[i]));
    const bool write = runs[i + 2] != 0;
    if (madvise(start, static_cast<size_t>(runs[i + 1]), write ? MADV_POPULATE_WRITE : MADV_POPULATE_READ) == 0) done++;
  }
  return answer(env, done);
}

// trimMemory(): what malloc keeps for later goes back to the system, and each fork is spared its
// page tables.
napi_value trimMemory(napi_env, napi_callback_info) {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
  return nullptr;
}

}  // namespace

int inheritMemory() {
  std::string maps;
  const int unread = readProcFile("/proc/self/maps", &maps);
  if (unread != 0) return unread;
  for (size_t at = 0; at < maps.size();) {
    size_t end = maps.find('\n', at);
    if (end == std::string::npos) end = maps.size();
    unsigned long from = 0, to = 0, inode = 1;
    char permissions[5] = "";
    maps[end < maps.size() ? end : maps.size() - 1] = '\0';
    if (sscanf(maps.c_str() + at, "%lx-%lx %4s %*x %*x:%*x %lu", &from, &to, permissions, &inode) == 4 && inode == 0 && permissions[3] == 'p') {
      // Fails for what the kernel maps itself ([vvar]), which the child gets anyway.
      madvise(reinterpret_cast<void*>(from), to - from, MADV_DOFORK);
    }
    at = end + 1;
  }
  return 0;
}

void exportForkMemory(Exports& out) {
  out.add("touchedPages", touchedPages);
  out.add("populatePages", populatePages);
  out.add("trimMemory", trimMemory);
}

}  // namespace multiprocess
