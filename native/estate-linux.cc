#include "estate.h"

#include <ftw.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <vector>

#include "arguments.h"
#include "exports.h"
#include "pidfd.h"
#include "status.h"
#include "thread.h"

namespace multiprocess {
namespace {

// Descriptors that the removal of a folder may take at a time.
constexpr int kMostOpen = 8;
// Milliseconds that a child is given to end by itself; a killed one needs a few.
constexpr int kPatience = 10'000;
constexpr size_t kReaperStack = 65'536;

int removeEntry(const char* path, const struct stat*, int, FTW*) {
  remove(path);
  return 0;
}

// Reaps children as they end, so that none is left as a zombie, and closes their descriptors.
void* reap(void* data) {
  auto* pidfds = static_cast<std::vector<int>*>(data);
  for (int pidfd : *pidfds) {
    pollfd one{pidfd, POLLIN, 0};
    while (poll(&one, 1, kPatience) < 0 && errno == EINTR) {
    }
    siginfo_t status{};
    waitid(kByDescriptor, static_cast<id_t>(pidfd), &status, WEXITED | WNOHANG);
    close(pidfd);
  }
  delete pidfds;
  return nullptr;
}

}  // namespace

Estate::Estate() : wanted_(syscall(SYS_gettid) != getpid()) {}

int Estate::keep(int fd) {
  struct stat about;
  if (wanted_ && fd >= 0 && fstat(fd, &about) == 0) descriptors_[fd] = {about.st_dev, about.st_ino};
  return fd;
}

void Estate::drop(int fd) {
  if (wanted_) descriptors_.erase(fd);
}

void Estate::keepPath(const std::string& path) {
  struct stat about;
  if (wanted_ && lstat(path.c_str(), &about) == 0) paths_[path] = {about.st_dev, about.st_ino};
}

void Estate::dropPath(const std::string& path) {
  if (wanted_) paths_.erase(path);
}

void Estate::keepChild(pid_t pid, bool ends) {
  if (!wanted_) return;
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (pidfd >= 0) children_[pid] = {pidfd, ends};
}

void Estate::dropChild(pid_t pid) {
  const auto found = children_.find(pid);
  if (found == children_.end()) return;
  close(found->second.pidfd);
  children_.erase(found);
}

void Estate::settle() {
  struct stat about;
  for (const auto& [fd, identity] : descriptors_) {
    if (fstat(fd, &about) == 0 && about.st_dev == identity.device && about.st_ino == identity.inode) close(fd);
  }
  descriptors_.clear();
  for (const auto& [path, identity] : paths_) {
    if (lstat(path.c_str(), &about) != 0 || about.st_dev != identity.device || about.st_ino != identity.inode) continue;
    nftw(path.c_str(), removeEntry, kMostOpen, FTW_DEPTH | FTW_PHYS);
  }
  paths_.clear();
  if (children_.empty()) return;
  // One that reaps is not waited for: a dying child may take its time.
  auto* pidfds = new std::vector<int>();
  for (const auto& [pid, child] : children_) {
    if (child.ends) syscall(SYS_pidfd_send_signal, child.pidfd, SIGKILL, nullptr, 0);
    pidfds->push_back(child.pidfd);
  }
  children_.clear();
  if (startThread("mp-reaper", kReaperStack, reap, pidfds) == 0) return;
  for (int pidfd : *pidfds) close(pidfd);
  delete pidfds;
}

namespace {

// keepPath(path): removed when this thread is terminated
napi_value keepPath(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  std::string path;
  if (!in.text(0, &path)) return answer(env, kBadArgument);
  in.environment->estate.keepPath(path);
  return nullptr;
}

// dropPath(path): it is gone, or no longer this thread's
napi_value dropPath(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  std::string path;
  if (!in.text(0, &path)) return answer(env, kBadArgument);
  in.environment->estate.dropPath(path);
  return nullptr;
}

// keepChild(pid, ends): reaped, and killed before that if it `ends`, when this thread is terminated
napi_value keepChild(napi_env env, napi_callback_info info) {
  Arguments<2> in(env, info);
  int32_t pid;
  bool ends;
  if (!in.int32(0, &pid) || !in.boolean(1, &ends)) return answer(env, kBadArgument);
  in.environment->estate.keepChild(pid, ends);
  return nullptr;
}

// dropChild(pid): it was reaped
napi_value dropChild(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  int32_t pid;
  if (!in.int32(0, &pid)) return answer(env, kBadArgument);
  in.environment->estate.dropChild(pid);
  return nullptr;
}

}  // namespace

void exportEstate(Exports& out) {
  out.add("keepPath", keepPath);
  out.add("dropPath", dropPath);
  out.add("keepChild", keepChild);
  out.add("dropChild", dropChild);
}

}  // namespace multiprocess
